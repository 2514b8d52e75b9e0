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
import { merge, type Observable, Subject } from 'rxjs';
import { type Front, type PoolEvent, type WorkerName, WorkerPool } from '../../workers/index.js';
import { GatewayError } from '../errors.js';
import { openTicketSeed } from '../ops/index.js';
import type { Readiness, ReadinessScope } from '../ops/readiness.js';
import { decodeToMain, encodeToWorker, errorOf, type Report, type ToMain, type ToWorker } from './control.js';

/** How long a worker may take to put a plan in force, ms: keys of tokens are looked for, and sign once. */
const PLAN_TIMEOUT_MS = 60_000;
/** How long a worker may take to say how it is, ms. */
const LOOK_TIMEOUT_MS = 1_000;

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
      limits: { arrivalTimeoutMs: routeTimeoutMs },
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
   * refuses what the first took is replaced.
   * @throws as `start`
   */
  async reload(plan: SharedPlan): Promise<void> {
    const [first] = this.#serving();
    if (!first) throw new GatewayError('ERR_GATEWAY_STATE', 'no worker serves at the moment');
    await this.#give(first, plan);
    this.#plan = plan;
    for (;;) {
      // Some may have started meanwhile, by the plan before.
      const stale = this.#serving().find((process) => this.#plans.get(process) !== plan);
      if (!stale) break;
      await this.#give(stale, plan).catch(() => this.#replace(stale));
    }
    await this.#pool.resize(plan.workers, plan.drainTimeoutMs);
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
      void this.#replace(process);
    }
  }

  /** Who refuses its first plan ends, and events say why. Another may be in force by the time it has taken it. */
  async #begin(process: ChildProcess): Promise<void> {
    let plan: SharedPlan;
    try {
      do {
        plan = this.#plan;
        await this.#give(process, plan);
      } while (plan !== this.#plan);
    } catch {}
  }

  /** @throws what the worker says is wrong with it */
  async #give(process: ChildProcess, plan: SharedPlan): Promise<void> {
    const { text, workers } = plan;
    this.#plans.set(process, plan);
    const answer = await this.#order(process, { plan: { text, workers } }, PLAN_TIMEOUT_MS);
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
