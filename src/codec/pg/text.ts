/**
 * Text from bytes, UTF-8 as all text of a connection with client_encoding UTF8; what is not valid becomes U+FFFD.
 *
 * Most texts are short, and calling `toString` costs more than decoding them. The ways around it are for what they were
 * measured to be faster for, give what `toString('utf8')` gives, and leave it all that is long, rare or not valid.
 */

/** A short text of this many bytes is made of its characters, whatever they are. */
const FEW_BYTES = 16;
/** A longer text is decoded by itself, by `toString`. */
const SHORT_BYTES = 128;
/** Bytes decoded at once for the texts in them: what a text that is kept can keep in memory beside itself. */
const RUN_BYTES = 512;

/** Arrays of each length, for characters on their way into a string. */
const SCRATCHES: readonly number[][] = Array.from({ length: SHORT_BYTES + 1 }, (_, length) =>
  new Array<number>(length).fill(0),
);
const UNITS = SCRATCHES[SHORT_BYTES] as number[];

/** bytes[start] to bytes[end - 1] as text. */
export function decodeText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  // A text that begins outside ASCII is one of another script: most of it will be outside.
  const isScript = length <= SHORT_BYTES && (bytes[start] as number) >= 0x80;
  const units = isScript || length <= FEW_BYTES ? decodeUnits(bytes, start, end) : undefined;
  // UTF-8 is the default; not naming it is faster.
  return units === undefined ? bytes.toString(undefined, start, end) : String.fromCharCode.apply(null, units);
}

/** Decodes texts that lie near each other: cuts those in ASCII out of one string. */
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
    if (end - start > SHORT_BYTES || !isAscii(this.#bytes, start, end)) return decodeText(this.#bytes, start, end);
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

/**
 * The UTF-16 units of at most SHORT_BYTES of UTF-8, to be used before the next call (The Unicode Standard, table 3-7).
 * Undefined where a sequence is not valid, or of four bytes.
 */
function decodeUnits(bytes: Buffer, start: number, end: number): number[] | undefined {
  let count = 0;
  for (let at = start; at < end; ) {
    const first = bytes[at] as number;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
    if (at + length > end) return undefined;
    const unit = length === 1 ? first : length === 2 ? twoBytes(bytes, at) : threeBytes(bytes, at);
    if (unit < 0) return undefined;
    UNITS[count++] = unit;
    at += length;
  }
  if (count === SHORT_BYTES) return UNITS;
  const units = SCRATCHES[count] as number[];
  for (let index = 0; index < count; index++) units[index] = UNITS[index] as number;
  return units;
}

function twoBytes(bytes: Buffer, at: number): number {
  const first = (bytes[at] as number) - 0xc0;
  const second = (bytes[at + 1] as number) ^ 0x80;
  return first >= 2 && second < 0x40 ? (first << 6) | second : -1;
}

function threeBytes(bytes: Buffer, at: number): number {
  const first = (bytes[at] as number) - 0xe0;
  const second = (bytes[at + 1] as number) ^ 0x80;
  const third = (bytes[at + 2] as number) ^ 0x80;
  const unit = (first << 12) | (second << 6) | third;
  const isValid = first < 0x10 && (second | third) < 0x40 && unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff);
  return isValid ? unit : -1;
}
