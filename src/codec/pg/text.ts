/**
 * Text from bytes, UTF-8 as all text of a connection with client_encoding UTF8; what is not valid becomes U+FFFD.
 *
 * Most texts are short and ASCII, and calling `toString` costs more than decoding them. Both ways around it give what
 * `toString('utf8')` gives, and leave it what is long or not ASCII.
 */

/** Up to here, making a string of its characters is faster than `toString`. */
const SCRATCH_MAX = 16;
const SCRATCHES: readonly number[][] = Array.from({ length: SCRATCH_MAX + 1 }, (_, length) =>
  new Array<number>(length).fill(0),
);

/** A longer text is decoded by itself. */
const RUN_TEXT_MAX = 128;
/** Bytes decoded at once: what a text that is kept can keep in memory beside itself. */
const RUN_BYTES = 512;

/** bytes[start] to bytes[end - 1] as text. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  if (end - start > SCRATCH_MAX) return bytes.toString('utf8', start, end);
  const scratch = SCRATCHES[end - start] as number[];
  let seen = 0;
  for (let index = 0; index < scratch.length; index++) {
    const byte = bytes[start + index] as number;
    scratch[index] = byte;
    seen |= byte;
  }
  return seen < 0x80 ? String.fromCharCode.apply(null, scratch) : bytes.toString('utf8', start, end);
}

/** Decodes texts that lie near each other: cuts them out of one string. */
export class TextRun {
  readonly #bytes: Buffer;
  readonly #end: number;
  #run = '';
  #runStart = 0;

  /** @param end where the texts end at the latest */
  constructor(bytes: Buffer, end: number) {
    this.#bytes = bytes;
    this.#end = end;
  }

  /** bytes[start] to bytes[end - 1] as text. */
  text(start: number, end: number): string {
    if (end - start > RUN_TEXT_MAX || !isAscii(this.#bytes, start, end)) {
      return this.#bytes.toString('utf8', start, end);
    }
    if (start < this.#runStart || end > this.#runStart + this.#run.length) {
      this.#runStart = start;
      this.#run = this.#bytes.toString('latin1', start, Math.min(this.#end, start + RUN_BYTES));
    }
    return this.#run.substring(start - this.#runStart, end - this.#runStart);
  }
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    const four =
      (bytes[at] as number) | (bytes[at + 1] as number) | (bytes[at + 2] as number) | (bytes[at + 3] as number);
    if (four >= 0x80) return false;
  }
  for (; at < end; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}
