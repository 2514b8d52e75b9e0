/** Each way in its turn, round after round; and what is told of it: medians, and ratios to node:tls of the same round. */
import { median } from '../measure.js';
import { type CpuOfBoth, type Way, ways } from './host.js';

/** Of one way in one round. */
export interface Sample {
  speed: number;
  /** For each connection, operation or MB. */
  cpu: CpuOfBoth;
}

export interface Cell {
  value: number;
  /** To node:tls, the median of the rounds' own ratios. */
  ratio?: number;
}

export interface Table {
  title: string;
  columns: readonly string[];
  rows: readonly { name: string; cells: readonly Cell[] }[];
}

export interface Pace {
  rounds: number;
  /** Connections in a round. */
  connections: number;
  /** Of one round of operations. */
  roundMs: number;
  /** In a round of bulk data. */
  megabytes: number;
  progress: (text: string) => void;
}

/** The first round warms up and does not count. */
export async function byTurns(
  { rounds, progress }: Pace,
  { title, unit, per, among }: { title: string; unit: string; per: string; among: readonly Way[] },
  measure: (way: Way) => Promise<Sample>,
): Promise<Table> {
  const samples = new Map<Way, Sample[]>(among.map((way) => [way, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < among.length; turn++) {
      const way = among[(round + turn) % among.length] as Way;
      progress(`${title}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}, ${ways[way]}`);
      const sample = await measure(way);
      if (round > 0) samples.get(way)?.push(sample);
    }
  }
  const reference = samples.get('tls') ?? [];
  const cell = (of: readonly Sample[], pick: (sample: Sample) => number): Cell => ({
    value: median(of.map(pick)),
    ratio: median(of.map((sample, round) => pick(sample) / pick(reference[round] as Sample))),
  });
  return {
    title,
    columns: [unit, `client CPU, µs/${per}`, `server CPU, µs/${per}`],
    rows: among.map((way) => {
      const of = samples.get(way) ?? [];
      const picks = [({ speed }: Sample) => speed, ({ cpu }: Sample) => cpu.client, ({ cpu }: Sample) => cpu.server];
      return { name: ways[way], cells: picks.map((pick) => cell(of, pick)) };
    }),
  };
}

export function perUnit({ client, server }: CpuOfBoth, units: number): CpuOfBoth {
  return { client: client / units, server: server / units };
}
