/**
 * The receiving half of a stream over UDP: puts datagrams in order, drops duplicates, keeps within bounds. It knows
 * nothing of sockets or of TLS.
 */
import { SEQUENCE_MAX } from './constants.js';

export interface DatagramStreamBounds {
  /** Payload bytes taken in all. */
  bytes: number;
  /** The highest sequence taken, SEQUENCE_MAX at most. */
  datagrams: number;
}

/** What became of a datagram. */
export type Pushed = 'in-order' | 'held' | 'duplicate' | 'over-limit';

export class DatagramStream {
  readonly #bounds: DatagramStreamBounds;
  /** Payload by sequence - 1; a hole is a datagram that has not come. */
  readonly #payloads: (Buffer | undefined)[] = [];
  /** Where each in-order datagram ends in the stream, by sequence - 1. */
  readonly #ends: number[] = [];
  #bytes = 0;
  #read = 0;

  constructor(bounds: DatagramStreamBounds) {
    this.#bounds = { bytes: bounds.bytes, datagrams: Math.min(bounds.datagrams, SEQUENCE_MAX) };
  }

  /** The last sequence up to which nothing is missing; 0 for none. */
  get delivered(): number {
    return this.#ends.length;
  }

  /** Payload bytes taken, in order or not. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Stream bytes up to which nothing is missing. */
  get deliveredBytes(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Whether the datagram `sequence` has come. */
  has(sequence: number): boolean {
    return this.#payloads[sequence - 1] !== undefined;
  }

  /** Takes a datagram with a payload, `sequence` from 1. */
  push(sequence: number, payload: Buffer): Pushed {
    const index = sequence - 1;
    if (this.#payloads[index] !== undefined) return 'duplicate';
    if (sequence > this.#bounds.datagrams || this.#bytes + payload.length > this.#bounds.bytes) return 'over-limit';
    this.#payloads[index] = payload;
    this.#bytes += payload.length;
    if (index !== this.#ends.length) return 'held';
    let end = this.deliveredBytes;
    for (let next = payload as Buffer | undefined; next !== undefined; next = this.#payloads[this.#ends.length]) {
      end += next.length;
      this.#ends.push(end);
    }
    return 'in-order';
  }

  /** The in-order bytes that were not read yet, without reading them. */
  peek(): Buffer[] {
    return this.#payloads.slice(this.#read, this.#ends.length) as Buffer[];
  }

  /** The in-order bytes that were not read yet. */
  read(): Buffer[] {
    const unread = this.peek();
    this.#read = this.#ends.length;
    return unread;
  }

  /** How many in-order bytes stand behind the datagram `sequence` (0: all of them). */
  bytesAfter(sequence: number): number {
    return this.deliveredBytes - (sequence === 0 ? 0 : (this.#ends[sequence - 1] ?? this.deliveredBytes));
  }
}
