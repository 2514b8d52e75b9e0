/**
 * Virtual time on which real code runs. Nothing waits: the driver lets Node's event loop work until it has nothing more
 * to do at this instant, and only then moves the clock to the next timer. node:tls, streams and promises need no change,
 * for they use setImmediate, nextTick and microtasks only. Work on Node's thread pool is invisible here: see `during`.
 */
import type { Clock, Timer } from '../../src/platform/clock.js';

/** Turns of the event loop without anything happening in virtual time that count as quiet. */
const QUIET_TURNS = 3;
/** Turns granted to code that keeps on scheduling immediates without touching the clock (a poll, say). */
const MAXIMUM_TURNS = 200;
/** Real milliseconds that the driver waits when nothing is scheduled, before it calls that a deadlock. */
const DEADLOCK_PATIENCE_MS = 100;
/** Rounds of timers at one instant after which the instant is called endless. */
const MAXIMUM_ROUNDS_PER_INSTANT = 100_000;
/** Virtual time that `run` may take unless told otherwise. */
const DEFAULT_LIMIT_MS = 3_600_000;

/** A run that cannot go on: a deadlock, the limit of virtual time, or time standing still. */
export class VirtualTimeError extends Error {
  override name = 'VirtualTimeError';
}

export interface RunOptions {
  /** Virtual milliseconds, from now, after which the run fails. An hour by default. */
  limitMs?: number;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  /** Undefined once cancelled or fired, so that a cancelled timer holds nothing. */
  callback: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #live = 0;
  /** Changes whenever a timer is made, cancelled or fired: how the driver sees that something happens. */
  #activity = 0;
  #heap: Entry[] = [];
  #driving = false;
  #failures: unknown[] = [];
  #holds = new Set<Promise<unknown>>();

  constructor(startMs = 0) {
    this.#now = startMs;
  }

  /** Virtual milliseconds. */
  now(): number {
    return this.#now;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#live;
  }

  /** When the next timer is due, or undefined if there is none. */
  get nextAt(): number | undefined {
    return this.#first()?.at;
  }

