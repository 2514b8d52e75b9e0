/**
 * The workers' processes: started, replaced when they die, ended.
 *
 *     const pool = new WorkerPool({ module: new URL('./worker.js', import.meta.url), workers: 'auto' });
 *     await pool.start();
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, merge, type Observable, Subject } from 'rxjs';
import { after, type Clock, systemClock, type Timer } from '../platform/clock.js';
import { WorkersError } from './errors.js';
import type { PoolEvent } from './events.js';
import { Front } from './front.js';
import { type WorkersLimits, workersLimitsWith } from './limits.js';

export interface WorkerPoolOptions {
  /** What a worker runs, as child_process.fork takes it. */
  module: string | URL;
  /** How many; `auto`: as many as can run at a time. */
  workers: number | 'auto';
  args?: readonly string[] | undefined;
  execArgv?: string[] | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  limits?: Partial<WorkersLimits> | undefined;
  clock?: Clock | undefined;
}

/** A place in the pool; its process changes. */
interface Slot {
  process: ChildProcess;
  servingSince: number | undefined;
  /** Workers that died at this place one after the other, soon after their start. */
  failures: number;
  restart: Timer | undefined;
}

export class WorkerPool {
  readonly front: Front;
  readonly #options: WorkerPoolOptions;
  readonly #limits: Readonly<WorkersLimits>;
  readonly #clock: Clock;
  readonly #events = new Subject<PoolEvent>();
  readonly #slots: Slot[] = [];
  /** Every process that has not ended, those that were replaced too. */
  readonly #processes = new Set<ChildProcess>();
  #state: 'new' | 'running' | 'ending' = 'new';

  /** @throws WorkersError ERR_WORKERS_BAD_OPTION */
  constructor(options: WorkerPoolOptions) {
    const { workers, limits, clock } = options;
    if (workers !== 'auto' && !(Number.isSafeInteger(workers) && workers > 0)) {
      throw new WorkersError('ERR_WORKERS_BAD_OPTION', `workers is a whole number above 0 or 'auto', got ${workers}`);
    }
    this.#options = options;
    this.#limits = workersLimitsWith(limits);
    this.#clock = clock ?? systemClock;
    this.front = new Front({ limits, clock });
    this.front.events$.subscribe((event) => {
      if (event.type === 'serving') this.#onServing(event.worker.pid);
    });
  }

