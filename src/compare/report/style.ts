/**
 * Colours and type of report and charts.
 *
 * Series colours follow Okabe and Ito's for the colour-blind, darkened for white and lightened for black until each has
 * a contrast of 3 with its ground, text of 4.5 (WCAG 2.2, 1.4.3 and 1.4.11). Lines differ in their marks as well.
 */
import { Markup } from './markup.js';

const FONTS = '"Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

const LIGHT = `
  --ground: #ffffff; --raised: #f5f7f9; --text: #1b2127; --muted: #59646f; --rule: #e2e6ea; --axis: #aab3bc;
  --faster: #0b66b2; --reference: #59646f; --other: #828d98;
  --udp: #0b66b2; --handshake: #bb4a06; --data: #59646f;
  --s0: #59646f; --s1: #0b66b2; --s2: #bb4a06; --s3: #00805a; --s4: #a83a86; --s5: #2a8dbf; --s6: #8f6c00; --s7: #7d2f3c;
  --r0: #0b3c69; --r1: #0b66b2; --r2: #4593d2; --r3: #7d98b0;`;

const DARK = `
  --ground: #12161b; --raised: #1a2027; --text: #e6eaee; --muted: #9ba7b3; --rule: #272f38; --axis: #56616d;
  --faster: #58abf5; --reference: #9ba7b3; --other: #6b7783;
  --udp: #58abf5; --handshake: #f59154; --data: #9ba7b3;
  --s0: #9ba7b3; --s1: #58abf5; --s2: #f59154; --s3: #3fc79b; --s4: #e58cc6; --s5: #9bdcf8; --s6: #dfbd4c; --s7: #f2a2ab;
  --r0: #c5e2fb; --r1: #7fbef6; --r2: #4a94d6; --r3: #56718b;`;

const SERIES = [0, 1, 2, 3, 4, 5, 6, 7];
const RUNS = [0, 1, 2, 3];

/** How many colours there are. */
export const SERIES_COLOURS = SERIES.length;
export const RUN_COLOURS = RUNS.length;

/** Of what a chart is made of. */
export const CHART_STYLE = new Markup(`
.chart text { font: 12px ${FONTS}; fill: var(--text); font-variant-numeric: tabular-nums; }
.chart .muted { fill: var(--muted); }
.chart .strong { font-weight: 600; }
.chart .title { font-size: 16px; font-weight: 600; }
.chart .halo { paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
.chart .end { text-anchor: end; }
.chart .middle { text-anchor: middle; }
.chart .ground { fill: var(--ground); }
.chart .rule { stroke: var(--rule); stroke-width: 1; fill: none; }
.chart .axis { stroke: var(--axis); stroke-width: 1; fill: none; }
.chart .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.chart .step { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.chart .thin { fill: none; stroke-width: 1; opacity: .6; }
.chart .dashed { stroke-dasharray: 5 4; }
.chart .faster { fill: var(--faster); } .chart .reference { fill: var(--reference); } .chart .other { fill: var(--other); }
.chart .udp { stroke: var(--udp); fill: none; } .chart .handshake { stroke: var(--handshake); fill: none; }
.chart .data { stroke: var(--data); fill: none; }
.chart .udp-head { fill: var(--udp); } .chart .handshake-head { fill: var(--handshake); } .chart .data-head { fill: var(--data); }
.chart .arrow { stroke-width: 1.5; } .chart .faint { stroke-width: 1; opacity: .55; }
${SERIES.map((index) => `.chart .s${index} { stroke: var(--s${index}); } .chart .m${index} { fill: var(--s${index}); }`).join('\n')}
${RUNS.map((index) => `.chart .r${index} { fill: var(--r${index}); }`).join('\n')}
`);

/** Of a file that holds a chart alone. */
export const STANDALONE_STYLE = new Markup(`
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
`);

