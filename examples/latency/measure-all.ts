/** All that was planned, run on one stage, as a report. */
import { loadavg } from 'node:os';
import { thisMachine } from '../../src/compare/machine.js';
import type { Report, Run } from '../../src/compare/model.js';
import type { LinkKind } from './link/index.js';
import { Stage } from './stage.js';
import { clean, type PlannedRun } from './sweeps.js';

export interface MeasureAllOptions {
  runs: readonly PlannedRun[];
  /** Ids of the cases to measure, of those that a run wants. */
  cases: readonly string[];
  /** ms. */
  roundTripMs: number;
  seed: number;
  /** Without a link. */
  onLoopback: boolean;
  kind?: LinkKind | undefined;
  /** A file for what the client's host sees. */
  pcap?: string | undefined;
  /** What makes the report again. */
  command: string;
  /** Ends it; what was measured by then is the report. */
  signal: AbortSignal;
  /** Told what is being done; what stands before a colon changes slowly. */
  progress: (text: string) => void;
}

/** Shorter ones cannot be told from what connecting costs the machine, ms. */
const LEAST_ROUND_TRIP_MS = 5;
/** A report is marked where the machine did other work, by its load average for each core. */
const BUSY_LOAD = 0.5;

/** Rejects where nothing was measured yet; what ends it later is told in the report's notes. */
export async function measureAll(options: MeasureAllOptions): Promise<Report> {
  const { runs, kind, pcap, command, signal, progress, onLoopback, roundTripMs, seed } = options;
  const begunAt = new Date();
  const machine = thisMachine();
  const busy = (loadavg()[0] as number) / machine.cores;
  const conditions = onLoopback ? undefined : clean(roundTripMs, seed);
  const stage = await Stage.open({ conditions, kind, pcap, signal, progress });
  try {
    const { measured, ended } = await measureRuns(stage, options);
    const notes = notesOf(stage, busy);
    if (ended) notes.unshift(`Measured: ${measured.length} of ${runs.length} parts. ${ended.message}`);
    return {
      version: 1,
      command,
      date: begunAt.toISOString(),
      machine,
      network: networkOf(stage),
      runs: measured,
      notes,
    };
  } finally {
    progress('clearing up');
    await stage.close();
    progress('');
  }
}

/** Those that were measured before something ended it, and what that was. */
async function measureRuns(
  stage: Stage,
  { runs, cases, progress }: MeasureAllOptions,
): Promise<{ measured: Run[]; ended?: Error }> {
  const measured: Run[] = [];
  const roundTrips = new RoundTrips(stage);
  try {
    for (const planned of runs) {
      const heading = `${measured.length + 1} of ${runs.length}, ${planned.sweep}, ${planned.label}`;
      const tell = (text: string) => progress(`${heading}: ${text}`);
      tell('measuring the round trip');
      const roundTripMs = await roundTrips.measure(planned);
      measured.push({ ...(await measureRun(stage, planned, cases, tell)), roundTripMs });
    }
  } catch (error) {
    if (measured.length === 0) throw error;
    return { measured, ended: error as Error };
  }
  return { measured };
}

async function measureRun(
  stage: Stage,
  { sweep, label, at, conditions, certificate, cases: wanted, ...order }: PlannedRun,
  chosen: readonly string[],
  tell: (text: string) => void,
): Promise<Omit<Run, 'roundTripMs'>> {
  const cases = wanted === 'all' ? chosen : chosen.filter((id) => wanted.includes(id));
  const traced = sweep === 'cases' || sweep === 'udp';
  const asked = { ...order, cases, certificate, traced, conditions: stage.link && conditions };
  const results = await stage.measure(asked, ({ text, done, of }) =>
    tell(`${Math.floor((100 * done) / of)} %, ${text}`),
  );
  return { sweep, label: stage.link ? label : 'loopback', at, certificate, conditions: asked.conditions, results };
}

/** Of the link without loss. Each that is asked for is measured once. */
class RoundTrips {
  readonly #stage: Stage;
  readonly #measured = new Map<number, number>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async measure({ conditions: { roundTripMs, seed } }: PlannedRun): Promise<number | undefined> {
    const { link } = this.#stage;
    if (!link || roundTripMs < LEAST_ROUND_TRIP_MS) return undefined;
    let measured = this.#measured.get(roundTripMs);
    if (measured === undefined) {
      await link.set(clean(roundTripMs, seed));
      measured = await link.measureRoundTrip();
      this.#measured.set(roundTripMs, measured);
    }
    return measured;
  }
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
