/** A plot: axes, and lines of series in them; and several plots beside each other. */
import { type Drawing, type LegendEntry, LINE_HEIGHT, legend, TEXT_SIZE } from './chart.js';
import { type Markup, markup } from './markup.js';
import { type Scale, tickText } from './scale.js';
import { SERIES_COLOURS } from './style.js';
import { fitted, textWidth } from './text-width.js';

export type XY = readonly [x: number, y: number];

export interface Line {
  /** Which series: its colour and its mark. */
  index: number;
  points: readonly XY[];
  /** From point to point with a mark at each, or thin and without; or along steps as those of a distribution. */
  shape: 'marked' | 'thin' | 'steps';
}

export interface Axis {
  label: string;
  scale: (start: number, end: number) => Scale;
  text?: (tick: number) => string;
}

export interface Plot {
  title: string;
  x: Axis;
  y: Axis;
  lines: readonly Line[];
}

const LEFT = 46;
const RIGHT = 12;
const TITLE = 32;
const BOTTOM = 44;
const COLUMN_GAP = 28;
const ROW_GAP = 28;
/** Labels on the x axis are left out where they would come nearer. */
const LABEL_GAP = 4;
/** Of a step's points those nearer than this cannot be told apart, px. */
const STEP_MIN = 0.7;

/** Plots in a grid below their common legend. */
export function plotGrid(
  plots: readonly Plot[],
  entries: readonly LegendEntry[],
  width: number,
  columns: number,
  plotHeight: number,
): Drawing {
  const head = legend(entries, width);
  const plotWidth = (width - (columns - 1) * COLUMN_GAP) / columns;
  const height = TITLE + plotHeight + BOTTOM;
  const body = plots.map((plot, index) => {
    const x = (index % columns) * (plotWidth + COLUMN_GAP);
    const y = head.height + Math.floor(index / columns) * (height + ROW_GAP);
    return markup`<g transform="translate(${x} ${y})">${drawPlot(plot, plotWidth, plotHeight)}</g>`;
  });
  const rows = Math.ceil(plots.length / columns);
  return { height: head.height + rows * (height + ROW_GAP) - ROW_GAP, body: markup`<g>${head.body}</g>${body}` };
}

function drawPlot({ title, x, y, lines }: Plot, width: number, height: number): Markup {
  const right = width - RIGHT;
  const top = TITLE;
  const bottom = TITLE + height;
  const across = x.scale(LEFT, right);
  const up = y.scale(bottom, top);
  const rules = up.ticks.map(
    (tick, index) => markup`<path class="${index === 0 ? 'axis' : 'rule'}" d="M${LEFT} ${up.at(tick)}H${right}"/>`,
  );
  const yTexts = up.ticks.map(
    (tick) =>
      markup`<text class="muted end" x="${LEFT - 8}" y="${up.at(tick) + 4}">${(y.text ?? tickText)(tick)}</text>`,
  );
  // The first is drawn last, on top: what all else is compared with.
  const drawn = lines
    .toReversed()
    .map((line) => (line.shape === 'steps' ? drawSteps(line, across, up, bottom) : drawPoints(line, across, up)));
  return markup`<text class="strong" x="0" y="12">${fitted(title, width, TEXT_SIZE, 'bold')}</text>${rules}${yTexts}${xTexts(x, across, bottom, right)}<text class="muted end" x="${right}" y="${bottom + 18 + LINE_HEIGHT}">${x.label}</text>${drawn}`;
}

function xTexts({ text = tickText }: Axis, scale: Scale, bottom: number, right: number): Markup[] {
  const drawn: Markup[] = [];
  let taken = Number.NEGATIVE_INFINITY;
  for (const tick of scale.ticks) {
    const label = text(tick);
    const half = textWidth(label, TEXT_SIZE) / 2;
    const at = Math.min(scale.at(tick), right + RIGHT - half);
    if (at - half < taken + LABEL_GAP) continue;
    taken = at + half;
    drawn.push(
      markup`<path class="axis" d="M${scale.at(tick)} ${bottom}v4"/><text class="muted middle" x="${at}" y="${bottom + 18}">${label}</text>`,
    );
  }
  return drawn;
}

function drawPoints({ index, points, shape }: Line, x: Scale, y: Scale): Markup {
  if (points.length === 0) return markup``;
  const places = points.map(([across, up]) => [x.at(across), y.at(up)] as const);
  const path = places
    .map(([across, up], at) => `${at === 0 ? 'M' : 'L'}${across.toFixed(1)} ${up.toFixed(1)}`)
    .join('');
  if (shape === 'thin') return markup`<path class="thin s${index % SERIES_COLOURS}" d="${path}"/>`;
  return markup`<path class="line s${index % SERIES_COLOURS} ${dashOf(index)}" d="${path}"/>${places.map(([across, up]) => mark(index, across, up))}`;
}

function drawSteps({ index, points }: Line, x: Scale, y: Scale, bottom: number): Markup {
  const first = points[0];
  if (first === undefined) return markup``;
  let lastX = x.at(first[0]);
  let lastY = bottom;
  let path = `M${lastX.toFixed(1)} ${lastY.toFixed(1)}`;
  for (const [at, point] of points.entries()) {
    const nextX = x.at(point[0]);
    const nextY = y.at(point[1]);
    const isLast = at === points.length - 1;
    if (!isLast && Math.abs(nextX - lastX) < STEP_MIN && Math.abs(nextY - lastY) < STEP_MIN) continue;
    path += `H${nextX.toFixed(1)}V${nextY.toFixed(1)}`;
    lastX = nextX;
    lastY = nextY;
  }
  return markup`<path class="step s${index % SERIES_COLOURS} ${dashOf(index)}" d="${path}"/>`;
}

/** Where colours repeat. */
function dashOf(index: number): string {
  return index >= SERIES_COLOURS ? 'dashed' : '';
}

const MARKS = [
  'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z',
  'M-3.2 -3.2h6.4v6.4h-6.4z',
  'M0 -4.6L4.3 3.2H-4.3z',
  'M0 -4.6L4.6 0L0 4.6L-4.6 0z',
  'M0 4.6L4.3 -3.2H-4.3z',
] as const;

function mark(index: number, x: number, y: number): Markup {
  const shape = MARKS[index % MARKS.length] as string;
  return markup`<path class="m${index % SERIES_COLOURS}" transform="translate(${x} ${y})" d="${shape}"/>`;
}

export function seriesEntry(index: number, text: string, shape: Line['shape']): LegendEntry {
  const line = markup`<path class="line s${index % SERIES_COLOURS} ${dashOf(index)}" d="M0 6H20"/>`;
  return { text, sample: shape === 'steps' ? line : markup`${line}${mark(index, 10, 6)}` };
}
