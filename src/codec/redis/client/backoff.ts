/** How long to wait before connecting again. */
import { randomInt } from 'node:crypto';
import type { RedisLimits } from '../limits.js';

/** `randomInt` takes no fractions. */
const STEPS = 1024;
/** 2 to the power of it is above any ratio of the longest wait to the first. */
const DOUBLINGS_MAX = 31;

/**
 * Exponential, with half of it left to chance: clients that lost the same server do not come back all at once.
 *
 * @param failures in a row, from 1
 * @returns ms
 */
export function backoffMs(failures: number, { reconnectMinMs, reconnectMaxMs }: RedisLimits): number {
  const ceiling = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(failures - 1, DOUBLINGS_MAX));
  return ceiling * (0.5 + randomInt(STEPS + 1) / STEPS / 2);
}
