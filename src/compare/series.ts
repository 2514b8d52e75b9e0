/** Sweeps with an axis: each case as a series of points. */
import type { CaseResult, Group, Run, Sweep } from './model.js';
import { referenceOf, type Summary, summaryOf } from './statistics.js';

export const MEASURES = { median: 'median', p95: '95th percentile', p99: '99th percentile' } as const;

export type Measure = keyof typeof MEASURES;

/** What is told of each point; undefined: not a sweep with an axis. Where nothing is lost, the tail says nothing. */
export function measuresOf(sweep: Sweep): readonly Measure[] | undefined {
  if (sweep === 'round-trip') return ['median'];
  if (sweep === 'loss') return ['median', 'p95', 'p99'];
  return undefined;
}

export interface Series {
  id: string;
  title: string;
  isReference: boolean;
  /** One for each run. */
  points: Point[];
}

export interface Point {
  run: Run;
  /** Undefined where this run does not know the case. */
  result: CaseResult | undefined;
  summary: Summary | undefined;
}

/** Of runs of one sweep: the cases by group, in the order of their first appearance. */
export function seriesOf(runs: readonly Run[]): Map<Group, Series[]> {
  const ordered = runs.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0));
  const groups = new Map<Group, Series[]>();
  for (const { id, title, group, reference } of ordered.flatMap(({ results }) => results)) {
    const series = groups.get(group) ?? [];
    groups.set(group, series);
    if (series.some((each) => each.id === id)) continue;
    series.push({ id, title, isReference: reference === id, points: ordered.map((run) => pointOf(run, id)) });
  }
  return groups;
}

function pointOf(run: Run, id: string): Point {
  const result = run.results.find((each) => each.id === id);
  const summary = result && summaryOf(result, referenceOf(result, run.results), run.roundTripMs);
  return { run, result, summary };
}
