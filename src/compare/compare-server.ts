/** A server somewhere, measured in every way of its kind. */
import { isIP } from 'node:net';
import type { Case, Target } from './case.js';
import { allCases } from './cases/index.js';
import { thisMachine } from './machine.js';
import { type MeasureOptions, measure } from './measure.js';
import type { CaseResult, Report } from './model.js';
import { reach } from './reach.js';

export interface CompareOptions extends Pick<MeasureOptions, 'samples' | 'timeoutMs' | 'onProgress'> {
  signal: AbortSignal;
  /** What makes the report again. */
  command: string;
}

/** Below this the machine's own work is what shows, ms. */
const ROUND_TRIP_WORTH_SAVING_MS = 5;

/** Preparing a case takes a few connections, and the start of a program or two. */
const PREPARE_TIMEOUTS = 3;

/**
 * Rejects where the server cannot be reached.
 *
 * @param cases as `casesOf` gives them
 */
export async function compareServer(
  target: Target,
  cases: readonly Case[],
  { command, signal, samples, timeoutMs, onProgress }: CompareOptions,
): Promise<Report> {
  const date = new Date().toISOString();
  const { target: reached, tcpMs } = await reach(target, timeoutMs, signal);
  const results = await measure(cases, () => reached, {
    samples,
    timeoutMs,
    prepareTimeoutMs: PREPARE_TIMEOUTS * timeoutMs,
    signal,
    onProgress,
  });
  const isFar = tcpMs >= ROUND_TRIP_WORTH_SAVING_MS;
  return {
    version: 1,
    command,
    date,
    machine: thisMachine(),
    network: networkText(target, reached, tcpMs),
    runs: [{ sweep: 'cases', label: placeText(target), roundTripMs: isFar ? tcpMs : undefined, results }],
    notes: notesOf(results, { samples, tcpMs, isFar }),
  };
}

/**
 * The cases for a target, in their order.
 *
 * @param only ids, to which the cases are added that they are compared with; undefined: all
 * @throws Error for an id that there is not
 */
export function casesOf({ group }: Target, only?: readonly string[]): Case[] {
  const cases = allCases.filter((one) => one.group === group);
  if (only === undefined) return cases;
  const unknown = only.find((id) => !cases.some((one) => one.id === id));
  if (unknown !== undefined) {
    throw new Error(`'${unknown}' is none of the cases: ${cases.map(({ id }) => id).join(', ')}`);
  }
  const wanted = cases.filter(({ id }) => only.includes(id));
  return cases.filter(({ id }) => wanted.some((one) => one.id === id || one.reference === id));
}

function placeText({ address: { host, port } }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function networkText(target: Target, reached: Target, tcpMs: number): string {
  const place = isIP(target.address.host) ? '' : ` (${reached.address.host})`;
  return `${placeText(target)}${place}; TCP connects in ${tcpMs.toFixed(1)} ms`;
}

function notesOf(
  results: readonly CaseResult[],
  { samples, tcpMs, isFar }: { samples: number; tcpMs: number; isFar: boolean },
): string[] {
  const notes = [
    `Each connection from the client's first call to the first useful byte, cold; ${samples} of each case, by turns.`,
  ];
  notes.push(
    isFar
      ? 'A round trip is the median time in which TCP connected, measured before.'
      : `TCP connects in ${tcpMs.toFixed(1)} ms: there is no round trip worth saving here, and only times are told.`,
  );
  if (fellBack(results)) {
    notes.push(
      'Nothing answered over UDP in time: what is called turbo here was TLS over TCP. The server needs TurboTLS ' +
        '(turbotls gateway in front of it, say), and UDP must pass on the port that it has for TCP.',
    );
  }
  return notes;
}

function fellBack(results: readonly CaseResult[]): boolean {
  const turbo = results
    .filter(({ id }) => id.includes('turbo'))
    .flatMap(({ samples }) => samples)
    .filter(({ carrier }) => carrier !== undefined);
  return turbo.length > 0 && turbo.every(({ carrier }) => carrier !== 'udp');
}
