/** What the link does to packets, as far as it can be told without a clock and without a device: one direction's. */
import type { Conditions } from '../../../src/compare/model.js';
import { Random } from '../../../test/simulator/random.js';

export type Direction = 'to-server' | 'to-client';

export interface PassingPacket {
  protocol: 'tcp' | 'udp' | 'other';
  /** With all headers of IP. */
  bytes: number;
}

/** Where the rate is bounded: a packet that would have to wait longer for its turn is lost, as in a router. */
export const QUEUE_MAX_MS = 200;

/**
 * Says when a packet arrives. The meanings are those of `tc netem`, so that it does not matter which link there is:
 * jitter lets packets overtake each other; a reordered packet spends no delay at all, ahead of those that do; a
 * duplicate is delayed for itself.
 *
 * The packets of a direction are decided upon in their order, by a sequence that the seed and the direction give:
 * the same packets have the same fates in each run.
 */
export class Schedule {
  readonly #conditions: Conditions;
  readonly #random: Random;
  readonly #blocksUdp: boolean;
  /** When the last packet so far is wholly sent. */
  #freeAtMs = 0;

  constructor(direction: Direction, conditions: Conditions) {
    this.#conditions = conditions;
    this.#random = new Random(conditions.seed).fork(direction);
    this.#blocksUdp = conditions.udp === 'drop' || conditions.udp === `drop-${direction}`;
  }

  /** When the packet, which has come now, arrives on the other side; twice where it is duplicated, never where lost. */
  pass({ protocol, bytes }: PassingPacket, nowMs: number): number[] {
    const { loss, duplicate } = this.#conditions;
    // Drawn whatever becomes of the packet, so that one condition does not shift what the others do.
    const isLost = this.#random.chance(loss);
    const isDuplicated = this.#random.chance(duplicate);
    const delays = [this.#delayMs(), this.#delayMs()];
    if (isLost || (this.#blocksUdp && protocol === 'udp')) return [];
    return delays.slice(0, isDuplicated ? 2 : 1).flatMap((delayMs) => {
      const sentAtMs = this.#sentAtMs(bytes, nowMs);
      return sentAtMs === undefined ? [] : [sentAtMs + delayMs];
    });
  }

  #delayMs(): number {
    const { roundTripMs, jitterMs, reorder } = this.#conditions;
    const jitter = this.#random.next() * jitterMs;
    return this.#random.chance(reorder) ? 0 : roundTripMs / 2 + jitter;
  }

  /** When its last bit is sent, undefined where the queue is full. */
  #sentAtMs(bytes: number, nowMs: number): number | undefined {
    const { rateKbit } = this.#conditions;
    if (rateKbit === 0) return nowMs;
    const startMs = Math.max(nowMs, this.#freeAtMs);
    if (startMs - nowMs > QUEUE_MAX_MS) return undefined;
    this.#freeAtMs = startMs + (bytes * 8) / rateKbit;
    return this.#freeAtMs;
  }
}
