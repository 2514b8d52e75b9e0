/**
 * One port for all workers of node:cluster, UDP too. In the primary, before it forks:
 *
 *     import { sharePorts } from 'turbotls/cluster';
 *     sharePorts();
 *
 * Then `createServer`, `attach` and `TurboListener` in the workers share what they listen on, as net.Server does.
 */
import cluster, { type Worker } from 'node:cluster';
import { TIMER_MAX_MS } from '../limit-units.js';
import { PROPERTY } from './channel.js';
import { WorkersError } from './errors.js';
import { Front, type FrontOptions } from './front.js';
import type { WorkersLimits } from './limits.js';

export { WorkersError, type WorkersErrorCode, workersErrorTexts } from './errors.js';
export type { ArrivalRefusal, FrontEvent, ShedReason, WorkerName } from './events.js';
export type { Front, FrontOptions, Told, WorkerState } from './front.js';
export { defaultWorkersLimits, type WorkersLimits } from './limits.js';
export type { WorkerProcess } from './worker-link.js';

/** An application may be late as long as it likes, and be stopped by a debugger: it gets no datagrams meanwhile. */
const CLUSTER_LIMITS: Partial<WorkersLimits> = { unresponsiveMs: TIMER_MAX_MS };

let shared: Front | undefined;

/**
 * Makes this process the owner of the ports that TurboTLS servers in its workers listen on; of workers that it has and
 * of those that it will fork. Called again, it gives the same front.
 * @throws WorkersError ERR_WORKERS_STATE in a worker, or where the front has other options; ERR_WORKERS_BAD_OPTION
 */
export function sharePorts(options: FrontOptions = {}): Front {
  if (!cluster.isPrimary) {
    throw new WorkersError(
      'ERR_WORKERS_STATE',
      'sharePorts is for the primary of node:cluster; a worker needs nothing',
    );
  }
  if (shared) return withOptions(shared, options);
  // A primary whose workers have all ended may end, as with net.Server.
  const front = new Front({ ...options, limits: { ...CLUSTER_LIMITS, ...options.limits } }).unref();
  shared = front;
  const added = new WeakSet<Worker>();
  const add = (worker: Worker) => {
    if (added.has(worker)) return;
    added.add(worker);
    front.add(worker.process);
    drainBeforeDisconnect(worker, front);
  };
  for (const worker of Object.values(cluster.workers ?? {})) if (worker) add(worker);
  cluster.on('fork', add);
  front.events$.subscribe({
    complete: () => {
      cluster.off('fork', add);
      shared = undefined;
    },
  });
  return front;
}

/** The front as it is, where it is as it would be with these options. */
function withOptions(front: Front, { limits = {}, clock }: FrontOptions): Front {
  const names = Object.keys(limits) as (keyof WorkersLimits)[];
  const different = names.filter((name) => limits[name] !== undefined && limits[name] !== front.limits[name]);
  if (different.length === 0 && !clock) return front;
  const which = different.length > 0 ? `limits (${different.join(', ')})` : 'clock';
  throw new WorkersError('ERR_WORKERS_STATE', `the ports are shared already, with other ${which}: pass them first`);
}

/** A worker that is to disconnect gets nothing new; its sessions may still be claimed, its connections end. */
function drainBeforeDisconnect(worker: Worker, front: Front): void {
  const { disconnect, process } = worker;
  /** It has a TurboTLS server, and heeds what the front says. */
  let joined = false;
  const onMessage = (message: unknown) => {
    if (!(message as Record<string, unknown> | null)?.[PROPERTY]) return;
    joined = true;
    process.off('message', onMessage);
  };
  process.on('message', onMessage);
  worker.disconnect = () => {
    if (!joined) return disconnect.call(worker);
    worker.exitedAfterDisconnect = true;
    front.drainWorker(process, TIMER_MAX_MS);
    return worker;
  };
}
