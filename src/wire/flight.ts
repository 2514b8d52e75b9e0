/**
 * The sending half of a stream over UDP: joins what TLS writes, cuts it into datagrams, and knows what is left for TCP
 * after any of them. It knows nothing of sockets or of TLS.
 */
import { PAYLOAD_MAX, SEQUENCE_MAX } from './constants.js';

/** A stretch of the stream as one datagram carries it. */
export interface FlightDatagram {
  /** From 1. */
  sequence: number;
  payload: Buffer;
  /** Bytes of the stream behind this payload, cut or not, at the time of the call. */
  remaining: number;
}

const EMPTY: Buffer = Buffer.alloc(0);

export class Flight {
  readonly #maxDatagrams: number;
  readonly #maxCutBytes: number;
  #stream: Buffer = EMPTY;
  /** Where each datagram ends in the stream, by sequence - 1. */
  readonly #ends: number[] = [];

  /** @param bounds how many datagrams may be cut, SEQUENCE_MAX at most, and how many bytes they may carry in all */
  constructor(bounds: { bytes: number; datagrams: number }) {
    this.#maxDatagrams = Math.min(bounds.datagrams, SEQUENCE_MAX);
    this.#maxCutBytes = bounds.bytes;
  }

  /** Bytes of the stream so far. */
  get bytes(): number {
    return this.#stream.length;
  }

  /** The last sequence that was cut; 0 for none. */
  get sequence(): number {
    return this.#ends.length;
  }

  append(chunks: readonly Uint8Array[]): void {
    this.#stream = Buffer.concat([this.#stream, ...chunks]);
  }

  /** Cuts the next datagram; undefined where nothing is left or the bounds are reached. */
  cut(): FlightDatagram | undefined {
    const start = this.#ends.at(-1) ?? 0;
    const end = Math.min(start + PAYLOAD_MAX, this.#stream.length, this.#maxCutBytes);
    if (end <= start || this.#ends.length >= this.#maxDatagrams) return undefined;
    this.#ends.push(end);
    return this.datagram(this.#ends.length);
  }

  /** A datagram that was cut before, for sending it again. */
  datagram(sequence: number): FlightDatagram {
    const end = this.#ends[sequence - 1] as number;
    const payload = this.#stream.subarray(this.#ends[sequence - 2] ?? 0, end);
    return { sequence, payload, remaining: this.#stream.length - end };
  }

  /** Length of the datagram that `cut` would return; 0 for none. */
  get nextLength(): number {
    const start = this.#ends.at(-1) ?? 0;
    if (this.#ends.length >= this.#maxDatagrams) return 0;
    return Math.max(0, Math.min(PAYLOAD_MAX, this.#stream.length - start, this.#maxCutBytes - start));
  }

  /** The stream behind the datagram `sequence` (0: all of it): what TCP carries. */
  after(sequence: number): Buffer {
    return sequence === 0 ? this.#stream : this.#stream.subarray(this.#ends[sequence - 1]);
  }

  /** TCP has the stream: the bytes are not needed any more. */
  release(): void {
    this.#stream = EMPTY;
  }
}
