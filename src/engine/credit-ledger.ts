/**
 * What a session may still send to the UDP address that opened it: at most one datagram for each that it received, and
 * at most AMPLIFICATION_MAX times the bytes (RFC 9000, section 8.1).
 */
import { AMPLIFICATION_MAX } from '../wire/constants.js';

export class CreditLedger {
  #datagrams = 0;
  #bytes = 0;

  /** How many datagrams may leave, if their bytes may. */
  get datagrams(): number {
    return this.#datagrams;
  }

  received(bytes: number): void {
    this.#datagrams++;
    this.#bytes += AMPLIFICATION_MAX * bytes;
  }

  /** Whether a datagram of this many bytes may leave. */
  covers(bytes: number): boolean {
    return this.#datagrams >= 1 && this.#bytes >= bytes;
  }

  /** A datagram of this many bytes leaves. */
  sent(bytes: number): void {
    this.#datagrams--;
    this.#bytes -= bytes;
  }
}
