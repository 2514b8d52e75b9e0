/**
 * Virtual time that moves when a test says so, synchronously. For modules without streams; where real streams or TLS
 * run, `simulator/virtual-clock.ts` also lets them settle.
 */
import type { Clock, Timer } from '../../src/platform/clock.js';

interface Entry {
  readonly at: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #now: number;
  readonly #entries = new Set<Entry>();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry = { at: this.#now + delayMs, callback };
    this.#entries.add(entry);
    return { cancel: () => this.#entries.delete(entry) };
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Moves time on, firing what is due on the way, in order. */
  advance(delayMs: number): void {
    const target = this.#now + delayMs;
    for (let due = this.#next(target); due; due = this.#next(target)) {
      this.#entries.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = target;
  }

  #next(target: number): Entry | undefined {
    let next: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.at <= target && (!next || entry.at < next.at)) next = entry;
    }
    return next;
  }
}
