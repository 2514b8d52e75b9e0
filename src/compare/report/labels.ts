/** Labels along a line, each above (or below) its place, on as many levels as it takes for none to touch another. */
import { TEXT_SIZE } from './chart.js';
import { textWidth } from './text-width.js';

export interface Label {
  x: number;
  text: string;
}

export interface PlacedLabel extends Label {
  /** Where the text begins: beside its place, or further left where it would leave the drawing. */
  textX: number;
  /** 0 is next to the line. */
  level: number;
}

/** Between a label's place and its text. */
const ASIDE = 3;
const GAP = 8;

/**
 * From right to left, each as near to the line as it can be: what stands further left stands higher, so that no stem,
 * from a label down to its place, runs through another label. What finds no level is left out.
 */
export function placedLabels(labels: readonly Label[], width: number, levels: number): PlacedLabel[] {
  const free = Array.from({ length: levels }, () => Number.POSITIVE_INFINITY);
  const placed: PlacedLabel[] = [];
  for (const label of labels.toSorted((one, other) => other.x - one.x)) {
    const length = textWidth(label.text, TEXT_SIZE);
    const textX = Math.max(0, Math.min(label.x + ASIDE, width - length));
    const level = free.findIndex((until) => textX + length + GAP <= until);
    if (level === -1) continue;
    placed.push({ ...label, textX, level });
    for (let below = 0; below <= level; below++) free[below] = Math.min(free[below] ?? 0, textX, label.x);
  }
  return placed.reverse();
}

/** How many levels are taken. */
export function levelsOf(labels: readonly PlacedLabel[]): number {
  return Math.max(0, ...labels.map(({ level }) => level + 1));
}
