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
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { terminalStyle } from '../../src/cli/terminal-style.js';
import { allCases } from '../../src/compare/cases/index.js';
import { thisMachine } from '../../src/compare/machine.js';
import type { Report, Run, Sweep } from '../../src/compare/model.js';
import { html, json, readReport, svgs } from '../../src/compare/report/index.js';
import { table } from '../../src/compare/table.js';
import { commandLine, EXIT_INTERRUPTED, fail, onInterrupt, refuse } from '../command-line.js';
import { type LinkKind, linkMissing, linkMissingInUserNamespace, runInUserNamespace } from './link/index.js';
import { Stage } from './stage.js';
import { clean, type PlannedRun, plan, SWEEPS } from './sweeps.js';

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
/** Shorter ones cannot be told from what connecting costs the machine, ms. */
const LEAST_ROUND_TRIP_MS = 5;
/** A report is marked where the machine did other work, by its load average for each core. */
const BUSY_LOAD = 0.5;

/** Of the link without loss, by what was asked for, ms. */
const roundTrips = new Map<number, number>();
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
  const { sweeps, kind, cases } = understood();
  const missing = options.loopback ? undefined : linkMissing(kind);
  if (missing !== undefined && linkMissingInUserNamespace(kind) === undefined) {
    process.exitCode = await runInUserNamespace();
    return;
  }
  if (missing !== undefined) {
    console.error(`No link between two hosts can be made here: ${missing}.`);
    console.error('Measuring over loopback; your own server is measured by: npx turbotls compare HOST:PORT\n');
  }
  show(await measureAll({ sweeps, kind, cases, onLoopback: options.loopback || missing !== undefined }));
}

function understood() {
  try {
    return { sweeps: sweepsOf(options.sweeps), kind: linkKindOf(options.link), cases: casesOf(options.only) };
  } catch (error) {
    return refuse(error as Error);
  }
}

async function measureAll(what: {
  sweeps: readonly Sweep[];
  kind: LinkKind | undefined;
  cases: readonly string[];
  onLoopback: boolean;
}): Promise<Report> {
  const begunAt = new Date();
  const size = options.quick ? 'quick' : 'full';
  const { rtt: roundTripMs, seed } = options;
  const busy = (loadavg()[0] as number) / thisMachine().cores;
  const runs = plan({
    roundTripMs,
    seed,
    quick: options.quick,
    samples: options.samples || SAMPLES[size],
    lossSamples: options['loss-samples'] || LOSS_SAMPLES[size],
    sweeps: what.onLoopback ? ['cases'] : what.sweeps,
  });
  const stage = await Stage.open({
    conditions: what.onLoopback ? undefined : clean(roundTripMs, seed),
    kind: what.kind,
    pcap: options.pcap,
    signal: ending.signal,
    progress: narrate,
  });
  try {
    const measured = await measureRuns(stage, runs, what.cases);
    return {
      version: 1,
      command: `npm run latency -- ${process.argv.slice(2).join(' ')}`.replace(/ -- $/, ''),
      date: begunAt.toISOString(),
      machine: thisMachine(),
      network: networkOf(stage),
      runs: measured,
      notes: [
        ...(measured.length < runs.length ? [`Interrupted: ${measured.length} of ${runs.length} parts.`] : []),
        ...notesOf(stage, busy),
      ],
    };
  } finally {
    narrate('clearing up');
    await stage.close();
    narrate();
  }
}

/** Those that were measured when it was interrupted. */
async function measureRuns(stage: Stage, runs: readonly PlannedRun[], cases: readonly string[]): Promise<Run[]> {
  const measured: Run[] = [];
  try {
    for (const planned of runs) {
      measured.push(await measureRun(stage, planned, cases, `${measured.length + 1} of ${runs.length}`));
    }
  } catch (error) {
    if (!ending.signal.aborted || measured.length === 0) throw error;
    process.exitCode = EXIT_INTERRUPTED;
  }
  return measured;
}

async function measureRun(stage: Stage, planned: PlannedRun, only: readonly string[], which: string): Promise<Run> {
  const { sweep, label, at, conditions, certificate, cases: wanted, ...order } = planned;
  const cases = wanted === 'all' ? only : only.filter((id) => wanted.includes(id));
  const { link } = stage;
  const heading = `${which}, ${sweep}, ${label}`;
  narrate(`${heading}: measuring the round trip`);
  const roundTripMs = await measuredRoundTrip(stage, planned);
  const results = await stage.measure(
    { ...order, cases, certificate, conditions: link && conditions, traced: sweep === 'cases' || sweep === 'udp' },
    ({ text, done, of }) => narrate(`${heading}: ${Math.floor((100 * done) / of)} %, ${text}`),
  );
  return {
    sweep,
    label: link ? label : 'loopback',
    at,
    conditions: link && conditions,
    certificate,
    roundTripMs,
    results,
  };
}

/** Each is measured once. */
async function measuredRoundTrip({ link }: Stage, { conditions }: PlannedRun): Promise<number | undefined> {
  const { roundTripMs, seed } = conditions;
  if (!link || roundTripMs < LEAST_ROUND_TRIP_MS) return undefined;
  const known = roundTrips.get(roundTripMs);
  if (known !== undefined) return known;
  await link.set(clean(roundTripMs, seed));
  const measured = await link.measureRoundTrip();
  roundTrips.set(roundTripMs, measured);
  return measured;
}

function networkOf({ link }: Stage): string {
  if (!link) return 'loopback of this machine';
  const between = link.kind === 'netem' ? "the kernel's netem" : 'a link in user space, on TUN devices';
  return `two network namespaces of one machine with ${between} between them`;
}

function notesOf({ link, served }: Stage, busy: number): string[] {
  const notes = Object.entries(served.missing).map(([name, why]) => `not served: ${name}: ${why}`);
  if (!link) notes.unshift('Loopback has no round trip to save: only what each way costs the machine is seen here.');
  if (busy > BUSY_LOAD)
    notes.push(`The machine did other work: its load average was ${busy.toFixed(1)} for each core.`);
  return notes;
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
