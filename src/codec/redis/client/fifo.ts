/** A queue that takes constant time at both ends, however long it is. */

/** Below this length nothing is gained by moving what is left to the front. */
const COMPACT_FROM = 1024;

export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  get head(): T | undefined {
    return this.#items[this.#first];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first > COMPACT_FROM && this.#first * 2 > this.#items.length) this.#compact();
    return item;
  }

  /** Empties it. */
  takeAll(): T[] {
    this.#compact();
    return this.#items.splice(0) as T[];
  }

  #compact(): void {
    this.#items.splice(0, this.#first);
    this.#first = 0;
  }
}
