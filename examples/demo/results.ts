/** From timings to what is reported. */
import type { Contender, Link, Timing } from './contender.js';

export interface Result extends Timing {
  name: string;
  detail: string;
  /** To the first byte; undefined where no round trip is known. */
  roundTrips: number | undefined;
  /** Time to the first byte (to secure, where nothing was answered), compared with that of node:tls. */
  ratio: number;
  /** Of all runs, in ms, in their order. */
  totals: number[];
  /** Of all runs. */
  carriers: ('udp' | 'tcp')[];
}

/** Of each contender, in the order of its runs. */
export type Timings = Map<Contender, Timing[]>;

export interface Report {
  link: Pick<Link, 'kind' | 'title'> & { roundTripMs: number | undefined };
  node: string;
  runs: number;
  results: Result[];
}

/** Shorter ones cannot be told from what connecting costs the machine. */
const LEAST_ROUND_TRIP_MS = 5;

/** What a connection took in all. */
export function total({ firstByte, secure }: Timing): number {
  return firstByte ?? secure;
}

/** The first contender is the measure of the others. Each result is the run of median length, whole. */
export function summarize(link: Link, timings: Timings): Report {
  const medians = [...timings].map(([contender, all]) => ({ contender, all, median: medianOf(all) }));
  const reference = medians[0]?.median as Timing;
  const roundTripMs = link.roundTripMs ?? (link.kind === 'remote' ? roundTripOf(reference) : undefined);
  const title =
    link.roundTripMs === undefined && roundTripMs
      ? `${link.title}, round trip about ${Math.round(roundTripMs)} ms`
      : link.title;
  return {
    link: { kind: link.kind, title, roundTripMs },
    node: process.version,
    runs: timings.get(link.contenders[0] as Contender)?.length ?? 0,
    results: medians.map(({ contender: { name, detail }, all, median }) => ({
      name,
      detail,
      ...median,
      roundTrips: roundTripMs ? total(median) / roundTripMs : undefined,
      ratio: total(median) / total(reference),
      totals: all.map(total),
      carriers: all.map(({ carrier }) => carrier),
    })),
  };
}

/** TCP connects in one round trip; where that is next to nothing, so is what can be told from it, as of loopback. */
function roundTripOf({ tcpConnected = 0 }: Timing): number | undefined {
  return tcpConnected >= LEAST_ROUND_TRIP_MS ? tcpConnected : undefined;
}

function medianOf(timings: readonly Timing[]): Timing {
  const sorted = [...timings].sort((a, b) => total(a) - total(b));
  return sorted[Math.floor((sorted.length - 1) / 2)] as Timing;
}
