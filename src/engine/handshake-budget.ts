/**
 * Handshakes over UDP get at most a share of a core while the event loop is busy, so that they are shed before TCP is:
 * a client that gets no answer goes on over TCP, where its address is validated.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import type { Clock } from '../platform/clock.js';

/** The event loop counts as busy when it was idle for less than a fifth of the time. */
const BUSY_UTILIZATION = 0.8;
const WINDOW_MS = 100;
/** The bucket holds the share of one second. */
const BUCKET_MS = 1000;

export class HandshakeBudget {
  readonly #share: number;
  readonly #clock: Clock;
  #tokensMs: number;
  #refilledAt: number;
  #measured: EventLoopUtilization = performance.eventLoopUtilization();
  #measuredAt: number;
  #busy = false;

  constructor(share: number, clock: Clock) {
    this.#share = share;
    this.#clock = clock;
    this.#tokensMs = share * BUCKET_MS;
    this.#refilledAt = this.#measuredAt = clock.now();
  }

  /** Whether another handshake may begin. */
  allows(): boolean {
    const now = this.#clock.now();
    this.#tokensMs = Math.min(this.#share * BUCKET_MS, this.#tokensMs + (now - this.#refilledAt) * this.#share);
    this.#refilledAt = now;
    return this.#tokensMs > 0 || !this.#loopIsBusy(now);
  }

  /** Charges the time that a handshake's first flight took; the debt is one bucket at most. */
  charge(ms: number): void {
    this.#tokensMs = Math.max(-this.#share * BUCKET_MS, this.#tokensMs - ms);
  }

  #loopIsBusy(now: number): boolean {
    if (now - this.#measuredAt >= WINDOW_MS) {
      const current = performance.eventLoopUtilization();
      this.#busy = performance.eventLoopUtilization(current, this.#measured).utilization > BUSY_UTILIZATION;
      this.#measured = current;
      this.#measuredAt = now;
    }
    return this.#busy;
  }
}
