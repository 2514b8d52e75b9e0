/** Packets on their way from a thread that reads to a thread that sends, in memory that both have. */

/** More than any packet of a device whose MTU is 1500. */
const SLOT_BYTES = 2048;
/** A power of two. Where all are taken the reader waits, and packets with it, in the device's own queue. */
const SLOTS = 1024;

/** Counters of `state`; they wrap. */
const ADDED = 0;
const TAKEN = 1;

/** What both threads are given. */
export interface RingMemory {
  state: SharedArrayBuffer;
  times: SharedArrayBuffer;
  lengths: SharedArrayBuffer;
  bytes: SharedArrayBuffer;
}

export interface ReadPacket {
  /** A copy. */
  bytes: Buffer;
  /** When it was read, by `monotonicMs`. */
  readAtMs: number;
}

export class PacketRing {
  readonly #state: Int32Array;
  readonly #times: Float64Array;
  readonly #lengths: Int32Array;
  readonly #bytes: Buffer;

  constructor({ state, times, lengths, bytes }: RingMemory) {
    this.#state = new Int32Array(state);
    this.#times = new Float64Array(times);
    this.#lengths = new Int32Array(lengths);
    this.#bytes = Buffer.from(bytes);
  }

  static memory(): RingMemory {
    return {
      state: new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT),
      times: new SharedArrayBuffer(SLOTS * Float64Array.BYTES_PER_ELEMENT),
      lengths: new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT),
      bytes: new SharedArrayBuffer(SLOTS * SLOT_BYTES),
    };
  }

  /** Where the next packet goes, once there is room. The reader's. */
  room(): Buffer {
    const added = Atomics.load(this.#state, ADDED);
    for (;;) {
      const taken = Atomics.load(this.#state, TAKEN);
      if (((added - taken) | 0) !== SLOTS) break;
      Atomics.wait(this.#state, TAKEN, taken);
    }
    const start = slotOf(added) * SLOT_BYTES;
    return this.#bytes.subarray(start, start + SLOT_BYTES);
  }

  /** What was put into `room` is a packet now. The reader's. */
  add(length: number, readAtMs: number): void {
    const slot = slotOf(Atomics.load(this.#state, ADDED));
    this.#lengths[slot] = length;
    this.#times[slot] = readAtMs;
    Atomics.add(this.#state, ADDED, 1);
  }

  /** The sender's. */
  take(): ReadPacket | undefined {
    const taken = Atomics.load(this.#state, TAKEN);
    if (taken === Atomics.load(this.#state, ADDED)) return undefined;
    const slot = slotOf(taken);
    const start = slot * SLOT_BYTES;
    const bytes = Buffer.from(this.#bytes.subarray(start, start + (this.#lengths[slot] as number)));
    const readAtMs = this.#times[slot] as number;
    Atomics.add(this.#state, TAKEN, 1);
    Atomics.notify(this.#state, TAKEN);
    return { bytes, readAtMs };
  }
}

function slotOf(counter: number): number {
  return counter & (SLOTS - 1);
}
