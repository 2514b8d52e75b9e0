/** Bytes that come in parts, joined. The buffer grows with what has come, never with what was announced. */

const FIRST_BYTES = 1024;
/** A buffer of up to this many bytes is used again. */
const KEPT_BYTES = 4096;
/** Up to this many bytes a loop copies faster than a call. */
const LOOP_BYTES = 64;
const NOTHING = Buffer.alloc(0);

export class Gather {
  /** Valid up to `length`, until the next `append` or `clear`. */
  bytes: Buffer = NOTHING;
  length = 0;

  /** Takes on `from[start, end)`. `most`: what the length can come to at most. */
  append(from: Buffer, start: number, end: number, most: number): void {
    const length = this.length + end - start;
    if (length > this.bytes.length) this.#grow(length, most);
    this.#copy(from, start, end);
    this.length = length;
  }

  #copy(from: Buffer, start: number, end: number): void {
    const bytes = this.bytes;
    if (start === 0 && end === from.length) {
      bytes.set(from, this.length);
    } else if (end - start > LOOP_BYTES) {
      from.copy(bytes, this.length, start, end);
    } else {
      for (let to = this.length, at = start; at < end; ) bytes[to++] = from[at++] as number;
    }
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = NOTHING;
  }

  #grow(length: number, most: number): void {
    const size = Math.max(length, Math.min(most, Math.max(FIRST_BYTES, 2 * this.bytes.length)));
    const bytes = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(bytes, 0, 0, this.length);
    this.bytes = bytes;
  }
}
