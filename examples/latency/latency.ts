/**
 * What TurboTLS saves, measured: every way to connect over a network of given round trip and loss, from a cold connection
 * to the first useful byte.
 *
 *   npm run latency -- --quick                        within two minutes
 *   npm run latency -- --html report.html             all of it, with pictures
 *   npm run latency -- --sweeps loss --loss-samples 1000
 *   npx turbotls compare db.example.org:443           your own server, over your own network
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { terminalStyle } from '../../src/cli/terminal-style.js';
import { allCases } from '../../src/compare/cases/index.js';
import type { Report, Sweep } from '../../src/compare/model.js';
import { html, json, readReport, svgs } from '../../src/compare/report/index.js';
import { table } from '../../src/compare/table.js';
import { commandLine, EXIT_INTERRUPTED, fail, onInterrupt, refuse } from '../command-line.js';
import { type LinkKind, linkMissing, linkMissingInUserNamespace, runInUserNamespace } from './link/index.js';
import { measureAll } from './measure-all.js';
import { plan, SWEEPS } from './sweeps.js';

const options = commandLine('Measures every way to connect, over a link with real round trips on this machine.', {
  quick: { kind: 'flag', about: 'few connections, within two minutes' },
  rtt: { kind: 'number', value: 'MS', default: 50, from: 0, to: 2_000, fraction: true, about: 'round trip' },
  samples: { kind: 'number', value: 'N', default: 0, from: 0, to: 10_000, about: 'of each case; 0: 25, quick 3' },
  'loss-samples': {
    kind: 'number',
    value: 'N',
    default: 0,
    from: 0,
    to: 100_000,
    about: 'under loss; 0: 500, quick 40',
  },
  loss: { kind: 'text', value: 'PARTS', about: 'of packets, for the sweep of loss: 0.01,0.1' },
  sweeps: { kind: 'text', value: 'NAMES', about: `of ${SWEEPS.join(',')}; default: all` },
  only: { kind: 'text', value: 'IDS', about: 'cases, by id or by group: turbo,tls,postgres' },
  seed: { kind: 'number', value: 'N', default: 1, from: 0, to: 2 ** 32 - 1, about: 'of what the link does by chance' },
  link: { kind: 'text', value: 'KIND', about: 'tun or netem; default: netem where the kernel has it' },
  pcap: { kind: 'text', value: 'FILE', about: 'record what the client sees, by tcpdump' },
  loopback: { kind: 'flag', about: 'no link: over loopback, where there is no round trip to save' },
  html: { kind: 'text', value: 'FILE', about: 'write the report with its pictures' },
  svg: { kind: 'text', value: 'FOLDER', about: 'write the pictures alone' },
  from: { kind: 'file', value: 'FILE', about: 'measure nothing: show what --json has printed before' },
  json: { kind: 'flag', about: 'for machines' },
});

const SAMPLES = { full: 25, quick: 3 };
const LOSS_SAMPLES = { full: 500, quick: 40 };

let narrated = '';

const ending = new AbortController();
onInterrupt(() => ending.abort(new Error('interrupted')));

try {
  if (options.from) show(readReport(options.from.toString('utf8')));
  else await main();
} catch (error) {
  narrate();
  if (ending.signal.aborted) process.exitCode = EXIT_INTERRUPTED;
  else fail(error as Error);
}

async function main(): Promise<void> {
  const { sweeps, losses, kind, cases } = understood();
  const missing = options.loopback ? undefined : linkMissing(kind);
  if (missing !== undefined && linkMissingInUserNamespace(kind) === undefined) {
    process.exitCode = await runInUserNamespace();
    return;
  }
  if (missing !== undefined) {
    console.error(`No link between two hosts can be made here: ${missing}.`);
    console.error('Measuring over loopback; your own server is measured by: npx turbotls compare HOST:PORT\n');
  }
  const onLoopback = options.loopback || missing !== undefined;
  const size = options.quick ? 'quick' : 'full';
  const { rtt: roundTripMs, seed, pcap, quick } = options;
  const runs = plan({
    roundTripMs,
    seed,
    quick,
    samples: options.samples || SAMPLES[size],
    lossSamples: options['loss-samples'] || LOSS_SAMPLES[size],
    sweeps: onLoopback ? ['cases'] : sweeps,
    losses,
  });
  const args = process.argv.slice(2);
  const command = args.length === 0 ? 'npm run latency' : `npm run latency -- ${args.join(' ')}`;
  const { signal } = ending;
  const progress = narrate;
  const report = await measureAll({
    runs,
    cases,
    roundTripMs,
    seed,
    onLoopback,
    kind,
    pcap,
    command,
    signal,
    progress,
  });
  show(report);
  if (signal.aborted) process.exitCode = EXIT_INTERRUPTED;
  else if (report.runs.length < runs.length) fail(new Error(report.notes[0]));
}

function understood() {
  try {
    return {
      sweeps: sweepsOf(options.sweeps),
      losses: lossesOf(options.loss),
      kind: linkKindOf(options.link),
      cases: casesOf(options.only),
    };
  } catch (error) {
    return refuse(error as Error);
  }
}

function show(report: Report): void {
  process.stdout.write(options.json ? json(report) : table(report, terminalStyle()));
  if (options.html !== undefined) {
    writeFileSync(options.html, html(report));
    console.error(`\nThe report with its pictures: ${options.html}`);
  }
  if (options.svg !== undefined) {
    mkdirSync(options.svg, { recursive: true });
    for (const { name, svg } of svgs(report)) writeFileSync(join(options.svg, `${name}.svg`), svg);
    console.error(`\nThe pictures: ${options.svg}`);
  }
}

/** What is being done: on a terminal a line that the next one replaces, elsewhere a line for each part. */
function narrate(text = ''): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
  } else {
    const part = text.split(':')[0] ?? '';
    if (part !== '' && part !== narrated) console.error(part);
    narrated = part;
  }
}

function sweepsOf(text: string | undefined): readonly Sweep[] {
  if (text === undefined) return SWEEPS;
  const unknown = text.split(',').find((name) => !SWEEPS.includes(name as Sweep));
  if (unknown !== undefined) throw new Error(`--sweeps: there is no '${unknown}', only ${SWEEPS.join(', ')}`);
  return text.split(',') as Sweep[];
}

function lossesOf(text: string | undefined): number[] | undefined {
  const losses = text?.split(',').map(Number);
  if (losses?.some((loss) => !(loss >= 0 && loss < 1))) throw new Error(`--loss: parts of 1, got '${text}'`);
  return losses;
}

/** By id or by group; the cases that ratios compare with come too. */
function casesOf(text: string | undefined): string[] {
  if (text === undefined) return allCases.map(({ id }) => id);
  const names = text.split(',');
  const unknown = names.find((name) => !allCases.some(({ id, group }) => name === id || name === group));
  if (unknown !== undefined) {
    throw new Error(`--only: there is no case '${unknown}', only ${allCases.map(({ id }) => id).join(', ')}`);
  }
  const chosen = allCases.filter(({ id, group }) => names.includes(id) || names.includes(group));
  return allCases
    .filter((each) => chosen.includes(each) || chosen.some(({ reference }) => reference === each.id))
    .map(({ id }) => id);
}

function linkKindOf(text: string | undefined): LinkKind | undefined {
  if (text === undefined || text === 'tun' || text === 'netem') return text;
  throw new Error(`--link is tun or netem, got '${text}'`);
}
