/**
 * A report as text, as wide as the terminal.
 *
 *   Every way to connect: 50 ms
 *
 *   Echo                    median   p95   p99   ratio   carrier   round trips
 *     node:tls                 157   159   161    1.00   tcp       3.10 ########
 *     turbo, first contact     107   108   110    0.68   udp       2.10 #####
 *     QUIC, @matrixai/quic   not measured: the npm package @matrixai/quic is not installed
 */
import type { CaseResult, Group, Report, Run } from './model.js';
import { MEASURES, type Measure, measuresOf, type Point, type Series, seriesOf } from './series.js';
import type { Summary } from './statistics.js';
import { bar, INK, paint, printable, shorten, type TerminalStyle } from './terminal.js';
import {
  carrierText,
  failureTexts,
  GROUP_NAMES,
  groupsOf,
  msText,
  type Row,
  ratioText,
  referenceTitles,
  roundTripOf,
  roundTripsText,
  SWEEP_NAMES,
} from './words.js';

const INDENT = 2;
const GAP = 2;
/** Of a title: with fewer columns left, its figures go to the next line. */
const MIN_TITLE = 20;
const MAX_TITLE = 48;
/** Of a column of a sweep. */
const MAX_HEAD = 10;
const MIN_BAR = 8;
const MAX_BAR = 24;

/** Above a figure and its bar; above the figure alone it is shortened. */
const TRIPS = 'round trips';

interface Column {
  head: string;
  cell: (summary: Summary) => string;
  align: 'left' | 'right';
}

const COLUMNS: readonly Column[] = [
  { head: 'median', cell: ({ median }) => known(median, msText), align: 'right' },
  { head: 'p95', cell: ({ p95 }) => known(p95, msText), align: 'right' },
  { head: 'p99', cell: ({ p99 }) => known(p99, msText), align: 'right' },
  { head: 'ratio', cell: ({ ratio }) => known(ratio, ratioText), align: 'right' },
  { head: 'carrier', cell: carrierText, align: 'left' },
  { head: TRIPS, cell: ({ roundTrips }) => known(roundTrips, roundTripsText), align: 'right' },
];

export function table(report: Report, style: TerminalStyle): string {
  const lines: string[] = [];
  for (const run of report.runs) {
    if (measuresOf(run.sweep)) continue;
    const heading = `${SWEEP_NAMES[run.sweep]}: ${printable(run.label)}`;
    lines.push('', paint(style, INK.bold, shorten(heading, style.width, style)));
    lines.push(...roundTripLine(run, style));
    for (const [group, rows] of groupsOf(run)) lines.push('', ...groupTable(group, rows, style));
  }
  for (const sweep of ['round-trip', 'loss'] as const) {
    const runs = report.runs.filter((run) => run.sweep === sweep);
    const measures = measuresOf(sweep) ?? [];
    for (const [group, series] of seriesOf(runs)) {
      for (const measure of measures) lines.push('', ...sweepTable(sweep, group, measure, series, style));
      lines.push(...missingLines(series, style));
    }
  }
  for (const note of report.notes) lines.push('', ...wrapped(printable(note).split(' '), style.width, ' '));
  return `${lines.slice(1).join('\n')}\n`;
}

function roundTripLine(run: Run, style: TerminalStyle): string[] {
  const roundTripMs = roundTripOf(run);
  if (roundTripMs === undefined) return [];
  return [paint(style, INK.faint, shorten(`A round trip takes ${msText(roundTripMs)} ms.`, style.width, style))];
}

function groupTable(group: Group, rows: readonly Row[], style: TerminalStyle): string[] {
  const columns = COLUMNS.filter(({ cell }) => rows.some(({ summary }) => cell(summary) !== ''));
  const measured = rows.filter(({ result }) => result.missing === undefined);
  const widths = columns.map(({ head, cell }) =>
    longest([head === TRIPS ? 'trips' : head, ...measured.map(({ summary }) => cell(summary))]),
  );
  const figures = widths.reduce((sum, width) => sum + GAP + width, 0);
  const titles = Math.min(MAX_TITLE, longest(rows.map(({ result }) => printable(result.title))));
  const room = style.width - INDENT - figures;
  const lines =
    room >= Math.min(MIN_TITLE, titles)
      ? wideRows(group, rows, columns, widths, Math.min(titles, room), style)
      : stackedRows(group, rows, columns, style);
  const references = referenceTitles(measured).map(printable);
  if (references.length > 0 && columns.some(({ head }) => head === 'ratio')) {
    const text = `Times in ms. Ratios compare medians with ${references.join(' and ')}.`;
    lines.push(paint(style, INK.faint, shorten(`  ${text}`, style.width, style)));
  }
  return lines;
}

