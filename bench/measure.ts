/** What a benchmark gives: a figure for each transport from interleaved rounds, and their ratio. */

export interface Figure {
  name: string;
  unit: string;
  /** Medians over the rounds. */
  tls?: number;
  turbo: number;
  /** turbo / tls, the median of the rounds' own ratios. */
  ratio?: number;
  /** What the figure should be better than, for the reader. */
  aim?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Runs both sides by turns, so that what the machine does meanwhile hits both. */
export async function byTurns(
  rounds: number,
  measure: (transport: 'tls' | 'turbo') => Promise<number>,
): Promise<{ tls: number; turbo: number; ratio: number }> {
  const tls: number[] = [];
  const turbo: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 ? (['turbo', 'tls'] as const) : (['tls', 'turbo'] as const);
    for (const transport of order) (transport === 'tls' ? tls : turbo).push(await measure(transport));
  }
  return { tls: median(tls), turbo: median(turbo), ratio: median(turbo.map((value, i) => value / (tls[i] as number))) };
}
