/**
 * A gateway's main process, where workers have the connections: it has the ports and no key.
 *
 *     configuration ─ text ─► Supervisor ─ told ─► GatewayWorker ─ Gateway
 *                               WorkerPool           one in each process
 *                                 Front ═ datagrams, sockets ═►
 *
 * The text is one that was found good: a worker that takes another's place serves by it, whatever the file says by then.
 */
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { filter, firstValueFrom, merge, type Observable, of, Subject, timeout } from 'rxjs';
import { type Front, type PoolEvent, type WorkerName, WorkerPool } from '../../workers/index.js';
import { GatewayError } from '../errors.js';
import { openTicketSeed } from '../ops/index.js';
import type { Readiness, ReadinessScope } from '../ops/readiness.js';
import { decodeToMain, encodeToWorker, errorOf, type Report, type ToMain, type ToWorker } from './control.js';

/** How long a worker may take to put a plan in force, ms: keys of tokens are looked for, and sign once. */
const PLAN_TIMEOUT_MS = 60_000;
/** A worker that is silent for longer is ended, ms: a certificate that is new has its key looked for while all waits. */
const UNRESPONSIVE_MS = 15_000;
/** How long a worker may take to say how it is, ms. */
const LOOK_TIMEOUT_MS = 1_000;
/** How long a new plan waits for a worker that serves, ms: one that died has a successor sooner. */
const SERVING_TIMEOUT_MS = 5_000;
/** Workers that may die, one after the other, at a plan that is new. */
const PLAN_DEATHS = 2;
/** Until it is tried again to replace a worker that is spent, ms. */
const SPENT_PAUSE_MS = 2_000;

/** What workers serve by. */
export interface SharedPlan {
  /** For the worker's `planOf`. */
  readonly text: string;
  readonly workers: number;
  /** How long connections of a worker may go on that another has replaced, ms. */
  readonly drainTimeoutMs: number;
}

export interface SupervisorOptions {
  /** What a worker runs: it has a GatewayWorker. */
  module: URL;
  /** The first one. */
  plan: SharedPlan;
  /** Of a connection's first bytes, ms. */
  routeTimeoutMs: number;
}

export type SupervisorEvent =
  | PoolEvent
  /** A worker cannot serve by the plan, and ends or goes on by the one before; not at the start. */
  | { type: 'plan-refused'; worker: WorkerName; error: Error }
  /** It asks to be replaced: its keys are lost, and a new process has them. */
  | { type: 'spent'; worker: WorkerName }
  /** The plan is in force, but workers that it has in addition could not be started. */
  | { type: 'too-few'; error: Error }
  /** How it was at its end. */
  | { type: 'last-report'; worker: WorkerName; report: Report };

/** A worker, and how it says that it is. */
export interface WorkerLook {
  readonly worker: WorkerName;
  readonly draining: boolean;
  /** Undefined where it did not answer in time. */
  readonly report: Report | undefined;
}

interface Asked {
  readonly process: ChildProcess;
  settle(answer: ToMain | undefined): void;
}

export class Supervisor {
  readonly #pool: WorkerPool;
  readonly #events = new Subject<SupervisorEvent>();
  /** Of workers alone: this process does not read it. */
  readonly #tickets = openTicketSeed();
  readonly #asked = new Map<number, Asked>();
  #nextRequest = 1;
  #plan: SharedPlan;
  /** What each serves by. */
  readonly #plans = new WeakMap<ChildProcess, SharedPlan>();
  /** Of the start. */
  #refuse: (error: Error) => void = () => {};
  #phase: 'starting' | 'running' | 'draining' | 'closed' = 'starting';