function wideRows(
  group: Group,
  rows: readonly Row[],
  columns: readonly Column[],
  widths: readonly number[],
  titleWidth: number,
  style: TerminalStyle,
): string[] {
  const used = INDENT + titleWidth + widths.reduce((sum, width) => sum + GAP + width, 0);
  const most = Math.max(0, ...rows.map(({ summary }) => summary.roundTrips ?? 0));
  const barWidth = Math.min(MAX_BAR, style.width - used - 1);
  const tripsHead = barWidth < MIN_BAR ? 'trips' : TRIPS;
  const cells = (texts: readonly string[]) =>
    texts.map((text, index) => ' '.repeat(GAP) + pad(text, widths[index] ?? 0, columns[index]?.align)).join('');
  const heads = cells(columns.map(({ head }) => (head === TRIPS ? tripsHead : head)));
  const lines = [
    paint(style, INK.bold, GROUP_NAMES[group].padEnd(INDENT + titleWidth)) + paint(style, INK.faint, heads.trimEnd()),
  ];
  for (const { result, summary } of rows) {
    const title = `  ${shorten(printable(result.title), titleWidth, style).padEnd(titleWidth)}`;
    if (result.missing !== undefined) {
      lines.push(missingLine(`${title}  `, result.missing, style));
      continue;
    }
    const drawn =
      summary.roundTrips !== undefined && most > 0 && barWidth >= MIN_BAR
        ? ` ${paint(style, inkOf(result, summary), bar((summary.roundTrips / most) * barWidth, style))}`
        : '';
    lines.push((title + cells(columns.map(({ cell }) => cell(summary))) + drawn).trimEnd());
    lines.push(...failureLines(result, style));
  }
  return lines;
}

/** For narrow terminals: figures below the title, each with its name. */
function stackedRows(group: Group, rows: readonly Row[], columns: readonly Column[], style: TerminalStyle): string[] {
  const lines = [paint(style, INK.bold, GROUP_NAMES[group])];
  for (const { result, summary } of rows) {
    lines.push(shorten(`  ${printable(result.title)}`, style.width, style));
    if (result.missing !== undefined) {
      lines.push(missingLine('    ', result.missing, style));
      continue;
    }
    const texts = columns.map(({ head, cell }) => (cell(summary) === '' ? '' : `${head} ${cell(summary)}`));
    lines.push(...wrapped(texts.filter(Boolean), style.width - 2 * INDENT).map((line) => `    ${line}`));
    lines.push(...failureLines(result, style));
  }
  return lines;
}

/** Rows are cases, columns are points; as many blocks below each other as the width asks for. */
function sweepTable(
  sweep: 'round-trip' | 'loss',
  group: Group,
  measure: Measure,
  series: readonly Series[],
  style: TerminalStyle,
): string[] {
  const points = series[0]?.points ?? [];
  const heads = points.map(({ run }) => shorten(printable(run.label), MAX_HEAD, style));
  const text = ({ summary }: Point) => known(summary?.[measure], msText) || '-';
  const titles = longest(series.map(({ title }) => printable(title)));
  const most = Math.max(MIN_TITLE, Math.floor(style.width / 3));
  const titleWidth = Math.min(titles, MAX_TITLE, most, style.width - INDENT - GAP - MAX_HEAD);
  const widths = heads.map((head, index) =>
    longest([head, ...series.map(({ points }) => text(points[index] as Point))]),
  );
  const heading = `${SWEEP_NAMES[sweep]}: ${GROUP_NAMES[group]}, ${MEASURES[measure]}, ms`;
  const lines = [paint(style, INK.bold, shorten(heading, style.width, style))];
  for (const block of blocksOf(widths, style.width - INDENT - titleWidth)) {
    const cells = (texts: readonly string[]) =>
      block.map((index) => ' '.repeat(GAP) + pad(texts[index] ?? '', widths[index] ?? 0, 'right')).join('');
    lines.push(' '.repeat(INDENT + titleWidth) + paint(style, INK.faint, cells(heads)));
    for (const { title, points } of series) {
      const name = shorten(printable(title), titleWidth, style).padEnd(titleWidth);
      lines.push(`  ${name}${cells(points.map(text))}`);
    }
  }
  return lines;
}

/** Which columns stand beside each other. */
function blocksOf(widths: readonly number[], room: number): number[][] {
  const blocks: number[][] = [];
  let left = 0;
  for (const [index, width] of widths.entries()) {
    if (blocks.length === 0 || left < GAP + width) {
      blocks.push([]);
      left = room;
    }
    blocks.at(-1)?.push(index);
    left -= GAP + width;
  }
  return blocks;
}

function missingLines(series: readonly Series[], style: TerminalStyle): string[] {
  const lines = series.flatMap(({ title, points }) => {
    const reasons = new Set(points.map(({ result }) => result?.missing).filter((reason) => reason !== undefined));
    return [...reasons].map((reason) => missingLine(`  ${printable(title)}: `, reason, style));
  });
  const failures = series.flatMap(({ title, points }) =>
    points.flatMap(({ run, result }) =>
      (result === undefined ? [] : failureTexts(result)).map((text) =>
        paint(style, INK.red, shorten(printable(`  ${title}, ${run.label}: ${text}`), style.width, style)),
      ),
    ),
  );
  return [...lines, ...failures];
}

function missingLine(start: string, reason: string, style: TerminalStyle): string {
  return paint(style, INK.faint, shorten(`${start}not measured: ${printable(reason)}`, style.width, style));
}

function failureLines(result: CaseResult, style: TerminalStyle): string[] {
  return failureTexts(result).map((text) =>
    paint(style, INK.red, shorten(`      ${printable(text)}`, style.width, style)),
  );
}

function inkOf(result: CaseResult, { ratio }: Summary): number {
  return result.reference !== result.id && ratio !== undefined && ratio < 1 ? INK.green : INK.cyan;
}

function known(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? '' : text(value);
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  return align === 'left' ? text.padEnd(width) : text.padStart(width);
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

/** Parts are not broken unless one alone is too long. */
function wrapped(parts: readonly string[], width: number, gap = '  '): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const longer = `${last}${gap}${part}`;
    if (last !== undefined && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(part.slice(0, Math.max(1, width)));
  }
  return lines;
}
