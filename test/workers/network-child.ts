/**
 * A worker that listens and closes as its first argument says, then tells its parent how that went. What it serves says
 * its name.
 */
import type { AddressInfo } from 'node:net';
import { WorkerNetwork } from '../../src/workers/index.js';

export type Scenario = 'again' | 'again-held' | 'indexes' | 'twice';

/** Ports, or an error. */
export type Outcome = { ports: number[] } | { error: Record<string, unknown> };

const [scenario, given] = process.argv.slice(2) as [Scenario, string];
const network = WorkerNetwork.of(process, { held: scenario === 'again-held' });
const host = '127.0.0.1';

function listen(name: string, port: number) {
  const server = network.createTcpServer();
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.end(name);
  });
  return new Promise<typeof server>((resolve, reject) => {
    server.once('listening', () => resolve(server)).once('error', reject);
    server.listen({ host, port });
  });
}

function portOf(server: Awaited<ReturnType<typeof listen>>): number {
  return (server.address() as AddressInfo).port;
}

const again = async () => {
  const first = await listen('first', Number(given));
  first.close();
  return [portOf(await listen('second', Number(given)))];
};

const scenarios: Record<Scenario, () => Promise<number[]>> = {
  again,
  'again-held': async () => {
    const ports = await again();
    network.ready();
    return ports;
  },
  indexes: async () => {
    const first = await listen('first', 0);
    const other = await listen('other', Number(given));
    other.close();
    return [portOf(first), portOf(await listen('second', 0))];
  },
  twice: async () => {
    await listen('first', Number(given));
    return [portOf(await listen('second', Number(given)))];
  },
};

const outcome: Outcome = await scenarios[scenario]().then(
  (ports) => ({ ports }),
  (error: NodeJS.ErrnoException) => ({ error: { ...error, message: error.message } }),
);
process.send?.(outcome);
