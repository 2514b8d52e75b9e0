/** Horizontal bars with their figures: one for each case, or one for each case and run. */
import { type Chart, type Drawing, type LegendEntry, LINE_HEIGHT, legend, TEXT_SIZE } from './chart.js';
import { type Markup, markup } from './markup.js';
import { linearScale, niceTicks, type Scale, tickText } from './scale.js';
import { fitted, textWidth } from './text-width.js';

export interface BarChart extends Omit<Chart, 'draw' | 'description'> {
  unit: 'round trips' | 'ms';
  rows: BarRow[];
  legend: LegendEntry[];
}

export interface BarRow {
  title: string;
  bars: Bar[];
}

export interface Bar {
  /** Undefined where there is none, and `text` says why. */
  value: number | undefined;
  text: string;
  /** Of the style: its colour. */
  colour: string;
}

/** From here on there is room for titles beside the bars. */
const BESIDE_MIN = 600;
const TITLE_MAX = 300;
const GAP = 16;
const BAR_HEIGHT = 16;
const GROUPED_HEIGHT = 11;
const GROUPED_GAP = 4;
/** Where a row has a bar for each run, its figures need the height of a line. */
const GROUPED_PITCH = GROUPED_HEIGHT + GROUPED_GAP;
const ROW_GAP = 14;
const MAX_TICKS = 10;

export function barChart({ rows, legend: entries, unit, ...rest }: BarChart): Chart {
  const described = rows.map(({ title, bars }) => `${title}: ${bars.map(({ text }) => text).join(', ')}`);
  return {
    ...rest,
    description: `Bars, in ${unit}. ${described.join('. ')}.`,
    draw: (width) => draw(rows, entries, unit, width),
  };
}

function draw(rows: readonly BarRow[], entries: readonly LegendEntry[], unit: string, width: number): Drawing {
  const beside = width >= BESIDE_MIN;
  const head = legend(entries, width);
  const titles = Math.min(TITLE_MAX, Math.max(...rows.map(({ title }) => textWidth(title, TEXT_SIZE))));
  const left = beside ? titles + GAP : 0;
  const texts = rows.flatMap(({ bars }) => bars.filter(({ value }) => value !== undefined).map(({ text }) => text));
  const right = width - GAP - Math.max(0, ...texts.map((text) => textWidth(text, TEXT_SIZE)));
  const most = Math.max(0, ...rows.flatMap(({ bars }) => bars.map(({ value }) => value ?? 0)));
  const scale = linearScale(0, most, left, right, ticksOf(most, unit));

  let y = head.height;
  const drawn: Markup[] = [];
  for (const { title, bars } of rows) {
    const grouped = bars.length > 1;
    const height = grouped ? bars.length * GROUPED_PITCH - GROUPED_GAP : BAR_HEIGHT;
    if (beside) {
      const shown = fitted(title, titles, TEXT_SIZE);
      drawn.push(markup`<text x="0" y="${y + (grouped ? GROUPED_HEIGHT / 2 : height / 2) + 4}">${shown}</text>`);
    } else {
      drawn.push(markup`<text class="halo" x="0" y="${y + TEXT_SIZE - 1}">${fitted(title, width, TEXT_SIZE)}</text>`);
      y += LINE_HEIGHT;
    }
    for (const [index, bar] of bars.entries()) {
      const barHeight = grouped ? GROUPED_HEIGHT : BAR_HEIGHT;
      drawn.push(...drawBar(bar, scale, y + (grouped ? index * GROUPED_PITCH : 0), barHeight, left, width));
    }
    y += height + ROW_GAP;
  }
  const bottom = y - ROW_GAP + 8;
  const ticks = scale.ticks.filter((tick) => scale.at(tick) <= right + 0.5);
  const grid = ticks.map(
    (tick) =>
      markup`<path class="${tick === 0 ? 'axis' : 'rule'}" d="M${scale.at(tick)} ${head.height - 6}V${bottom}"/>`,
  );
  const labels = ticks.map((tick) => {
    const anchor = tick === 0 && !beside ? '' : 'middle';
    return markup`<text class="muted ${anchor}" x="${scale.at(tick)}" y="${bottom + LINE_HEIGHT - 2}">${tickText(tick)}</text>`;
  });
  const unitAt = beside
    ? markup`<text class="muted" x="0" y="${bottom + LINE_HEIGHT - 2}">${unit}</text>`
    : markup`<text class="muted" x="0" y="${bottom + 2 * LINE_HEIGHT - 2}">${unit}</text>`;
  return {
    height: bottom + (beside ? 1 : 2) * LINE_HEIGHT + 4,
    body: markup`<g>${head.body}</g>${grid}${drawn}${labels}${unitAt}`,
  };
}

/** Every whole round trip has its line, while there is room. */
function ticksOf(most: number, unit: string): number[] {
  return niceTicks(most, MAX_TICKS, unit === 'ms' ? 0 : 1);
}

function drawBar(bar: Bar, scale: Scale, y: number, height: number, left: number, width: number): Markup[] {
  const { value, text, colour } = bar;
  const baseline = y + height / 2 + 4;
  if (value === undefined) {
    const shown = fitted(text, width - left - GAP, TEXT_SIZE);
    return [markup`<text class="muted halo" x="${left + 6}" y="${baseline}">${shown}</text>`];
  }
  const end = Math.max(scale.at(value), left + 1);
  return [
    markup`<rect class="${colour}" x="${left}" y="${y}" width="${end - left}" height="${height}" rx="2"/>`,
    markup`<text class="halo" x="${end + 6}" y="${baseline}">${text}</text>`,
  ];
}

export function swatch(colour: string): Markup {
  return markup`<rect class="${colour}" x="0" y="0" width="18" height="12" rx="2"/>`;
}
