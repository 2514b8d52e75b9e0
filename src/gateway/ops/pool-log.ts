/** What the front and the pool of workers report, in the log of the main process. */
import type { PoolEvent, WorkerName } from '../../workers/index.js';
import { LineBudget } from './line-budget.js';
import { addressText, errorFields } from './log-events.js';
import type { Logger } from './logger.js';

type EventOf<Type extends PoolEvent['type']> = Extract<PoolEvent, { type: Type }>;

interface Line {
  level: 'error' | 'warn' | 'info' | 'debug';
  message: string;
  fields: Record<string, unknown>;
  /** A stranger can cause any number of them. */
  budgeted?: true;
}

/**
 * A listener that logs what it hears. What strangers can cause is logged as far as a budget goes; the rest is counted and
 * told with the next one.
 */
export function poolLog(log: Logger, budget = new LineBudget()): (event: PoolEvent) => void {
  const ends = new Ends();
  return (event) => {
    if (event.type === 'started') ends.begin(event.worker);
    const line = event.type === 'lost' || event.type === 'ended' ? ends.lineOf(event) : lineOf(event);
    if (line === undefined || !log.isLevelEnabled(line.level)) return;
    const { level, message, fields, budgeted = false } = line;
    if (!budgeted) return log[level](fields, message);
    const omitted = budget.take();
    if (omitted === undefined) return;
    log[level](omitted === 0 ? fields : { ...fields, omitted }, message);
  };
}

/** A worker's end is two events, in either order: its channel is gone with what it had, and its process has ended. */
class Ends {
  /** By process: which of the two have come. */
  readonly #running = new Map<number, { lost?: EventOf<'lost'>; died?: EventOf<'ended'> }>();

  begin({ pid }: WorkerName): void {
    if (pid !== undefined) this.#running.set(pid, {});
  }

  lineOf(event: EventOf<'lost' | 'ended'>): Line | undefined {
    const { pid = 0 } = event.worker;
    const run = this.#running.get(pid);
    if (event.type === 'lost') {
      if (run) run.lost = event;
    } else if (event.wanted || !run) {
      this.#running.delete(pid);
      return endLine(event, undefined);
    } else {
      run.died = event;
    }
    if (!run?.lost || !run.died) return undefined;
    this.#running.delete(pid);
    return endLine(run.died, run.lost);
  }
}

function endLine({ worker, wanted, code, signal }: EventOf<'ended'>, lost: EventOf<'lost'> | undefined): Line {
  const how = { ...workerFields(worker), code: code ?? undefined, signal: signal ?? undefined };
  if (wanted) return { level: 'info', message: 'worker ended', fields: how };
  const had = { connections: lost?.connections, sessions: lost?.sessions };
  return { level: 'warn', message: 'worker died', fields: { ...how, ...had } };
}

function lineOf(event: Exclude<PoolEvent, { type: 'lost' | 'ended' }>): Line | undefined {
  switch (event.type) {
    case 'listening':
    case 'unlistening': {
      const { address: host, port } = event.address;
      return { level: 'info', message: event.type, fields: { address: addressText({ host, port }) } };
    }
    case 'started':
      return { level: 'debug', message: 'worker starts', fields: workerFields(event.worker) };
    case 'serving':
      return { level: 'info', message: 'worker serves', fields: workerFields(event.worker) };
    case 'replacing':
      return { level: 'info', message: 'worker is replaced', fields: { delayMs: event.delayMs } };
    case 'unresponsive':
      return { level: 'error', message: 'worker does not answer and is ended', fields: workerFields(event.worker) };
    case 'shed':
      // What is no datagram of ours is the noise of the Internet.
      if (event.reason === 'malformed') return undefined;
      return { level: 'info', message: 'datagram shed', fields: { reason: event.reason }, budgeted: true };
    case 'refused': {
      const fields = { reason: event.reason, carrier: 'tcp', ...errorFields(event.error) };
      return { level: 'info', message: 'refused', fields, budgeted: true };
    }
    case 'udp-error':
      return { level: 'warn', message: 'error of the UDP port', fields: errorFields(event.error), budgeted: true };
    case 'tcp-error':
      return { level: 'warn', message: 'error of the TCP port', fields: errorFields(event.error), budgeted: true };
    default:
      return undefined;
  }
}

function workerFields({ pid }: WorkerName): { worker: number | undefined } {
  return { worker: pid };
}
