/** Bars of one run: round trips of each case; and of runs beside each other. */
import type { Group, Run, Sweep } from '../model.js';
import type { Series } from '../series.js';
import { GROUP_NAMES, msText, type Row, ratioText, roundTripOf, roundTripsText, SWEEP_NAMES } from '../words.js';
import { type Bar, barChart, swatch } from './bars.js';
import type { Chart } from './chart.js';
import { RUN_COLOURS } from './style.js';

/** Below this part of the reference's time a case counts as faster: nearer, it is chance. */
const FASTER = 0.97;

const COLOUR_NAMES = {
  faster: 'faster than its reference',
  reference: 'reference',
  other: 'not faster',
} as const;

export function casesChart(run: Run, group: Group, rows: readonly Row[], name: string): Chart {
  const unit = roundTripOf(run) === undefined ? 'ms' : 'round trips';
  const bars = rows.map(({ result, summary }) => {
    const { ratio, roundTrips, median } = summary;
    const colour = result.reference === result.id ? 'reference' : (ratio ?? 1) < FASTER ? 'faster' : 'other';
    const value = unit === 'ms' ? median : roundTrips;
    const missing = result.missing === undefined ? 'no connection came about' : `not measured: ${result.missing}`;
    const text = unit === 'ms' ? msText(value ?? 0) : roundTripsText(value ?? 0);
    const compared = result.reference === result.id || ratio === undefined ? '' : `, ${ratioText(ratio)} ×`;
    const bar: Bar = { value, text: value === undefined ? missing : `${text}${compared}`, colour };
    return { title: result.title, bars: [bar] };
  });
  const used = (['reference', 'faster', 'other'] as const).filter((colour) =>
    bars.some(({ bars: [bar] }) => bar?.colour === colour && bar.value !== undefined),
  );
  return barChart({
    name,
    title: `${GROUP_NAMES[group]}: ${unit === 'ms' ? 'Time' : 'Round trips'} to the first byte`,
    unit,
    rows: bars,
    legend: used.map((colour) => ({ text: COLOUR_NAMES[colour], sample: swatch(colour) })),
  });
}

/** For each case a bar of each run. */
export function runsChart(sweep: Sweep, group: Group, runs: readonly Run[], series: readonly Series[]): Chart {
  const unit = runs.every((run) => roundTripOf(run) !== undefined) ? 'round trips' : 'ms';
  const rows = series.map(({ title, points }) => ({
    title,
    bars: points.map(({ summary, result }, index): Bar => {
      const value = unit === 'ms' ? summary?.median : summary?.roundTrips;
      const missing = result?.missing === undefined ? 'not measured' : `not measured: ${result.missing}`;
      const text = value === undefined ? missing : unit === 'ms' ? msText(value) : roundTripsText(value);
      return { value, text, colour: `r${index % RUN_COLOURS}` };
    }),
  }));
  return barChart({
    name: `${sweep}-${group}`,
    title: `${GROUP_NAMES[group]}: ${SWEEP_NAMES[sweep]}`,
    unit,
    rows,
    legend: runs.map(({ label }, index) => ({ text: label, sample: swatch(`r${index % RUN_COLOURS}`) })),
  });
}
