/**
 * What is known of one backend: up, or down since when and until when it is left alone.
 *
 *     up ──a connection or a check fails──> down ──the backoff is over: one connection tries──> down, twice as long
 *      └<──────a connection or a check succeeds──────┘
 */
import type { HostAddress } from '../../transport.js';

/** How long a target is left alone after its first failure, ms; doubles with each further one. A restart takes about as long. */
export const BACKOFF_MIN_MS = 1_000;
/** The longest that a target is left alone, ms. */
export const BACKOFF_MAX_MS = 30_000;

type Health = { name: 'up' } | { name: 'down'; since: number; failures: number; retryAt: number };

const UP: Health = { name: 'up' };

export class Target {
  readonly address: HostAddress;
  /** Connections, with those that are being made. */
  connections = 0;
  lastError: Error | undefined;
  #health: Health = UP;

  constructor(address: HostAddress) {
    this.address = address;
  }

  get healthy(): boolean {
    return this.#health.name === 'up';
  }

  /** Whether its backoff is over. */
  isDue(now: number): boolean {
    return this.#health.name === 'down' && now >= this.#health.retryAt;
  }

  /** A connection tries it: others wait for what comes of that. */
  beginTrial(now: number): void {
    if (this.#health.name === 'down') this.#health = { ...this.#health, retryAt: now + backoff(this.#health.failures) };
  }

  /** @returns whether it was down */
  succeeded(): boolean {
    const wasDown = !this.healthy;
    this.#health = UP;
    this.lastError = undefined;
    return wasDown;
  }

  /**
   * @param begunAt when the attempt began: many that began together and fail together are one failure
   * @returns whether it was up
   */
  failed(error: Error, begunAt: number, now: number): boolean {
    this.lastError = error;
    const before = this.#health;
    if (before.name === 'down' && begunAt <= before.since) return false;
    const failures = before.name === 'down' ? before.failures + 1 : 1;
    this.#health = { name: 'down', since: now, failures, retryAt: now + backoff(failures) };
    return before.name === 'up';
  }
}

function backoff(failures: number): number {
  return Math.min(BACKOFF_MIN_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
}