  constructor({ module, plan, routeTimeoutMs }: SupervisorOptions) {
    this.#plan = plan;
    this.#pool = new WorkerPool({
      module,
      workers: plan.workers,
      limits: { arrivalTimeoutMs: routeTimeoutMs, unresponsiveMs: UNRESPONSIVE_MS },
      descriptors: [this.#tickets],
    });
    this.#pool.front.told$.subscribe(({ process, bytes }) => {
      this.#hear(process as ChildProcess, decodeToMain(bytes));
    });
    this.#pool.events$.subscribe((event) => event.type === 'ended' && this.#forget(event.worker));
  }

  get events$(): Observable<SupervisorEvent> {
    return merge(this.#pool.events$, this.#events);
  }

  /** For metrics. */
  get front(): Pick<Front, 'workers' | 'arriving' | 'sessions'> {
    return this.#pool.front;
  }

  /**
   * Resolves when every worker serves.
   * @throws what the first that cannot says: ConfigError, errors of the gateway's start; WorkersError ERR_WORKERS_START
   */
  async start(): Promise<void> {
    const refused = new Promise<never>((_, reject) => {
      this.#refuse = reject;
    });
    try {
      await Promise.race([this.#pool.start(), refused]);
      this.#phase = 'running';
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Puts another plan in force, in one worker after the other. Where the first refuses it, the one before stays; one that
   * refuses what the first took is replaced. Where none serves, nothing is lost by it: those that start serve by it.
   * @throws as `start`, GatewayError ERR_GATEWAY_STATE
   */
  async reload(plan: SharedPlan): Promise<void> {
    await this.#tryFirst(plan);
    if (this.#phase !== 'running') throw new GatewayError('ERR_GATEWAY_STATE', `it is ${this.#phase}`);
    this.#plan = plan;
    for (;;) {
      // Some may have started meanwhile, by the plan before.
      const stale = this.#serving().find((process) => this.#plans.get(process) !== plan);
      if (!stale) break;
      await this.#give(stale, plan).catch(() => this.#replace(stale));
    }
    this.#closeAbandoned();
    await this.#pool
      .resize(plan.workers, plan.drainTimeoutMs)
      .catch((error: Error) => this.#events.next({ type: 'too-few', error }));
  }

  /** One that dies has not refused it, unless others die too. */
  async #tryFirst(plan: SharedPlan): Promise<void> {
    for (let deaths = 1; ; deaths++) {
      const first = await this.#oneThatServes();
      if (!first) return;
      try {
        await this.#give(first, plan);
        return;
      } catch (error) {
        if (deaths === PLAN_DEATHS || this.#pool.processes.includes(first)) throw error;
      }
    }
  }

  async #oneThatServes(): Promise<ChildProcess | undefined> {
    const [first] = this.#serving();
    if (first) return first;
    const serving = this.#pool.events$.pipe(
      filter(({ type }) => type === 'serving'),
      timeout({ first: SERVING_TIMEOUT_MS, with: () => of(undefined) }),
    );
    await firstValueFrom(serving, { defaultValue: undefined });
    return this.#serving()[0];
  }

  /** How the workers are, those that drain too. */
  look(): Promise<WorkerLook[]> {
    const { workers } = this.#pool.front;
    return Promise.all(
      this.#pool.processes.map(async (process) => {
        const draining = workers.find(({ pid }) => pid === process.pid)?.draining ?? false;
        const answer = await this.#order(process, { look: {} }, LOOK_TIMEOUT_MS);
        return { worker: { pid: process.pid }, draining, report: answer?.report ?? undefined };
      }),
    );
  }

  /** Ready: a worker serves, and each that does not drain is ready. `listening`: whatever the backends are. */
  async readiness(scope: ReadinessScope): Promise<Readiness> {
    if (this.#phase !== 'running') return { ready: false, lines: [`the gateway is ${this.#phase}`] };
    const looks = (await this.look()).filter(({ draining }) => !draining);
    const lines = new Set<string>();
    if (this.#serving().length === 0) lines.add('no worker serves');
    for (const { worker, report } of looks) {
      const missing = scope === 'all' ? report?.notReady : report?.notListening;
      for (const line of missing ?? [`worker ${worker.pid} does not answer`]) lines.add(line);
    }
    return lines.size === 0 ? { ready: true, lines: ['ready'] } : { ready: false, lines: [...lines] };
  }

  /** Takes nothing new and lets connections end until the plan's deadline. */
  async drain(): Promise<void> {
    this.#phase = 'draining';
    await this.#pool.drain(this.#plan.drainTimeoutMs);
    this.#over();
  }

  /** Ends everything, at once. */
  async close(): Promise<void> {
    await this.#pool.close();
    this.#over();
  }

  #over(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    closeSync(this.#tickets);
    this.#events.complete();
  }

  /** Processes that take what is new. */
  #serving(): ChildProcess[] {
    const { workers } = this.#pool.front;
    const pids = new Set(workers.filter(({ serving, draining }) => serving && !draining).map(({ pid }) => pid));
    return this.#pool.processes.filter(({ pid }) => pids.has(pid));
  }

  #hear(process: ChildProcess, message: ToMain): void {
    const worker = { pid: process.pid };
    const { request, report } = message;
    if (request > 0) this.#asked.get(request)?.settle(message);
    else if (report) this.#events.next({ type: 'last-report', worker, report });
    if (message.new) void this.#begin(process);
    if (message.spent) {
      this.#events.next({ type: 'spent', worker });
      void this.#replaceSpent(process);
    }
  }

  /** Who refuses its first plan ends, and events say why. Another may be in force by the time it has taken it. */
  async #begin(process: ChildProcess): Promise<void> {
    try {
      await this.#give(process, this.#plan);
    } catch {
      return;
    }
    while (this.#plans.get(process) !== this.#plan) {
      try {
        await this.#give(process, this.#plan);
      } catch {
        await this.#replace(process);
        return;
      }
    }
    this.#closeAbandoned();
  }

  /** Ports of a plan before, whose workers died before they could leave them. Who serves has all those of the plan. */
  #closeAbandoned(): void {
    if (this.#serving().some((process) => this.#plans.get(process) === this.#plan)) this.#pool.front.closeAbandoned();
  }

  /** @throws what the worker says is wrong with it */
  async #give(process: ChildProcess, plan: SharedPlan): Promise<void> {
    const { text, workers } = plan;
    this.#plans.set(process, plan);
    this.#pool.front.allowSilence(process, PLAN_TIMEOUT_MS);
    const answer = await this.#order(process, { plan: { text, workers } }, PLAN_TIMEOUT_MS);
    this.#pool.front.allowSilence(process, 0);
    if (!answer) throw new GatewayError('ERR_GATEWAY_STATE', `worker ${process.pid} did not answer`);
    if (!answer.failure) return;
    const error = errorOf(answer.failure);
    if (this.#phase === 'starting') this.#refuse(error);
    else this.#events.next({ type: 'plan-refused', worker: { pid: process.pid }, error });
    throw error;
  }

  /** A new one in its place. Where that cannot serve either, events say why. */
  async #replace(process: ChildProcess): Promise<void> {
    await this.#pool.replaceWorker(process, this.#plan.drainTimeoutMs).catch(() => {});
  }

  /** Until it comes off: the key may have gone again before the new one had it. */
  async #replaceSpent(process: ChildProcess): Promise<void> {
    while (this.#phase === 'starting' || this.#phase === 'running') {
      try {
        await this.#pool.replaceWorker(process, this.#plan.drainTimeoutMs);
        return;
      } catch {
        await sleep(SPENT_PAUSE_MS, undefined, { ref: false });
      }
    }
  }

  /** The answer; undefined where the worker ended, or took too long. */
  #order(process: ChildProcess, order: Partial<ToWorker>, timeoutMs: number): Promise<ToMain | undefined> {
    const request = this.#nextRequest++;
    return new Promise((resolve) => {
      const settle = (answer: ToMain | undefined) => {
        clearTimeout(timer);
        this.#asked.delete(request);
        resolve(answer);
      };
      const timer = setTimeout(settle, timeoutMs, undefined);
      this.#asked.set(request, { process, settle });
      this.#pool.front.tell(process, encodeToWorker({ ...order, request }));
    });
  }

  #forget({ pid }: WorkerName): void {
    for (const { process, settle } of this.#asked.values()) if (process.pid === pid) settle(undefined);
  }
}
