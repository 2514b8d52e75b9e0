/** The primary of a cluster for tests. It does what the test process asks, and passes on what is for its workers. */
import cluster, { type Worker } from 'node:cluster';
import { sharePorts, type WorkersError } from 'turbotls/cluster';
import type { ClusterSettings, Reply, Request } from './cluster-messages.js';

const settings = JSON.parse(process.env.CLUSTER_SETTINGS ?? '{}') as ClusterSettings;
const { servers, share, shareLate, policy, serialization } = settings;

cluster.schedulingPolicy = policy === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
cluster.setupPrimary({ exec: new URL('./cluster-process.js', import.meta.url).pathname, serialization });
if (servers === 'turbo' && share) sharePorts();

const exits: { pid: number | undefined; code: number | null; signal: string | null; wanted: boolean }[] = [];
cluster.on('exit', (worker, code, signal) => {
  exits.push({ pid: worker.process.pid, code, signal, wanted: worker.exitedAfterDisconnect === true });
});
cluster.on('message', (_worker, message: Partial<Reply>) => {
  if (message.replyTo !== undefined) process.send?.(message);
});

function workerOf(pid: unknown): Worker | undefined {
  return Object.values(cluster.workers ?? {}).find((worker) => worker?.process.pid === pid);
}

async function answer({ name, args }: Request): Promise<unknown> {
  if (name === 'fork') {
    const worker = cluster.fork();
    if (servers === 'turbo' && shareLate) sharePorts();
    await new Promise((resolve) => worker.once('message', resolve)); // what is said to it before it listens is lost
    return worker.process.pid;
  }
  if (name === 'disconnectWorker') workerOf(args)?.disconnect();
  if (name === 'disconnectAll') cluster.disconnect();
  if (name === 'disconnectAll' || name === 'endAlone') process.channel?.unref(); // as if it had no parent
  if (name === 'exits') return exits;
  if (name === 'sharePorts') {
    try {
      const options = (args ?? undefined) as { limits?: Record<string, number> } | undefined;
      return sharePorts(options) === sharePorts() ? 'the same' : 'another';
    } catch (error) {
      return `${(error as WorkersError).code} ${(error as Error).message}`;
    }
  }
  return undefined;
}

process.on('message', async (request: Request) => {
  if (request.pid !== undefined) workerOf(request.pid)?.send(request);
  else process.send?.({ replyTo: request.id, value: await answer(request) } satisfies Reply);
});
// Nothing is left of it when its test is gone.
process.on('disconnect', () => process.exit());
