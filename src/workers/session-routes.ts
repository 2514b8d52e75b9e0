/**
 * Which worker has a session. Anyone can make up connection IDs, so an ID counts for little until its worker has
 * answered: a flood of them pushes out others of its kind, and no session that a client waits for.
 */
import { LRUCache } from 'lru-cache';
import type { Clock, Timer } from '../platform/clock.js';
import type { WorkersLimits } from './limits.js';

/** Who has sessions. */
export interface SessionOwner {
  /** Sessions that wait for their tombstone, as far as is known here. */
  sessions: number;
}

interface Entry<O extends SessionOwner> {
  readonly owner: O;
  /** It is among the owner's `sessions`. */
  waits: boolean;
  /** It is among the answered ones, and stays among the opening ones until its time there is over. */
  answered: boolean;
}

/** How late what has expired may be forgotten, ms: each look is at every session. */
const SWEEP_MS = 2000;

export class SessionRoutes<O extends SessionOwner> {
  readonly #clock: Clock;
  readonly #opening: LRUCache<string, Entry<O>>;
  readonly #answered: LRUCache<string, Entry<O>>;
  /** Entries that are in both. */
  #inBoth = 0;
  #sweep: Timer | undefined;

  constructor({ openingSessions, answeredSessions, sessionAgeMs }: Readonly<WorkersLimits>, clock: Clock) {
    this.#clock = clock;
    // lru-cache takes a start time of 0 for "no time limit".
    const time = { ttl: sessionAgeMs, ttlResolution: 0, noUpdateTTL: true, perf: { now: () => clock.now() + 1 } };
    this.#opening = new LRUCache({
      ...time,
      max: openingSessions,
      dispose: (entry) => {
        if (entry.answered) this.#inBoth--;
        else leave(entry);
      },
    });
    this.#answered = new LRUCache({ ...time, max: answeredSessions, dispose: (entry) => leave(entry) });
  }

  /** Sessions remembered. */
  get size(): number {
    return this.#opening.size + this.#answered.size - this.#inBoth;
  }

  find(connectionId: string): O | undefined {
    return (this.#answered.get(connectionId) ?? this.#opening.get(connectionId))?.owner;
  }

  /** A session may begin with this owner. Another owner's before it is forgotten. */
  assign(connectionId: string, owner: O): void {
    this.#answered.delete(connectionId);
    this.#opening.delete(connectionId);
    owner.sessions++;
    this.#opening.set(connectionId, { owner, waits: true, answered: false });
    this.#sweepLater();
  }

  /** Its owner has answered the client. Deleting what lru-cache has one of costs as much as its whole capacity. */
  answered(connectionId: string): void {
    const entry = this.#opening.peek(connectionId);
    if (!entry || entry.answered) return;
    entry.answered = true;
    this.#inBoth++;
    this.#answered.set(connectionId, entry);
  }

  /** Its tombstone has come. It is remembered all the same: datagrams may be late. */
  claimed(connectionId: string): void {
    const entry = this.#answered.peek(connectionId) ?? this.#opening.peek(connectionId);
    if (entry) leave(entry);
  }

  clear(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    this.#opening.clear();
    this.#answered.clear();
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.after(SWEEP_MS, () => {
      this.#sweep = undefined;
      this.#opening.purgeStale();
      this.#answered.purgeStale();
      if (this.size > 0) this.#sweepLater();
    });
  }
}

function leave(entry: Entry<SessionOwner>): void {
  if (entry.waits) entry.owner.sessions--;
  entry.waits = false;
}
