/** What all charts are: a name, words for those who do not see it, and a drawing for a given width. */
import { type Markup, markup } from './markup.js';
import { CHART_STYLE, STANDALONE_STYLE } from './style.js';
import { fitted, textWidth } from './text-width.js';

export interface Chart {
  /** Unique in its report, and fit for a file's name. */
  name: string;
  title: string;
  /** What it shows, with its figures. */
  description: string;
  /** px; the same chart may be drawn for a telephone and for a desk. */
  draw(width: number): Drawing;
}

export interface Drawing {
  /** px */
  height: number;
  body: Markup | readonly Markup[];
}

/** px of each text in a chart. */
export const TEXT_SIZE = 12;
export const LINE_HEIGHT = 18;

/** For a page: one drawing for each width; the page's style shows the one that fits. */
export function inlineChart(chart: Chart, widths: { wide: number; narrow: number }): Markup[] {
  return (['wide', 'narrow'] as const).map((kind) => {
    const width = widths[kind];
    const { height, body } = chart.draw(width);
    const id = `${chart.name}-${kind}`;
    return markup`<svg class="chart ${kind}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-description"><title id="${id}-title">${chart.title}</title><desc id="${id}-description">${chart.description}</desc>${body}</svg>`;
  });
}

/** px around a chart that stands alone. */
const MARGIN = 24;
const TITLE_SIZE = 16;
const TITLE_HEIGHT = 40;

/** A file of its own, with its title, its own style and its own ground: what shows it may be dark where it is light. */
export function standaloneChart(chart: Chart, width: number): string {
  const inner = width - 2 * MARGIN;
  const { height, body } = chart.draw(inner);
  const whole = height + 2 * MARGIN + TITLE_HEIGHT;
  const title = fitted(chart.title, inner, TITLE_SIZE, 'bold');
  return `${
    markup`<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${width} ${whole}" width="${width}" height="${whole}" role="img" aria-labelledby="title description"><title id="title">${chart.title}</title><desc id="description">${chart.description}</desc><style>${STANDALONE_STYLE}${CHART_STYLE}</style><rect class="ground" width="${width}" height="${whole}" rx="8"/><text class="title" x="${MARGIN}" y="${MARGIN + TITLE_SIZE - 2}">${title}</text><g transform="translate(${MARGIN} ${MARGIN + TITLE_HEIGHT})">${body}</g></svg>`
      .text
  }\n`;
}

export interface LegendEntry {
  text: string;
  /** About 20 px wide, 12 px high, from 0,0. */
  sample: Markup;
}

const SAMPLE_WIDTH = 28;
const ENTRY_GAP = 20;
/** Letters reach so far above the samples, px. */
const ASCENT = 3;

/** Rows of entries, as many beside each other as the width allows. Its height ends with space below. */
export function legend(entries: readonly LegendEntry[], width: number): Drawing {
  let x = 0;
  let y = ASCENT;
  const body = entries.map(({ text, sample }) => {
    const shown = fitted(text, width - SAMPLE_WIDTH, TEXT_SIZE);
    const length = SAMPLE_WIDTH + textWidth(shown, TEXT_SIZE);
    if (x > 0 && x + length > width) {
      x = 0;
      y += LINE_HEIGHT + 2;
    }
    const entry = markup`<g transform="translate(${x} ${y})">${sample}<text x="${SAMPLE_WIDTH}" y="10">${shown}</text></g>`;
    x += length + ENTRY_GAP;
    return entry;
  });
  return { height: entries.length > 0 ? y + LINE_HEIGHT + 14 : 0, body };
}
