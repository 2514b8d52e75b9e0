/** What changes with the network: time against round trip and loss, and how times are distributed under loss. */
import type { Group } from '../model.js';
import { MEASURES, type Measure, type Series } from '../series.js';
import { failuresOf } from '../statistics.js';
import { capital, GROUP_NAMES, msText, SWEEP_NAMES } from '../words.js';
import type { Chart } from './chart.js';
import { type Axis, type Plot, plotGrid, seriesEntry, type XY } from './plot.js';
import { linearScale, logScale, logTicks, niceTicks } from './scale.js';

/** Where the largest is more times the smallest than this, a linear axis would press most against its start. */
const LOG_FROM = 6;
const WIDE = 600;
const MAX_TICKS = 6;
const PLOT_HEIGHT = 190;
const LARGE_PLOT_HEIGHT = 300;

/** A plot for each measure, on common axes. */
export function sweepChart(
  sweep: 'round-trip' | 'loss',
  group: Group,
  measures: readonly Measure[],
  series: readonly Series[],
): Chart {
  const pointsOf = (points: Series['points'], measure: Measure): XY[] =>
    points.flatMap(({ run, summary }) => {
      const value = summary?.[measure];
      return run.at === undefined || value === undefined ? [] : [[run.at, value] as const];
    });
  const drawn = measures.map((measure) => series.map(({ points }) => pointsOf(points, measure)));
  const x = sweep === 'loss' ? lossAxis(drawn.flat(2)) : roundTripAxis(drawn.flat(2));
  const tails = sweep === 'loss' ? [] : series.map(({ points }) => pointsOf(points, 'p95'));
  const y = timeAxis(
    sweep,
    [...drawn, tails].flat(2).map(([, value]) => value),
  );
  const plots = measures.map(
    (measure, row): Plot => ({
      title: sweep === 'loss' ? `${capital(MEASURES[measure])}, ms` : 'Median, and thin the 95th percentile, ms',
      x,
      y,
      lines: [
        ...tails.map((points, index) => ({ index, points, shape: 'thin' as const })),
        ...(drawn[row] ?? []).map((points, index) => ({ index, points, shape: 'marked' as const })),
      ],
    }),
  );
  const described = series.map(({ title, points }) => {
    const figures = points.map(({ run, summary }) => {
      const texts = measures.map((measure) => (summary?.[measure] === undefined ? '–' : msText(summary[measure])));
      return `${run.label} ${texts.join(' / ')}`;
    });
    return `${title}: ${figures.join(', ')}`;
  });
  const names = measures.map((measure) => MEASURES[measure]).join(', ');
  const entries = series.map(({ title }, index) => seriesEntry(index, title, 'marked'));
  return {
    name: `${sweep}-${group}`,
    title: `${GROUP_NAMES[group]}: ${SWEEP_NAMES[sweep]}`,
    description: `Lines: ${names}, in ms. ${described.join('. ')}.`,
    draw: (width) => {
      const columns = width >= WIDE ? plots.length : 1;
      return plotGrid(plots, entries, width, columns, columns === 1 && width >= WIDE ? LARGE_PLOT_HEIGHT : PLOT_HEIGHT);
    },
  };
}

/** For each loss which part of the connections was there after what time; those that failed never are. */
export function distributionChart(group: Group, series: readonly Series[]): Chart {
  const times = series.flatMap(({ points }) =>
    points.flatMap(({ result }) => result?.samples.map(({ ms }) => ms) ?? []),
  );
  const x: Axis = { label: 'ms', scale: logOf(times) };
  const y: Axis = {
    label: '',
    scale: (start, end) => linearScale(0, 1, start, end, [0, 0.25, 0.5, 0.75, 1]),
    text: (tick) => `${tick * 100} %`,
  };
  const runs = series[0]?.points.map(({ run }) => run) ?? [];
  const plots = runs.map((run, at): Plot => {
    const lines = series.map(({ points }, index) => {
      const result = points[at]?.result;
      const sorted = (result?.samples ?? []).map(({ ms }) => ms).sort((one, other) => one - other);
      const all = sorted.length + (result === undefined ? 0 : failuresOf(result));
      return { index, points: sorted.map((ms, rank) => [ms, (rank + 1) / all] as const), shape: 'steps' as const };
    });
    return { title: run.label, x, y, lines };
  });
  const entries = series.map(({ title }, index) => seriesEntry(index, title, 'steps'));
  return {
    name: `distribution-${group}`,
    title: `${GROUP_NAMES[group]}: Part of the connections that were there after so long`,
    description: `Cumulative distributions, for ${runs.map(({ label }) => label).join(', ')}. Their medians, 95th and 99th percentiles are those of the tables.`,
    draw: (width) => plotGrid(plots, entries, width, width >= WIDE ? 3 : 1, PLOT_HEIGHT),
  };
}

function roundTripAxis(points: readonly XY[]): Axis {
  const most = Math.max(0, ...points.map(([x]) => x));
  const ticks = niceTicks(most, MAX_TICKS);
  return {
    label: 'round trip, ms',
    scale: (start, end) => linearScale(0, ticks.at(-1) ?? most, start, end, ticks),
  };
}

function lossAxis(points: readonly XY[]): Axis {
  const most = Math.max(0, ...points.map(([x]) => x));
  const ticks = niceTicks(most * 100, MAX_TICKS - 1).map((tick) => tick / 100);
  return {
    label: 'loss each way',
    scale: (start, end) => linearScale(0, ticks.at(-1) ?? most, start, end, ticks),
    text: (tick) => `${Number((tick * 100).toPrecision(3))} %`,
  };
}

/** What grows in proportion to the round trip shows so on a linear axis alone. */
function timeAxis(sweep: 'round-trip' | 'loss', values: readonly number[]): Axis {
  const most = largest(values);
  if (sweep === 'loss' && most > LOG_FROM * smallest(values)) return { label: 'ms', scale: logOf(values) };
  const ticks = niceTicks(most, MAX_TICKS);
  return { label: 'ms', scale: (start, end) => linearScale(0, ticks.at(-1) ?? most, start, end, ticks) };
}

function logOf(values: readonly number[]): Axis['scale'] {
  const positive = values.filter((value) => value > 0);
  const ticks = logTicks(smallest(positive), largest(positive), MAX_TICKS + 2);
  return (start, end) => logScale(ticks[0] ?? 1, ticks.at(-1) ?? 10, start, end, ticks);
}

/** There may be more values than a call takes arguments. */
function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), values[0] ?? 1);
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), values[0] ?? 1);
}
