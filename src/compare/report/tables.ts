/** The figures beside the charts. */
import { MEASURES, type Measure, type Point, type Series } from '../series.js';
import type { Summary } from '../statistics.js';
import {
  capital,
  carrierText,
  failureTexts,
  msText,
  type Row,
  ratioText,
  referenceTitles,
  roundTripsText,
} from '../words.js';
import { type Markup, markup } from './markup.js';
import { marksOf, type TimeAxis, timeText, unitOf, type Waterfall } from './waterfall.js';

interface Column {
  head: string;
  cell: (summary: Summary) => string;
  align?: 'left';
}

const COLUMNS: readonly Column[] = [
  { head: 'median', cell: ({ median }) => known(median, msText) },
  { head: 'p95', cell: ({ p95 }) => known(p95, msText) },
  { head: 'p99', cell: ({ p99 }) => known(p99, msText) },
  { head: 'round trips', cell: ({ roundTrips }) => known(roundTrips, roundTripsText) },
  { head: 'ratio', cell: ({ ratio }) => known(ratio, ratioText) },
  { head: 'carrier', cell: carrierText },
  { head: 'failures', cell: ({ failures }) => (failures > 0 ? failures.toLocaleString('en') : '') },
];

export function casesTable(rows: readonly Row[]): Markup {
  const columns = COLUMNS.filter(({ cell }) => rows.some(({ summary }) => cell(summary) !== ''));
  const body = rows.map(({ result, summary }) => {
    const cells =
      result.missing === undefined
        ? columns.map(({ head, cell }) => dataCell(head, cell(summary)))
        : [
            markup`<td role="cell" class="left" colspan="${Math.max(1, columns.length)}">not measured: ${result.missing}</td>`,
          ];
    const isReference = rows.some((row) => row.result !== result && row.result.reference === result.id);
    return tableRow(result.title, cells, isReference);
  });
  const titles = referenceTitles(rows);
  const compared = titles.length > 0 ? ` Ratios compare medians with ${titles.join(' and ')}.` : '';
  return markup`${tableOf(
    `Connections from their start to the first byte, in ms.${compared}`,
    columns.map(({ head }) => head),
    body,
  )}${failureList(rows.flatMap(({ result }) => failureTexts(result).map((text) => `${result.title}: ${text}`)))}`;
}

/** Cases in rows, points in columns. */
export function sweepTable(measure: Measure, series: readonly Series[]): Markup {
  return pointsTable(`${capital(MEASURES[measure])}, ms`, series, ({ summary }) => known(summary?.[measure], msText));
}

/** As `sweepTable` for runs that have no axis: median and round trips of each. */
export function runsTable(series: readonly Series[]): Markup {
  return pointsTable('Median in ms, and round trips', series, ({ summary }) =>
    [known(summary?.median, msText), known(summary?.roundTrips, roundTripsText)].filter(Boolean).join(' · '),
  );
}

/** What was not measured or failed in a sweep, each said once. */
export function problemsOf(series: readonly Series[]): Markup {
  const texts = new Set<string>();
  for (const { title, points } of series) {
    for (const { result } of points) if (result?.missing) texts.add(`${title}: not measured: ${result.missing}`);
    for (const { run, result } of points) {
      if (result) for (const text of failureTexts(result)) texts.add(`${title}, ${run.label}: ${text}`);
    }
  }
  return failureList([...texts]);
}

/** What a waterfall shows, packet by packet. */
export function packetsTable(waterfall: Waterfall, axis: TimeAxis): Markup {
  const { packets, startsAtMs } = waterfall;
  const time = (atMs: number | undefined) => (atMs === undefined ? 'lost' : timeText(atMs - startsAtMs, axis));
  const reached = marksOf(waterfall).map(({ name, atMs }) => `${name} at ${time(atMs)}`);
  if (packets.length === 0) return markup``;
  const heads = ['sent', 'arrived', 'what', 'bytes'];
  const body = packets.map(({ from, protocol, sentAtMs, arrivedAtMs, label, bytes }) =>
    tableRow(
      `${from}, ${protocol.toUpperCase()}`,
      [time(sentAtMs), time(arrivedAtMs), label, bytes.toLocaleString('en')].map((text, index) =>
        dataCell(heads[index] ?? '', text),
      ),
    ),
  );
  return markup`<details><summary>Every packet</summary>${tableOf(`In ${unitOf(axis)}: ${reached.join(', ')}.`, heads, body)}</details>`;
}

function pointsTable(caption: string, series: readonly Series[], text: (point: Point) => string): Markup {
  const heads = series[0]?.points.map(({ run }) => run.label) ?? [];
  const body = series.map(({ title, points }) =>
    tableRow(
      title,
      points.map((point, index) => dataCell(heads[index] ?? '', text(point) || '–')),
    ),
  );
  return tableOf(caption, heads, body);
}

/** Roles are said, for on a telephone the style shows rows as blocks, and browsers then forget that it is a table. */
function tableOf(caption: string, heads: readonly string[], body: readonly Markup[]): Markup {
  const cells = heads.map((head) => markup`<th role="columnheader" scope="col">${head}</th>`);
  return markup`<table role="table"><caption>${caption}</caption><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">case</th>${cells}</tr></thead><tbody role="rowgroup">${body}</tbody></table>`;
}

function tableRow(title: string, cells: readonly Markup[], isReference = false): Markup {
  return markup`<tr role="row" class="${isReference ? 'reference' : ''}"><th role="rowheader" scope="row">${title}</th>${cells}</tr>`;
}

function dataCell(head: string, text: string): Markup {
  return markup`<td role="cell" data-label="${head}">${text}</td>`;
}

function failureList(texts: readonly string[]): Markup {
  return texts.length === 0
    ? markup``
    : markup`<ul class="problems">${texts.map((text) => markup`<li>${text}</li>`)}</ul>`;
}

function known(value: number | undefined, text: (value: number) => string): string {
  return value === undefined ? '' : text(value);
}
