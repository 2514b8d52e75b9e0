/** `workers`: how many processes serve, and what that does to limits. */
import { availableParallelism } from 'node:os';
import type { Section } from './section.js';

/** More processes than a machine has cores are of no use, and each has tens of MB. */
const WORKERS_MAX = 256;

export function workersFrom(gateway: Section): number | undefined {
  const text = gateway.text('workers');
  if (text === undefined) return undefined;
  if (text === 'auto') return Math.min(WORKERS_MAX, availableParallelism());
  const workers = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (workers >= 1 && workers <= WORKERS_MAX) return workers;
  const found = JSON.stringify(text.slice(0, 40));
  gateway.at('workers').error(`must be a whole number from 1 to ${WORKERS_MAX}, or "auto", not ${found}`);
  return undefined;
}

/** Each worker has its share of a limit, and no share is less than 1. */
export function warnOfSmallLimits(gateway: Section, workers: number): void {
  const limited = [
    { limits: gateway.section('limits'), names: ['connections'] },
    ...gateway
      .sections('routes')
      .map((route) => ({ limits: route.section('limits'), names: ['connections', 'connectionsPerSource'] })),
  ];
  for (const { limits, names } of limited) {
    for (const name of names) {
      if ((limits.count(name) ?? workers) >= workers) continue;
      limits.at(name).warn(`is less than there are workers: each takes 1, which is ${workers} in all`);
    }
  }
}
