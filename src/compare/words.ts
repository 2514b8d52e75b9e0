/** Names and figures as people read them, the same in terminal and report. */
import type { CaseResult, Group, Run, Sweep } from './model.js';
import { referenceOf, type Summary, summaryOf } from './statistics.js';

export const GROUP_NAMES: Readonly<Record<Group, string>> = {
  echo: 'Echo',
  postgres: 'PostgreSQL',
  redis: 'Redis',
  https: 'HTTPS',
};

export const SWEEP_NAMES: Readonly<Record<Sweep, string>> = {
  cases: 'Every way to connect',
  'round-trip': 'Time against round trip',
  loss: 'Time against loss',
  udp: 'UDP blocked',
  certificate: 'Certificates',
  load: 'Server under load',
};

/** A result with its figures. */
export interface Row {
  result: CaseResult;
  summary: Summary;
}

/** The results of one run by group, in the order of the run. */
export function groupsOf(run: Run): Map<Group, Row[]> {
  const groups = new Map<Group, Row[]>();
  for (const result of run.results) {
    const rows = groups.get(result.group) ?? [];
    rows.push({ result, summary: summaryOf(result, referenceOf(result, run.results), run.roundTripMs) });
    groups.set(result.group, rows);
  }
  return groups;
}

/** Undefined as well where it takes no time that could be counted in. */
export function roundTripOf({ roundTripMs }: Run): number | undefined {
  return roundTripMs || undefined;
}

/** Titles of the cases that ratios compare with. */
export function referenceTitles(rows: readonly Row[]): string[] {
  const ids = new Set(rows.map(({ result }) => result.reference));
  return rows.filter(({ result }) => ids.has(result.id)).map(({ result }) => result.title);
}

/** ms, without the unit: 8.42, 50.3, 157, 1,052. */
export function msText(ms: number): string {
  if (ms < 10) return ms.toFixed(2);
  if (ms < 100) return ms.toFixed(1);
  return Math.round(ms).toLocaleString('en');
}

export function roundTripsText(roundTrips: number): string {
  return roundTrips.toFixed(2);
}

/** As few digits as a headline needs. */
export function shortRoundTrips(roundTrips: number): string {
  return roundTrips.toFixed(1);
}

export function ratioText(ratio: number): string {
  return ratio.toFixed(2);
}

/** `udp`, `tcp`, or `udp 28 of 30` where both were; empty where the client does not tell. */
export function carrierText({ carriers: { udp, tcp } }: Summary): string {
  if (udp > 0 && tcp > 0) return `udp ${udp} of ${udp + tcp}`;
  if (udp > 0) return 'udp';
  return tcp > 0 ? 'tcp' : '';
}

/** `3 failed: connection refused` for each message, most frequent first. */
export function failureTexts({ failures }: CaseResult): string[] {
  return failures
    .toSorted((one, other) => other.count - one.count)
    .map(({ message, count }) => `${count.toLocaleString('en')} failed: ${message}`);
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
