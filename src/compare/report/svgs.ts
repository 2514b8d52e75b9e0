/** The charts as files of their own. */
import type { Report } from '../model.js';
import { standaloneChart } from './chart.js';
import { sectionsOf } from './sections.js';

export interface SvgFile {
  /** Without `.svg`. */
  name: string;
  svg: string;
}

/** px: about as wide as a page of documentation shows them, so that text keeps its size. */
const WIDTH = 860;
const LADDER_WIDTH = 680;

export function svgs(report: Report): SvgFile[] {
  const groups = sectionsOf(report).flatMap((section) => section.groups);
  return groups.flatMap(({ charts, ladders }) => [
    ...charts.map((chart) => ({ name: chart.name, svg: standaloneChart(chart, WIDTH) })),
    ...ladders.map(({ alone }) => ({ name: alone.name, svg: standaloneChart(alone, LADDER_WIDTH) })),
  ]);
}
