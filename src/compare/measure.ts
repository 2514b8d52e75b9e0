/**
 * Runs cases by turns, so that what else the machine and the network do touches all alike:
 *
 *     prepare each ─► warm up each ─► round 1 ─► round 2 ─► … ─► close each
 *                                     └ each case once, in a new order
 *
 * A failure is a figure of its case and ends nothing.
 */
import { randomInt } from 'node:crypto';
import { messageOf } from '../gateway/message-of.js';
import type { Case, Missing, Prepared, Target } from './case.js';
import type { CaseResult, Group, Sample } from './model.js';
import { within } from './within.js';

export interface MeasureOptions {
  /** Connections of each case. */
  samples: number;
  /** Of each case before those that count: what runs for the first time runs slowly. Default 1. */
  warmUps?: number | undefined;
  /** Connections under way at a time, of different cases as far as there are. Default 1. */
  concurrency?: number | undefined;
  /** For one connection, ms: then it has failed. */
  timeoutMs: number;
  /** For preparing one case, ms. Default 60 s. */
  prepareTimeoutMs?: number | undefined;
  /** Ends it: what runs is ended, all is closed, and the promise rejects with its reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Around each connection that counts: whoever records what the network does begins before `run` and ends after. */
  around?: ((measured: Case, run: () => Promise<Sample>) => Promise<Sample>) | undefined;
}

export interface Progress {
  doing: 'preparing' | 'warming up' | 'measuring';
  case: Case;
  /** Steps that are over, of all: each preparation and each connection is one. */
  done: number;
  of: number;
}

/** Where the servers of a group are; Missing or undefined: there are none. */
export type TargetOf = (group: Group) => Target | Missing | undefined;

const PREPARE_TIMEOUT_MS = 60_000;

/** A case whose first connections all failed is not tried on: it would take its time limit each time. */
const GIVE_UP_AFTER = 3;

/** One case under measurement. */
interface Lane {
  case: Case;
  prepared: Prepared | undefined;
  result: CaseResult;
}

/** The results in the order of the cases. Rejects only when `options.signal` is aborted. */
export async function measure(
  cases: readonly Case[],
  targetOf: TargetOf,
  options: MeasureOptions,
): Promise<CaseResult[]> {
  const { samples, warmUps = 1, around = (_case, run) => run(), onProgress, signal } = options;
  const of = cases.length * (1 + warmUps + samples);
  let done = 0;
  const tell = (doing: Progress['doing'], lane: Lane) => onProgress?.({ doing, case: lane.case, done, of });
  const lanes = cases.map(laneOf);
  try {
    for (const lane of lanes) {
      tell('preparing', lane);
      await prepare(lane, targetOf, options);
      done++;
    }
    await byTurns(lanes, warmUps, options, async (lane) => {
      tell('warming up', lane);
      if (lane.prepared) await sampleOnce(lane.prepared, options).catch(() => {}); // it will show in those that count
      done++;
    });
    await byTurns(lanes, samples, options, async (lane) => {
      tell('measuring', lane);
      const { prepared, case: measured, result } = lane;
      if (prepared && !isGivenUp(result)) {
        await collect(result, () => around(measured, () => sampleOnce(prepared, options)));
      }
      done++;
    });
  } finally {
    await Promise.all(lanes.map(({ prepared }) => prepared?.close?.().catch(() => {})));
  }
  signal?.throwIfAborted();
  return lanes.map(({ result }) => result);
}

/** One connection, within its time limit. */
export function sampleOnce(
  prepared: Prepared,
  { timeoutMs, signal }: Pick<MeasureOptions, 'timeoutMs' | 'signal'>,
): Promise<Sample> {
  return within(timeoutMs, signal, `timed out: nothing useful within ${timeoutMs} ms`, (limit) => prepared.once(limit));
}

function laneOf(measured: Case): Lane {
  const { id, title, group, reference } = measured;
  return {
    case: measured,
    prepared: undefined,
    result: { id, title, group, reference, samples: [], failures: [], startMs: 0 },
  };
}

async function prepare(lane: Lane, targetOf: TargetOf, options: MeasureOptions): Promise<void> {
  const { prepareTimeoutMs = PREPARE_TIMEOUT_MS, signal } = options;
  signal?.throwIfAborted();
  const { case: measured, result } = lane;
  const target = targetOf(measured.group) ?? { missing: 'there is no server of this kind' };
  if ('missing' in target) {
    result.missing = target.missing;
    return;
  }
  try {
    const why = `not ready within ${prepareTimeoutMs} ms`;
    const prepared = await within(prepareTimeoutMs, signal, why, async (limit) => {
      const prepared = await measured.prepare(target, limit);
      if (limit.aborted && !('missing' in prepared)) await prepared.close?.(); // nobody waits for it any longer
      return prepared;
    });
    if ('missing' in prepared) {
      result.missing = prepared.missing;
    } else {
      lane.prepared = prepared;
      result.startMs = prepared.startMs ?? 0;
    }
  } catch (error) {
    signal?.throwIfAborted();
    result.missing = `it could not be prepared: ${messageOf(error)}`;
  }
}

/** `step` for each lane in each round; at most `concurrency` at a time, and each round in an order of its own. */
async function byTurns(
  lanes: readonly Lane[],
  rounds: number,
  { concurrency = 1, signal }: MeasureOptions,
  step: (lane: Lane) => Promise<void>,
): Promise<void> {
  const turns = turnsOf(lanes, rounds);
  const work = async () => {
    for (const lane of turns) {
      await step(lane);
      signal?.throwIfAborted();
    }
  };
  // All of them come to their end before anything is closed, whichever fails.
  const ended = await Promise.allSettled(Array.from({ length: concurrency }, work));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

function* turnsOf(lanes: readonly Lane[], rounds: number): Generator<Lane> {
  for (let round = 0; round < rounds; round++) yield* shuffled(lanes);
}

/** Fisher and Yates. */
function* shuffled<T>(values: readonly T[]): Generator<T> {
  const left = [...values];
  while (left.length > 0) yield* left.splice(randomInt(left.length), 1);
}

function isGivenUp({ samples, failures }: CaseResult): boolean {
  return samples.length === 0 && failures.reduce((sum, { count }) => sum + count, 0) >= GIVE_UP_AFTER;
}

async function collect({ samples, failures }: CaseResult, run: () => Promise<Sample>): Promise<void> {
  try {
    samples.push(await run());
  } catch (error) {
    const message = messageOf(error);
    const known = failures.find((failure) => failure.message === message);
    if (known) known.count++;
    else failures.push({ message, count: 1 });
  }
}
