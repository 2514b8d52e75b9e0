/** Repeatable randomness for tests: the same seed gives the same choices on every machine. Not for secrets. */

const GOLDEN_GAMMA = 0x6d2b79f5;

/** FNV-1a with a final mix, so that seeds which differ in one character give unrelated streams. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  return (value ^ (value >>> 15)) >>> 0;
}

/** A mulberry32 generator with the draws that tests need. */
export class Random {
  readonly #name: string;
  #state: number;

  constructor(seed: number | string) {
    this.#name = String(seed);
    this.#state = hash(this.#name);
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + GOLDEN_GAMMA) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  /** True with the given probability. Draws even for 0 and 1, so that settings do not shift later draws. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number from 0 to `limit` - 1. */
  int(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let index = 0; index < length; index++) bytes[index] = this.int(256);
    return bytes;
  }

  /** A copy of the list in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const copy = [...list];
    for (let index = copy.length - 1; index > 0; index--) {
      const other = this.int(index + 1);
      [copy[index], copy[other]] = [copy[other] as T, copy[index] as T];
    }
    return copy;
  }

  /** An independent generator, decided by this one's seed and the label alone and not by what was drawn so far. */
  fork(label: number | string): Random {
    return new Random(`${this.#name}/${label}`);
  }
}
