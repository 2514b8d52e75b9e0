/** What the samples of a case come to: the figures that table, JSON and report share. */
import type { CaseResult, Sample } from './model.js';

/** Of one case. What cannot be told is undefined: without samples all but the counts. */
export interface Summary {
  /** ms, with what starting a program takes. */
  median: number | undefined;
  p95: number | undefined;
  p99: number | undefined;
  /** Of the median, without what starting a program takes; undefined where the round trip is not known. */
  roundTrips: number | undefined;
  /** The median, p95 and p99, each divided by the reference's. */
  ratio: number | undefined;
  ratioP95: number | undefined;
  ratioP99: number | undefined;
  /** Connections whose first flights went over UDP, and over TCP; a client that does not tell counts in neither. */
  carriers: { udp: number; tcp: number };
  samples: number;
  failures: number;
}

/**
 * @param reference the result that ratios compare with; undefined: no ratios
 * @param roundTripMs undefined or 0: no round trips
 */
export function summaryOf(
  result: CaseResult,
  reference: CaseResult | undefined,
  roundTripMs: number | undefined,
): Summary {
  const own = figuresOf(result.samples);
  const other = figuresOf(reference?.samples ?? []);
  const { median, p95, p99 } = own;
  return {
    ...own,
    roundTrips: median !== undefined && roundTripMs ? (median - result.startMs) / roundTripMs : undefined,
    ratio: ratioOf(median, other.median),
    ratioP95: ratioOf(p95, other.p95),
    ratioP99: ratioOf(p99, other.p99),
    carriers: {
      udp: result.samples.filter(({ carrier }) => carrier === 'udp').length,
      tcp: result.samples.filter(({ carrier }) => carrier === 'tcp').length,
    },
    samples: result.samples.length,
    failures: failuresOf(result),
  };
}

/** How many connections did not come about. */
export function failuresOf({ failures }: CaseResult): number {
  return failures.reduce((sum, { count }) => sum + count, 0);
}

/** The case that ratios compare with, where it was measured in the same run. */
export function referenceOf(result: CaseResult, results: readonly CaseResult[]): CaseResult | undefined {
  return results.find(({ id }) => id === result.reference);
}

/** The sample that the median is of: for a picture of a usual connection. */
export function medianSample(samples: readonly Sample[]): Sample | undefined {
  const median = percentile(
    samples.map(({ ms }) => ms),
    50,
  );
  return samples.find(({ ms }) => ms === median);
}

/**
 * By nearest rank: the smallest of the values that at least so many per cent of them do not exceed. It is always one
 * that was measured, never one between two; of an even number the median is the lower of the two in the middle.
 *
 * @param per a whole number from 1 to 100
 */
export function percentile(values: readonly number[], per: number): number | undefined {
  return nearestRank(ascending(values), per);
}

function figuresOf(samples: readonly Sample[]): Pick<Summary, 'median' | 'p95' | 'p99'> {
  const sorted = ascending(samples.map(({ ms }) => ms));
  return { median: nearestRank(sorted, 50), p95: nearestRank(sorted, 95), p99: nearestRank(sorted, 99) };
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((one, other) => one - other);
}

function nearestRank(sorted: readonly number[], per: number): number | undefined {
  return sorted[Math.ceil((sorted.length * per) / 100) - 1];
}

function ratioOf(value: number | undefined, reference: number | undefined): number | undefined {
  return value !== undefined && reference ? value / reference : undefined;
}