/** Of the page around the charts. */
export const PAGE_STYLE = new Markup(`
:root { color-scheme: light dark; ${LIGHT} }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }
@media print { :root { color-scheme: light; ${LIGHT} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.55 ${FONTS}; }
main { max-width: 1120px; margin: 0 auto; padding: 72px 32px 96px; }
h1, h2, h3, h4, p, dl, dd, figure, ul { margin: 0; }
h1 { font-size: clamp(28px, 4.4vw, 46px); line-height: 1.14; letter-spacing: -.02em; font-weight: 650; max-width: 22em; text-wrap: balance; }
h2 { font-size: 26px; line-height: 1.25; letter-spacing: -.01em; font-weight: 650; }
h3 { font-size: 19px; line-height: 1.3; font-weight: 650; }
h4 { font-size: 15px; line-height: 1.4; font-weight: 600; }
a { color: var(--faster); text-underline-offset: 3px; }
code { font: .875em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.lead { margin-top: 18px; font-size: 18px; color: var(--muted); max-width: 44em; }
.kicker { font-size: 14px; color: var(--muted); margin-bottom: 14px; }
.findings { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 32px; margin: 56px 0 0; padding: 28px 0 0; border-top: 1px solid var(--rule); }
.findings dt { font-size: 14px; color: var(--muted); }
.findings .figure { font-size: 40px; line-height: 1.2; font-weight: 600; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.findings .figure small { font-size: 16px; font-weight: 400; letter-spacing: 0; color: var(--muted); }
.findings .what { font-size: 14px; color: var(--muted); overflow-wrap: anywhere; }
nav { margin-top: 40px; font-size: 15px; display: flex; flex-wrap: wrap; gap: 6px 22px; }
section { margin-top: 96px; }
section > p { margin-top: 10px; color: var(--muted); max-width: 46em; overflow-wrap: anywhere; }
.group { margin-top: 52px; }
.group > h3 { padding-bottom: 18px; }
figure { break-inside: avoid; }
figcaption { display: flex; justify-content: space-between; gap: 16px; margin-bottom: 10px; overflow-wrap: anywhere; }
figcaption .value { flex: none; color: var(--muted); font-size: 15px; font-variant-numeric: tabular-nums; }
.chart { display: block; width: 100%; height: auto; }
.chart.narrow { display: none; }
.ladders { display: grid; grid-template-columns: 1fr 1fr; gap: 56px 48px; margin-top: 44px; }
.ladders > * { min-width: 0; max-width: 620px; }
.plots { margin-top: 36px; }
table { width: 100%; border-collapse: collapse; margin-top: 28px; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: 6px; color: var(--muted); }
th, td { padding: 7px 0 7px 20px; text-align: right; font-weight: 400; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
th:first-child, td:first-child, .left { text-align: left; }
th:first-child { padding-left: 0; width: 34%; }
thead th { color: var(--muted); }
tbody th { font-weight: 500; }
tr.reference th::after { content: " (reference)"; color: var(--muted); font-weight: 400; }
.problems { margin-top: 14px; padding: 0; list-style: none; font-size: 14px; color: var(--muted); overflow-wrap: anywhere; }
.problems li + li { margin-top: 4px; }
details { margin-top: 14px; font-size: 14px; }
summary { cursor: pointer; color: var(--muted); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 10px 32px; margin-top: 28px; font-size: 15px; }
.facts dt { color: var(--muted); }
.facts dd { overflow-wrap: anywhere; }
.notes { margin-top: 28px; padding-left: 20px; max-width: 46em; overflow-wrap: anywhere; }
.notes li + li { margin-top: 8px; }
@media (max-width: 1080px) { .ladders { grid-template-columns: 1fr; } }
@media (max-width: 859px) {
  .chart.wide { display: none; }
  .chart.narrow { display: block; max-width: 520px; }
}
@media (max-width: 719px) {
  main { padding: 40px 20px 64px; }
  section { margin-top: 72px; }
  .findings { gap: 24px; margin-top: 40px; }
  .facts { grid-template-columns: 1fr; gap: 2px; }
  .facts dd { margin-bottom: 12px; }
  table, caption, thead, tbody { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2px 12px; padding: 10px 0; border-bottom: 1px solid var(--rule); }
  th, td, th:first-child { padding: 0; border: 0; text-align: left; width: auto; }
  tbody th { grid-column: 1 / -1; padding-bottom: 4px; }
  td:empty { display: none; }
  td[data-label]::before { content: attr(data-label); display: block; font-size: 12px; color: var(--muted); }
  td[colspan] { grid-column: 1 / -1; }
}
@media print {
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  nav, details { display: none; }
  section { margin-top: 32pt; }
  .chart.wide { display: block; } .chart.narrow { display: none; }
  h2, h3, h4 { break-after: avoid; } tr { break-inside: avoid; }
}
`);
