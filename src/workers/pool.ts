/**
 * The workers' processes: started, replaced when they die, ended.
 *
 *     const pool = new WorkerPool({ module: new URL('./worker.js', import.meta.url), workers: 'auto' });
 *     await pool.start();
 */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, merge, type Observable, Subject } from 'rxjs';
import { after, type Clock, systemClock, type Timer } from '../platform/clock.js';
import { WorkersError } from './errors.js';
import type { PoolEvent } from './events.js';
import { Front } from './front.js';
import { type WorkersLimits, workersLimitsWith } from './limits.js';
import type { WorkerProcess } from './worker-link.js';

export interface WorkerPoolOptions {
  /** What a worker runs, as child_process.fork takes it. */
  module: string | URL;
  /** How many; `auto`: as many as can run at a time. */
  workers: number | 'auto';
  args?: readonly string[] | undefined;
  execArgv?: string[] | undefined;
  env?: NodeJS.ProcessEnv | undefined;
  /** Open files of this process that each worker has, too: as its descriptors from 4 on. */
  descriptors?: readonly number[] | undefined;
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
  /** Until another process serves in this one's place. */
  replacing: Promise<void> | undefined;
}

export class WorkerPool {
  readonly front: Front;
  readonly #options: WorkerPoolOptions;
  readonly #limits: Readonly<WorkersLimits>;
  readonly #clock: Clock;
  readonly #events = new Subject<PoolEvent>();
  readonly #slots: Slot[] = [];
  /** Every process that has not ended, those that were replaced too; and when it has. */
  readonly #processes = new Map<ChildProcess, Promise<void>>();
  /** Those that were told to end. */
  readonly #dismissed = new WeakSet<ChildProcess>();
  #state: 'new' | 'running' | 'ending' = 'new';

