/** A report as one page that needs nothing else: no script, no font, no network; light and dark by its style alone. */
import type { Report } from '../model.js';
import { GROUP_NAMES, msText } from '../words.js';
import { type Chart, inlineChart } from './chart.js';
import { type Finding, figuresOf, findingsOf, headlineOf } from './findings.js';
import { type Markup, markup } from './markup.js';
import { type GroupSection, type Ladder, type Section, sectionsOf } from './sections.js';
import { CHART_STYLE, PAGE_STYLE } from './style.js';
import { waterfallLegend } from './waterfall.js';

/** px: what charts are drawn for. */
const WIDTHS = { wide: 960, narrow: 360 };
const LADDER_WIDTHS = { wide: 500, narrow: 360 };
/** Nothing is fetched and nothing runs, whatever a report says. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

export function html(report: Report): string {
  const findings = findingsOf(report);
  const sections = sectionsOf(report);
  const headline = headlineOf(findings);
  const { text } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<link rel="icon" href="data:,">
<title>${headline}</title>
<style>${PAGE_STYLE}${CHART_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kicker">TurboTLS, compared · ${dateText(report.date)}</p>
<h1>${headline}</h1>
<p class="lead">${leadOf(findings)}${report.network}.</p>
${findingList(findings)}
<nav aria-label="Sections">${sections.map(({ title }, index) => markup`<a href="#section-${index + 1}">${title}</a>`)}<a href="#how">How this was measured</a></nav>
</header>
${sections.map(sectionOf)}
${howOf(report)}
</main>
</body>
</html>
`;
  return text;
}

function leadOf([first]: readonly Finding[]): string {
  if (first === undefined) return '';
  const { best, reference } = first;
  const [own, other] = [best.summary, reference.summary];
  return `${best.result.title} against ${reference.result.title}: ${msText(own.median ?? 0)} ms instead of ${msText(other.median ?? 0)}, the medians of ${own.samples.toLocaleString('en')} connections. `;
}

function findingList(findings: readonly Finding[]): Markup {
  if (findings.length === 0) return markup``;
  const tiles = findings.map((finding) => {
    const { amount, instead, unit } = figuresOf(finding);
    const { best, reference, group } = finding;
    return markup`<div><dt>${GROUP_NAMES[group]}</dt><dd class="figure">${amount} <small>${unit}</small></dd><dd class="what">${best.result.title}; ${instead} with ${reference.result.title}</dd></div>`;
  });
  return markup`<dl class="findings">${tiles}</dl>`;
}

function sectionOf({ title, text, groups }: Section, index: number): Markup {
  return markup`<section id="section-${index + 1}"><h2>${title}</h2><p>${text}</p>${groups.map(groupOf)}</section>
`;
}

function groupOf({ title, charts, tables, ladders }: GroupSection): Markup {
  const [first, ...others] = charts.map((chart) => figureOf(chart));
  return markup`<div class="group"><h3>${title}</h3>${first}${others.map((other) => markup`<div class="plots">${other}</div>`)}${tables}${laddersOf(ladders)}</div>
`;
}

function figureOf(chart: Chart): Markup {
  return markup`<figure><figcaption><h4>${chart.title.replace(/^[^:]*: /, '')}</h4></figcaption>${inlineChart(chart, WIDTHS)}</figure>
`;
}

function laddersOf(ladders: readonly Ladder[]): Markup {
  if (ladders.length === 0) return markup``;
  const figures = ladders.map(
    ({ onPage, value, packets }) =>
      markup`<figure><figcaption><h4>${onPage.title}</h4><span class="value">${value}</span></figcaption>${inlineChart(onPage, LADDER_WIDTHS)}${packets}</figure>
`,
  );
  const key = ladders.some(({ hasPackets }) => hasPackets)
    ? markup`<div class="plots">${inlineChart(legendChart(`${ladders[0]?.onPage.name}-legend`), WIDTHS)}</div>`
    : undefined;
  return markup`${key}<div class="ladders">${figures}</div>`;
}

function legendChart(name: string): Chart {
  return {
    name,
    title: 'Legend',
    description: 'Arrows: UDP, TCP handshake, TCP. A cross: lost.',
    draw: waterfallLegend,
  };
}

function howOf({ command, date, machine, network, notes }: Report): Markup {
  const { node, openssl, platform, kernel, cpu, cores } = machine;
  const facts: [string, Markup | string][] = [
    ['Command', markup`<code>${command}</code>`],
    ['Date', dateText(date)],
    ['Network', network],
    ['Machine', `${cpu}, ${cores} cores`],
    ['System', `${platform}, ${kernel}`],
    ['Software', `Node.js ${node}, OpenSSL ${openssl}`],
  ];
  return markup`<section id="how"><h2>How this was measured</h2><dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>${notes.length > 0 ? markup`<ul class="notes">${notes.map((note) => markup`<li>${note}</li>`)}</ul>` : undefined}</section>`;
}

/** To the minute; a report may come from elsewhere, and then say anything. */
function dateText(date: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(date) && date.endsWith('Z')
    ? `${date.slice(0, 10)}, ${date.slice(11, 16)} UTC`
    : date;
}
