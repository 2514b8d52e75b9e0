/** What is due at some time, the earliest first; what is due at the same time, in the order it came: a binary heap. */

interface Entry<T> {
  dueMs: number;
  order: number;
  item: T;
}

export class DueQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #added = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Of the earliest; Infinity where there is none. */
  get nextDueMs(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  add(dueMs: number, item: T): void {
    const entry = { dueMs, order: this.#added++, item };
    let index = this.#heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(this.#at(parent), entry)) break;
      this.#heap[index] = this.#at(parent);
      index = parent;
    }
    this.#heap[index] = entry;
  }

  /** The earliest, if it is due by now. */
  take(nowMs: number): T | undefined {
    if (this.nextDueMs > nowMs) return undefined;
    const first = this.#at(0);
    const last = this.#heap.pop() as Entry<T>;
    if (this.#heap.length > 0) this.#sink(last);
    return first.item;
  }

  /** Finds the place of an entry from the top on. */
  #sink(entry: Entry<T>): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && isBefore(this.#at(child + 1), this.#at(child))) child++;
      if (isBefore(entry, this.#at(child))) break;
      this.#heap[index] = this.#at(child);
      index = child;
    }
    this.#heap[index] = entry;
  }

  #at(index: number): Entry<T> {
    return this.#heap[index] as Entry<T>;
  }
}

function isBefore(one: Entry<unknown>, other: Entry<unknown>): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}