  /** @throws WorkersError ERR_WORKERS_BAD_OPTION */
  constructor(options: WorkerPoolOptions) {
    const { workers, limits, clock } = options;
    countOf(workers);
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
    return [...this.#processes.keys()];
  }

  /**
   * Resolves when every worker serves.
   * @throws WorkersError ERR_WORKERS_STATE, ERR_WORKERS_START; then all workers are ended
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new WorkersError('ERR_WORKERS_STATE', 'the pool was started before');
    this.#state = 'running';
    const count = countOf(this.#options.workers);
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
    for (const slot of [...this.#slots]) await this.#replace(slot, deadlineMs);
  }

  /**
   * Puts a new worker in this one's place, which ends when what it has is done. One that has no place any more, because
   * it was replaced, has ended or ends, is left alone.
   * @throws WorkersError ERR_WORKERS_START; the old one goes on
   */
  async replaceWorker(process: WorkerProcess, deadlineMs: number): Promise<void> {
    const slot = this.#slots.find((each) => each.process === process);
    if (slot) await this.#replace(slot, deadlineMs);
  }

  /**
   * Changes how many workers there are. Resolves when the new ones serve; those that are too many end when what they
   * have is done.
   * @throws WorkersError ERR_WORKERS_BAD_OPTION, ERR_WORKERS_STATE, ERR_WORKERS_START; then those that serve stay
   */
  async resize(workers: number | 'auto', deadlineMs: number): Promise<void> {
    const count = countOf(workers);
    if (this.#state !== 'running') throw new WorkersError('ERR_WORKERS_STATE', 'the pool does not run');
    const more = Math.max(0, count - this.#slots.length);
    for (const slot of this.#slots.splice(count)) {
      slot.restart?.cancel();
      void this.#retire(slot.process, deadlineMs);
    }
    const added = await Promise.allSettled(Array.from({ length: more }, () => this.#addSlot()));
    for (const each of added) if (each.status === 'rejected') throw each.reason;
  }

  /** Takes nothing new and lets the workers end until the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    this.#stopReplacing();
    this.front.drain(deadlineMs);
    await Promise.all(this.processes.map((process) => this.#retire(process, deadlineMs)));
    await this.close();
  }

  /** Ends everything, at once: workers have `closeTimeoutMs` after SIGTERM. */
  async close(): Promise<void> {
    this.#stopReplacing();
    const ends = this.processes.map((process) => this.#end(process));
    this.front.close();
    await Promise.all(ends);
    this.#events.complete();
  }

  #stopReplacing(): void {
    this.#state = 'ending';
    for (const slot of this.#slots) slot.restart?.cancel();
  }

  async #addSlot(): Promise<void> {
    const process = this.#fork();
    const slot: Slot = { process, servingSince: undefined, failures: 0, restart: undefined, replacing: undefined };
    this.#slots.push(slot);
    try {
      await this.#served(process);
    } catch (error) {
      this.#removeSlot(slot);
      throw error;
    }
  }

  #removeSlot(slot: Slot): void {
    slot.restart?.cancel();
    const at = this.#slots.indexOf(slot);
    if (at >= 0) this.#slots.splice(at, 1);
  }

  #replace(slot: Slot, deadlineMs: number): Promise<void> {
    slot.replacing ??= this.#putNewIn(slot, deadlineMs).finally(() => {
      slot.replacing = undefined;
    });
    return slot.replacing;
  }

  async #putNewIn(slot: Slot, deadlineMs: number): Promise<void> {
    if (this.#state !== 'running') return;
    const old = slot.process;
    const next = this.#fork();
    await this.#served(next);
    if (slot.process !== old || !this.#slots.includes(slot)) {
      void this.#end(next); // the old one died meanwhile and has its successor, or its place is gone
      return;
    }
    slot.restart?.cancel();
    Object.assign(slot, { process: next, servingSince: this.#clock.now(), failures: 0 });
    void this.#retire(old, deadlineMs);
  }

  #fork(): ChildProcess {
    const { module, args = [], execArgv, env, descriptors = [] } = this.#options;
    const path = typeof module === 'string' ? module : fileURLToPath(module);
    const child = fork(path, args, {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...descriptors],
      ...(execArgv && { execArgv }),
      ...(env && { env }),
    });
    const end = new Promise<void>((resolve) => {
      const onEnd = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#onEnd(child, code, signal);
        resolve();
      };
      child.once('exit', onEnd);
      // One that could not be started has no 'exit'.
      child.on('error', () => child.pid === undefined && onEnd(null, null));
    });
    this.#processes.set(child, end);
    this.front.add(child);
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

  #onEnd(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    this.#processes.delete(child);
    const slot = this.#slots.find(({ process }) => process === child);
    const wanted = this.#dismissed.has(child);
    this.#events.next({ type: 'ended', worker: { pid: child.pid }, wanted, code, signal });
    if (slot && !wanted) this.#restartLater(slot);
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
  async #retire(child: ChildProcess, deadlineMs: number): Promise<void> {
    this.#dismissed.add(child);
    this.front.drainWorker(child, deadlineMs);
    await Promise.race([this.#processes.get(child), firstValueFrom(after(this.#clock, deadlineMs))]);
    await this.#end(child);
  }

  /** Says so over the channel, too: a worker may leave signals alone, for a service's go to all its processes at once. */
  async #end(child: ChildProcess): Promise<void> {
    this.#dismissed.add(child);
    const end = this.#processes.get(child);
    if (!end) return;
    const kill = this.#clock.after(this.#limits.closeTimeoutMs, () => child.kill('SIGKILL'));
    this.front.drainWorker(child, 0);
    child.kill('SIGTERM');
    await end;
    kill.cancel();
  }
}

/** @throws WorkersError ERR_WORKERS_BAD_OPTION */
function countOf(workers: number | 'auto'): number {
  if (workers === 'auto') return availableParallelism();
  if (Number.isSafeInteger(workers) && workers > 0) return workers;
  throw new WorkersError('ERR_WORKERS_BAD_OPTION', `workers is a whole number above 0 or 'auto', got ${workers}`);
}
