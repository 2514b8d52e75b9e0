/** Starts servers in processes of their own, and connects to them. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { connect } from 'turbotls/experimental';
import type { ServerOrder } from './server-process.js';

const PROCESS = new URL('./server-process.js', import.meta.url);
const TURBOTLS = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A server, in one process or more. */
export interface Serving {
  /** Each process, by what it is. */
  readonly processes: readonly { name: string; pid: number }[];
  /** Connects, and says what the server says and how. */
  ask(ca: string): Promise<{ said: string; carrier: string }>;
  stop(): Promise<void>;
}

/** @param env beside the environment of this process */
export async function startServer(order: ServerOrder, env: NodeJS.ProcessEnv = {}): Promise<Serving> {
  const child = fork(PROCESS, { env: { ...process.env, ...env } });
  child.send(order);
  const port = await Promise.race([
    once(child, 'message').then(([port]) => port as number),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
  ]);
  const { pid = 0 } = child;
  return { processes: [{ name: '', pid }], ask: (ca) => ask(port, ca), stop: () => stop(child) };
}

/**
 * `turbotls gateway` with two workers, before a server that says hello.
 * @param config where its configuration can be written to
 */
export async function startGateway(
  config: string,
  { cert, key }: Pick<ServerOrder, 'cert' | 'key'>,
  env: NodeJS.ProcessEnv = {},
): Promise<Serving> {
  const backend = createServer((socket) => socket.on('error', () => {}).end('hello')).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const targets = [`127.0.0.1:${(backend.address() as AddressInfo).port}`];
  const routes = [{ name: 'example', terminate: { certificates: [{ cert, key }] }, backend: { targets } }];
  const limits = { drainTimeout: '0.5s' };
  writeFileSync(config, JSON.stringify({ listen: ['127.0.0.1:0'], workers: WORKERS, routes, limits }));
  const args = ['gateway', '--config', config, '--log-format', 'json'];
  const child = spawn(process.execPath, [TURBOTLS, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { port, workers } = await readLog(child);
  child.stdout.resume();
  return {
    processes: [
      { name: 'main process, with the ports', pid: child.pid ?? 0 },
      ...workers.map((pid) => ({ name: 'worker', pid })),
    ],
    ask: (ca) => ask(port, ca),
    stop: async () => {
      await stop(child, 'SIGTERM');
      backend.close();
    },
  };
}

/** Connections are made by turns meanwhile. */
export async function whileBusy<T>(server: Serving, ca: string, work: () => Promise<T>): Promise<T> {
  let over = false;
  const keepBusy = async () => {
    while (!over) await server.ask(ca);
  };
  const busy = Promise.all([keepBusy(), keepBusy()]);
  try {
    return await work();
  } finally {
    over = true;
    await busy;
  }
}

const WORKERS = 2;

/** Until all workers serve. */
async function readLog(child: ChildProcess): Promise<{ port: number; workers: number[] }> {
  let port = 0;
  const workers: number[] = [];
  if (!child.stdout) throw new Error('no log');
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, address = '', worker = 0 } = JSON.parse(line) as { msg: string; address?: string; worker?: number };
    if (msg === 'listening') port = Number(address.slice(address.lastIndexOf(':') + 1));
    if (msg === 'worker serves') workers.push(worker);
    if (workers.length === WORKERS) return { port, workers };
  }
  throw new Error('the gateway ended');
}

async function ask(port: number, ca: string): Promise<{ said: string; carrier: string }> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca });
  await once(socket, 'secureConnect');
  const carrier = socket.turbo?.carrier ?? 'tcp';
  return { said: await text(socket), carrier };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