  after(delayMs: number, callback: () => void): Timer {
    if (Number.isNaN(delayMs)) throw new RangeError('the delay of a timer is not a number');
    const entry: Entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#push(entry);
    this.#live++;
    this.#activity++;
    return { cancel: () => this.#cancel(entry) };
  }

  /**
   * Runs virtual time until the promise is settled or the condition holds, and returns what the promise gives. The clock
   * then stands at the instant at which that happened. Throws VirtualTimeError on a deadlock (nothing is scheduled) or
   * when the limit is passed, and whatever a timer's callback threw.
   */
  run<T>(until: Promise<T>, options?: RunOptions): Promise<T>;
  run(until: () => boolean, options?: RunOptions): Promise<undefined>;
  run<T>(until: Promise<T> | (() => boolean), options: RunOptions = {}): Promise<T | undefined> {
    return this.#drive(() => this.#runUntil(until, options));
  }

  /** Moves time on by `delayMs`, firing everything that is due on the way, and settles. */
  advance(delayMs: number): Promise<void> {
    return this.#drive(async () => {
      const target = this.#now + delayMs;
      await this.#quiet();
      for (let at = this.nextAt; at !== undefined && at <= target; at = this.nextAt) {
        this.#fireInstant(at);
        await this.#quiet();
      }
      this.#now = target;
    });
  }

  /** Fires the timers of the next instant and settles. False if there are none. */
  step(): Promise<boolean> {
    return this.#drive(async () => {
      await this.#quiet();
      const at = this.nextAt;
      if (at === undefined) return false;
      this.#fireInstant(at);
      await this.#quiet();
      return true;
    });
  }

  /** Lets the real event loop do all it can at this instant. Time does not move, and no timer fires. */
  settle(): Promise<void> {
    return this.#drive(() => this.#quiet());
  }

  /** Runs until no timer is left. */
  async runUntilIdle(options?: RunOptions): Promise<void> {
    await this.run(() => this.#live === 0, options);
  }

  /**
   * Virtual time stands still until this promise is settled. For work that the driver cannot see: the thread pool
   * (asynchronous crypto, files, name look-ups) or another process.
   */
  during<T>(work: Promise<T>): Promise<T> {
    const settled = work.then(
      () => {},
      () => {},
    );
    this.#holds.add(settled);
    void settled.then(() => this.#holds.delete(settled));
    return work;
  }

  async #drive<T>(body: () => Promise<T>): Promise<T> {
    if (this.#driving) throw new VirtualTimeError('the virtual clock is already being driven');
    this.#driving = true;
    try {
      return await body();
    } finally {
      this.#driving = false;
    }
  }

  async #runUntil<T>(
    until: Promise<T> | (() => boolean),
    { limitMs = DEFAULT_LIMIT_MS }: RunOptions,
  ): Promise<T | undefined> {
    const limit = this.#now + limitMs;
    const goal = watch(until);
    let rounds = 0;
    for (;;) {
      await this.#quiet();
      if (goal.reached()) return goal.result();
      const at = this.nextAt;
      if (at === undefined) {
        if (await this.#patience(goal.reached)) continue;
        throw new VirtualTimeError(`deadlock at ${this.#now} ms: nothing is scheduled, and what is awaited is pending`);
      }
      if (at > limit) {
        throw new VirtualTimeError(
          `what is awaited is pending after ${limitMs} ms of virtual time (${this.#live} timers)`,
        );
      }
      rounds = at > this.#now ? 0 : rounds + 1;
      if (rounds > MAXIMUM_ROUNDS_PER_INSTANT) throw new VirtualTimeError(`time stands still at ${this.#now} ms`);
      this.#fireInstant(at);
    }
  }

  /**
   * Each callback is an immediate of its own, as each I/O event or timer is to Node: nextTicks and microtasks of one run
   * before the next.
   */
  #fireInstant(at: number): void {
    this.#now = Math.max(this.#now, at);
    for (let entry = this.#first(); entry !== undefined && entry.at <= at; entry = this.#first()) {
      this.#pop();
      setImmediate(fire, this, entry);
    }
  }

  /** @internal Called by `fire`, which may find that the entry was cancelled by one that fired before. */
  fireEntry(entry: Entry): void {
    const { callback } = entry;
    if (callback === undefined) return;
    entry.callback = undefined;
    this.#live--;
    this.#activity++;
    try {
      callback();
    } catch (error) {
      this.#failures.push(error);
    }
  }

  async #quiet(): Promise<void> {
    do {
      await Promise.all(this.#holds);
      await new Promise<void>((resolve) => this.#turn(resolve));
    } while (this.#holds.size > 0);
    if (this.#failures.length > 0) throw this.#failures.shift();
  }

  /**
   * Turns of the event loop until some in a row saw no activity, and no other immediate is waiting: streams hop from
   * immediate to immediate without touching the clock.
   */
  #turn(done: () => void): void {
    let seen = this.#activity;
    let quiet = 0;
    const next = () => {
      if (this.#activity !== seen) {
        seen = this.#activity;
        quiet = 0;
      } else {
        quiet++;
      }
      if (quiet < QUIET_TURNS || (quiet < MAXIMUM_TURNS && immediatesAreWaiting())) setImmediate(next);
      else done();
    };
    setImmediate(next);
  }

  /** Waits a little in real time for something outside virtual time to happen. True if something did. */
  async #patience(reached: () => boolean): Promise<boolean> {
    const seen = this.#activity;
    const end = performance.now() + DEADLOCK_PATIENCE_MS;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (this.#activity !== seen || this.#holds.size > 0 || reached()) return true;
    }
    return false;
  }

  #cancel(entry: Entry): void {
    if (entry.callback === undefined) return;
    entry.callback = undefined;
    this.#live--;
    this.#activity++;
    // Handshake timers of seconds are mostly cancelled after milliseconds: do not let them pile up.
    if (this.#heap.length > 1024 && this.#live < this.#heap.length / 4) {
      this.#heap = this.#heap.filter((kept) => kept.callback !== undefined).sort(isBefore);
    }
  }

  /** The next entry that was not cancelled. */
  #first(): Entry | undefined {
    while (this.#heap.length > 0 && this.#heap[0]?.callback === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent] as Entry, entry) < 0) break;
      heap[index] = heap[parent] as Entry;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry) < 0) child++;
      if (isBefore(last, heap[child] as Entry) < 0) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
  }
}

function fire(clock: VirtualClock, entry: Entry): void {
  clock.fireEntry(entry);
}

/** Negative if `one` comes before `other`: by time, then in the order in which they were made. */
function isBefore(one: Entry, other: Entry): number {
  return one.at - other.at || one.order - other.order;
}

function immediatesAreWaiting(): boolean {
  return process.getActiveResourcesInfo().includes('Immediate');
}

interface Goal<T> {
  reached(): boolean;
  result(): T | Promise<T> | undefined;
}

function watch<T>(until: Promise<T> | (() => boolean)): Goal<T> {
  if (typeof until === 'function') return { reached: until, result: () => undefined };
  let settled = false;
  const settle = () => {
    settled = true;
  };
  until.then(settle, settle);
  return { reached: () => settled, result: () => until };
}