  /** What the front and the pool report. */
  get events$(): Observable<PoolEvent> {
    return merge(this.front.events$, this.#events);
  }

  /** The workers' processes, for messages of one's own. */
  get processes(): ChildProcess[] {
    return [...this.#processes];
  }

  /**
   * Resolves when every worker serves.
   * @throws WorkersError ERR_WORKERS_STATE, ERR_WORKERS_START; then all workers are ended
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new WorkersError('ERR_WORKERS_STATE', 'the pool was started before');
    this.#state = 'running';
    const { workers } = this.#options;
    const count = workers === 'auto' ? availableParallelism() : workers;
    try {
      await Promise.all(Array.from({ length: count }, () => this.#addSlot()));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Puts a new worker in each one's place, one after the other. The old one ends when what it has is done.
   * @throws WorkersError ERR_WORKERS_START; the workers that were not replaced go on
   */
  async replace(deadlineMs: number): Promise<void> {
    for (const slot of this.#slots) {
      const old = slot.process;
      const next = this.#fork();
      await this.#served(next);
      if (slot.process !== old) {
        this.#end(next); // it died meanwhile, and has its successor
        continue;
      }
      slot.restart?.cancel();
      Object.assign(slot, { process: next, servingSince: this.#clock.now(), failures: 0 });
      this.front.drainWorker(old, deadlineMs);
      this.#endAfter(old, deadlineMs);
    }
  }

  /** Takes nothing new and lets the workers end until the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#stopReplacing();
    this.front.drain(deadlineMs);
    const ends = [...this.#processes].map((process) => this.#endAfter(process, deadlineMs));
    await Promise.all(ends);
    await this.close();
  }

  /** Ends everything, at once: workers have `closeTimeoutMs` after SIGTERM. */
  async close(): Promise<void> {
    this.#stopReplacing();
    this.front.close();
    await Promise.all([...this.#processes].map((process) => this.#end(process)));
    this.#events.complete();
  }

  #stopReplacing(): void {
    this.#state = 'ending';
    for (const slot of this.#slots) slot.restart?.cancel();
  }

  async #addSlot(): Promise<void> {
    const process = this.#fork();
    this.#slots.push({ process, servingSince: undefined, failures: 0, restart: undefined });
    await this.#served(process);
  }

  #fork(): ChildProcess {
    const { module, args = [], execArgv, env } = this.#options;
    const path = typeof module === 'string' ? module : fileURLToPath(module);
    const child = fork(path, args, { serialization: 'advanced', ...(execArgv && { execArgv }), ...(env && { env }) });
    this.#processes.add(child);
    this.front.add(child);
    child.once('exit', (code, signal) => this.#onExit(child, code, signal));
    // One that could not be started has no 'exit'.
    child.on('error', () => child.pid === undefined && this.#onExit(child, null, null));
    this.#events.next({ type: 'started', worker: { pid: child.pid } });
    const late = this.#clock.after(this.#limits.startTimeoutMs, () => {
      if (!this.#isServing(child)) child.kill('SIGKILL');
    });
    child.once('exit', () => late.cancel());
    return child;
  }

  #isServing({ pid }: ChildProcess): boolean {
    return this.front.workers.some((worker) => worker.pid === pid && worker.serving);
  }

  /** @throws WorkersError ERR_WORKERS_START */
  async #served(child: ChildProcess): Promise<void> {
    const { pid } = child;
    const outcome = await firstValueFrom(
      this.events$.pipe(
        filter((event) => (event.type === 'serving' || event.type === 'ended') && event.worker.pid === pid),
      ),
      { defaultValue: undefined },
    );
    if (outcome?.type === 'serving') return;
    const how = outcome?.type === 'ended' ? `it ended with ${outcome.signal ?? `code ${outcome.code}`}` : 'closed';
    throw new WorkersError('ERR_WORKERS_START', how);
  }

  #onServing(pid: number | undefined): void {
    const slot = this.#slots.find(({ process }) => process.pid === pid);
    if (slot) slot.servingSince = this.#clock.now();
  }

  #onExit(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    this.#processes.delete(child);
    const slot = this.#slots.find(({ process }) => process === child);
    const wanted = this.#state === 'ending' || !slot;
    this.#events.next({ type: 'ended', worker: { pid: child.pid }, wanted, code, signal });
    if (!wanted) this.#restartLater(slot);
  }

  #restartLater(slot: Slot): void {
    const { restartMs, restartMaxMs, restartBrokenMaxMs, stableMs } = this.#limits;
    const { servingSince } = slot;
    const stable = servingSince !== undefined && this.#clock.now() - servingSince >= stableMs;
    slot.failures = stable ? 1 : slot.failures + 1;
    slot.servingSince = undefined;
    const longest = servingSince === undefined ? restartBrokenMaxMs : restartMaxMs;
    const delayMs = Math.min(longest, restartMs * 2 ** (slot.failures - 1));
    this.#events.next({ type: 'replacing', delayMs });
    slot.restart = this.#clock.after(delayMs, () => {
      slot.process = this.#fork();
    });
  }

  /** Lets it end by itself until then. */
  async #endAfter(child: ChildProcess, deadlineMs: number): Promise<void> {
    if (!this.#processes.has(child)) return;
    const exit = once(child, 'exit');
    await Promise.race([exit, firstValueFrom(after(this.#clock, deadlineMs))]);
    await this.#end(child);
  }

  async #end(child: ChildProcess): Promise<void> {
    if (!this.#processes.has(child)) return;
    const exit = once(child, 'exit');
    const kill = this.#clock.after(this.#limits.closeTimeoutMs, () => child.kill('SIGKILL'));
    child.kill('SIGTERM');
    await exit;
    kill.cancel();
  }
}
