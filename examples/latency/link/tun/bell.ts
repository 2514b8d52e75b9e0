/** Wakes the sender, which sleeps till its next packet is due. Node's timers count whole milliseconds; this does not. */
export class Bell {
  readonly #rings: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#rings = new Int32Array(memory);
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  }

  ring(): void {
    Atomics.add(this.#rings, 0, 1);
    Atomics.notify(this.#rings, 0);
  }

  /** How often it was rung: asked before one looks at what there is to do, and handed to `sleep` after. */
  rings(): number {
    return Atomics.load(this.#rings, 0);
  }

  /** Until it is rung, unless it was since; Infinity is allowed. */
  sleep(rings: number, timeoutMs: number): void {
    Atomics.wait(this.#rings, 0, rings, timeoutMs);
  }
}
