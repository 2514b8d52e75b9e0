/**
 * A report to look at, and to keep:
 *
 *     Report ─► sectionsOf ─► html: one page        sections.ts: which charts and tables there are
 *                        └──► svgs: a file a chart  bars.ts, plot.ts, waterfall.ts draw them
 *     Report ─► json ─► readReport ─► Report
 */
export { html } from './html.js';
export { json, readReport } from './json.js';
export { type SvgFile, svgs } from './svgs.js';
