/** What tests of cases do with one. */
import type { Case, Prepared, Target } from '../../../src/compare/case.js';
import type { Phase, Sample } from '../../../src/compare/model.js';

const prepared = new Set<Prepared>();
/** A machine that is busy for some milliseconds is enough for TCP to be first. */
const SAMPLES_UNTIL_UDP = 20;

/** What Node says where another authority has signed: it depends on what the server sends. */
export const NOT_TRUSTED = ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'SELF_SIGNED_CERT_IN_CHAIN'];

/** Closed by `closePrepared`. */
export async function prepare(one: Case, target: Target): Promise<Prepared> {
  const ready = await one.prepare(target, new AbortController().signal);
  if ('missing' in ready) throw new Error(ready.missing);
  prepared.add(ready);
  return ready;
}

export async function closePrepared(): Promise<void> {
  for (const each of prepared) await each.close?.();
  prepared.clear();
}

export async function sampleOf(one: Case, target: Target): Promise<Sample> {
  return (await prepare(one, target)).once(new AbortController().signal);
}

/** The first one that UDP carried. */
export async function sampleOverUdp(one: Case, target: Target): Promise<Sample> {
  const ready = await prepare(one, target);
  for (let count = 0; count < SAMPLES_UNTIL_UDP; count++) {
    const sample = await ready.once(new AbortController().signal);
    if (sample.carrier === 'udp') return sample;
  }
  throw new Error('TCP carried all of them');
}

export async function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => {
      throw new Error('it came about');
    },
    (error) => error,
  );
}

/** Those that every client shows, in their order; `udp` comes and goes. */
export function phaseNames({ phases }: Sample): Phase['name'][] {
  return phases.map(({ name }) => name).filter((name) => name !== 'udp');
}

/** Each within the one after it, and all within the whole. */
export function inOrder({ ms, phases }: Sample): boolean {
  const times = [0, ...phases.map(({ atMs }) => atMs), ms];
  return times.every((time, index) => index === 0 || time >= (times[index - 1] as number));
}
