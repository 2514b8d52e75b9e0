/** What a report has to show, in its order: charts, and the tables beside them. */
import type { Group, Report, Run, Sweep } from '../model.js';
import { type Measure, measuresOf, type Series, seriesOf } from '../series.js';
import { medianSample } from '../statistics.js';
import { GROUP_NAMES, groupsOf, msText, type Row, roundTripOf, SWEEP_NAMES } from '../words.js';
import type { Chart } from './chart.js';
import type { Markup } from './markup.js';
import { casesChart, runsChart } from './run-charts.js';
import { distributionChart, sweepChart } from './sweep-charts.js';
import { casesTable, packetsTable, problemsOf, runsTable, sweepTable } from './tables.js';
import { timeAxisOf, timeText, unitOf, waterfallChart, waterfallOf } from './waterfall.js';

export interface Section {
  title: string;
  text: string;
  groups: GroupSection[];
}

export interface GroupSection {
  title: string;
  charts: Chart[];
  tables: Markup[];
  ladders: Ladder[];
}

export interface Ladder {
  /** Without legend: one serves all of a page. */
  onPage: Chart;
  alone: Chart;
  hasPackets: boolean;
  /** How long it took. */
  value: string;
  packets: Markup;
}

const SWEEP_TEXTS: Readonly<Record<Sweep, string>> = {
  cases: 'From the first call to the first useful byte, each time a new connection. Lines stand at whole round trips.',
  'round-trip': 'What is measured in round trips grows with them; what is not stays.',
  loss: 'A lost packet is missed only when time has passed: a lost SYN costs TCP a whole second.',
  udp: 'Where UDP does not pass, what remains is TLS over TCP.',
  certificate: 'What the server has to send, and to compute, for each kind of certificate.',
  load: 'The same connections while the server is busy with others.',
};

const ORDER: readonly Sweep[] = ['round-trip', 'loss', 'udp', 'certificate', 'load'];

export function sectionsOf(report: Report): Section[] {
  const cases = report.runs.filter(({ sweep }) => sweep === 'cases');
  const sections = cases.map((run, index) => casesSection(run, index));
  for (const sweep of ORDER) {
    const runs = report.runs.filter((run) => run.sweep === sweep);
    if (runs.length > 0) sections.push(sweepSection(sweep, runs));
  }
  return named(sections);
}

function casesSection(run: Run, index: number): Section {
  const suffix = index === 0 ? '' : `-${index + 1}`;
  const roundTripMs = roundTripOf(run);
  const trip = roundTripMs === undefined ? '' : ` A round trip takes ${msText(roundTripMs)} ms.`;
  return {
    title: `${SWEEP_NAMES.cases}: ${run.label}`,
    text: `${SWEEP_TEXTS.cases}${trip}`,
    groups: [...groupsOf(run)].map(([group, rows]) => ({
      title: GROUP_NAMES[group],
      charts: [casesChart(run, group, rows, `round-trips-${group}${suffix}`)],
      tables: [casesTable(rows)],
      ladders: laddersOf(run, rows, suffix),
    })),
  };
}

function laddersOf(run: Run, rows: readonly Row[], suffix: string): Ladder[] {
  const waterfalls = rows.flatMap(({ result }) => waterfallOf(result, medianSample(result.samples)) ?? []);
  const axis = timeAxisOf(waterfalls, roundTripOf(run));
  return waterfalls.map((waterfall) => {
    const onPage = waterfallChart(waterfall, axis, false);
    const alone = waterfallChart(waterfall, axis, true);
    const name = `${onPage.name}${suffix}`;
    const length = waterfall.sample.ms - waterfall.startsAtMs;
    return {
      onPage: { ...onPage, name },
      alone: { ...alone, name, title: `${GROUP_NAMES[waterfall.result.group]}: ${alone.title}` },
      hasPackets: waterfall.packets.length > 0,
      value: `${timeText(length, axis)} ${unitOf(axis)}`,
      packets: packetsTable(waterfall, axis),
    };
  });
}

function sweepSection(sweep: Sweep, runs: readonly Run[]): Section {
  const groups = [...seriesOf(runs)].flatMap(([group, series]) =>
    groupOf(sweep, group, runs, inOrderOfColours(series)),
  );
  return { title: SWEEP_NAMES[sweep], text: SWEEP_TEXTS[sweep], groups };
}

function groupOf(sweep: Sweep, group: Group, runs: readonly Run[], series: readonly Series[]): GroupSection {
  const title = GROUP_NAMES[group];
  const measures = measuresOf(sweep);
  if (measures === undefined || (sweep !== 'loss' && sweep !== 'round-trip')) {
    return {
      title,
      charts: [runsChart(sweep, group, runs, series)],
      tables: [runsTable(series), problemsOf(series)],
      ladders: [],
    };
  }
  const tabled: readonly Measure[] = sweep === 'loss' ? measures : ['median', 'p95'];
  const charts = [sweepChart(sweep, group, measures, series)];
  if (sweep === 'loss') charts.push(distributionChart(group, series));
  return {
    title,
    charts,
    tables: [...tabled.map((measure) => sweepTable(measure, series)), problemsOf(series)],
    ladders: [],
  };
}

/** The reference, then what goes over UDP, then the others: so that each has the same colour everywhere. */
function inOrderOfColours(series: readonly Series[]): Series[] {
  return series.toSorted((one, other) => rankOf(one) - rankOf(other));
}

function rankOf({ isReference, points }: Series): number {
  if (isReference) return 0;
  return points.some(({ summary }) => summary !== undefined && summary.carriers.udp > summary.carriers.tcp) ? 1 : 2;
}

/** Names of charts become names of files and of elements: nothing else may be in them, and none twice. */
function named(sections: Section[]): Section[] {
  const taken = new Set<string>();
  const rename = <T extends Chart>(chart: T): T => {
    const plain = chart.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    let name = plain;
    for (let count = 2; taken.has(name); count++) name = `${plain}-${count}`;
    taken.add(name);
    return { ...chart, name };
  };
  return sections.map((section) => ({
    ...section,
    groups: section.groups.map((group) => ({
      ...group,
      charts: group.charts.map(rename),
      ladders: group.ladders.map((ladder) => {
        const onPage = rename(ladder.onPage);
        return { ...ladder, onPage, alone: { ...ladder.alone, name: onPage.name } };
      }),
    })),
  }));
}
