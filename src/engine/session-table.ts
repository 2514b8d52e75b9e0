/**
 * The sessions that wait for their tombstone, and the IDs of those that were claimed. Both are bounded by entries,
 * bytes and age. A full table refuses the new; it never evicts the waiting.
 */
import { LRUCache } from 'lru-cache';
import type { Limits } from '../limits.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { Session } from './session.js';

/** How late an expired session may be ended. */
const SWEEP_MS = 250;

/** lru-cache takes a new size only together with a new value: each change of a session's size is a new entry. */
interface Entry {
  readonly session: Session;
}

export class SessionTable {
  readonly #limits: Readonly<Limits>;
  readonly #clock: Clock;
  readonly #waiting: LRUCache<string, Entry>;
  readonly #claimed: LRUCache<string, true>;
  #sweep: Timer | undefined;

  /** @param onExpired a session was never claimed and is ended now */
  constructor(limits: Readonly<Limits>, clock: Clock, onExpired: (session: Session) => void) {
    this.#limits = limits;
    this.#clock = clock;
    // lru-cache takes a start time of 0 for "no time limit".
    const time = { ttlResolution: 0, perf: { now: () => clock.now() + 1 } };
    this.#waiting = new LRUCache({
      ...time,
      max: limits.halfOpenSessions,
      // Sizes are counted here; `hasRoomFor` bounds them, for lru-cache would evict the waiting.
      maxSize: Number.MAX_SAFE_INTEGER,
      noUpdateTTL: true,
      noDisposeOnSet: true,
      // After: whoever is told looks at the table.
      disposeAfter: ({ session }) => {
        if (!session.claimed) onExpired(session);
      },
    });
    this.#claimed = new LRUCache({ ...time, max: limits.claimedSessions });
  }

  get size(): number {
    return this.#waiting.size;
  }

  get bytes(): number {
    return this.#waiting.calculatedSize;
  }

  /** How full the table is, 0 to 1, by entries or by bytes. */
  get fill(): number {
    return Math.max(this.size / this.#limits.halfOpenSessions, this.bytes / this.#limits.halfOpenBytes);
  }

  get(connectionId: Buffer): Session | undefined {
    return this.#waiting.get(keyOf(connectionId))?.session;
  }

  wasClaimed(connectionId: Buffer): boolean {
    return this.#claimed.has(keyOf(connectionId));
  }

  /** Whether the sessions may come to hold this many bytes more. */
  hasRoomFor(bytes: number): boolean {
    return this.bytes + bytes <= this.#limits.halfOpenBytes;
  }

  /** The caller has made sure of the room. */
  add(session: Session): void {
    const ttl = session.expiresAt - this.#clock.now();
    this.#waiting.set(keyOf(session.connectionId), { session }, { ttl, size: session.bytes });
    this.#sweepLater();
  }

  /** The session has grown. Where that is past the table's bytes, new sessions wait for room; those that wait stay. */
  update(session: Session): void {
    const key = keyOf(session.connectionId);
    const current = this.#waiting.info(key)?.size;
    if (current === undefined || current === session.bytes) return;
    this.#waiting.set(key, { session }, { size: session.bytes });
  }

  /** Ends a session. */
  remove(session: Session): void {
    this.#waiting.delete(keyOf(session.connectionId));
  }

  /** Takes a session out, for its tombstone; its ID cannot be claimed again, nor opened. */
  claim(session: Session): void {
    const key = keyOf(session.connectionId);
    session.claimed = true;
    this.#waiting.delete(key);
    const ttl = Math.max(1, session.expiresAt - this.#clock.now());
    this.#claimed.set(key, true, { ttl });
    this.#sweepLater();
  }

  /** Ends every session that waits. */
  clear(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    this.#waiting.clear();
    this.#claimed.clear();
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.after(SWEEP_MS, () => {
      this.#sweep = undefined;
      this.#waiting.purgeStale();
      this.#claimed.purgeStale();
      if (this.#waiting.size > 0 || this.#claimed.size > 0) this.#sweepLater();
    });
  }
}

/** One character for each byte: Map keys compare by value. */
function keyOf(connectionId: Buffer): string {
  return connectionId.toString('latin1');
}
