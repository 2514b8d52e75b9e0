/** A pool of real workers, and clients for them. Whatever a test opens ends with it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { filter, firstValueFrom } from 'rxjs';
import { connect, PathMemory, type TurboConnectionOptions, type TurboSocket } from '../../src/experimental.js';
import type { Limits } from '../../src/limits.js';
import type { PoolEvent, WorkersLimits } from '../../src/workers/index.js';
import { WorkerPool } from '../../src/workers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import type { WorkerReport, WorkerRequest, WorkerSettings } from './worker-process.js';

export const workerModule = new URL('./worker-process.js', import.meta.url);

/** A machine that is busy with something else makes no worker late: what is late in a test is so on purpose. */
const PATIENT = { lagMs: 5000, unresponsiveMs: 20_000 };

export interface RigOptions {
  workers?: number;
  settings?: Partial<WorkerSettings>;
  limits?: Partial<WorkersLimits>;
  keyType?: 'ecdsa' | 'rsa';
  descriptors?: number[];
}

export class WorkersRig {
  readonly pool: WorkerPool;
  readonly certificate: Certificate;
  readonly events: PoolEvent[] = [];
  /** What workers told. */
  readonly told: { pid: number | undefined; text: string }[] = [];
  readonly memory = new PathMemory();
  readonly #sockets = new Set<tls.TLSSocket>();
  #address: AddressInfo | undefined;

  private constructor(pool: WorkerPool, certificate: Certificate) {
    this.pool = pool;
    this.certificate = certificate;
    pool.events$.subscribe((event) => {
      this.events.push(event);
      if (event.type === 'listening') this.#address = event.address;
    });
    pool.front.told$.subscribe(({ process, bytes }) => this.told.push({ pid: process.pid, text: bytes.toString() }));
  }

  static async make(options: RigOptions = {}) {
    const { workers = 2, settings = {}, limits = {}, keyType = 'ecdsa', descriptors } = options;
    const certificate = await makeCertificate({ names: ['localhost'], keyType });
    const { key, cert } = certificate;
    const all: WorkerSettings = { key, cert, port: 0, ...settings };
    const env = { ...process.env, WORKER_SETTINGS: JSON.stringify(all) };
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    const pool = new WorkerPool({
      module: workerModule,
      workers,
      env,
      execArgv,
      descriptors,
      limits: { ...PATIENT, ...limits },
    });
    return new WorkersRig(pool, certificate);
  }

  static async start(options?: RigOptions): Promise<WorkersRig> {
    const rig = await WorkersRig.make(options);
    await rig.pool.start();
    return rig;
  }

  get address(): AddressInfo {
    if (!this.#address) throw new Error('the front does not listen');
    return this.#address;
  }

  options(options: TurboConnectionOptions = {}): TurboConnectionOptions {
    const { port } = this.address;
    return { host: '127.0.0.1', port, servername: 'localhost', ca: this.certificate.ca, ...options };
  }

  /** A secure connection over turbo; UDP has time enough. */
  turbo(options: TurboConnectionOptions = {}, limits: Partial<Limits> = {}): Promise<TurboSocket> {
    const turbo = { memory: this.memory, ...options.turbo, limits: { graceMinMs: 5000, ...limits } };
    return secure(this.keep(connect(this.options({ ...options, turbo }))));
  }

  /** A secure connection over TCP alone. */
  plain(options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    return secure(this.keep(tls.connect({ ...(this.options() as tls.ConnectionOptions), ...options })));
  }

  keep<S extends tls.TLSSocket>(socket: S): S {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  reports(): Promise<WorkerReport[]> {
    return Promise.all(this.pool.processes.map((child) => report(child)));
  }

  /** The next event of this type. */
  next<T extends PoolEvent['type']>(type: T): Promise<Extract<PoolEvent, { type: T }>> {
    const is = (event: PoolEvent): event is Extract<PoolEvent, { type: T }> => event.type === type;
    return firstValueFrom(this.pool.events$.pipe(filter(is)));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.on('error', () => {}).destroy();
    await this.pool.close();
  }
}

export function request(child: ChildProcess, message: WorkerRequest): void {
  child.send(message);
}

export function report(child: ChildProcess): Promise<WorkerReport> {
  return ask(child, { ask: 'report' });
}

/** What a worker reads from a descriptor of its own. */
export async function readBy(child: ChildProcess, descriptor: number): Promise<string> {
  return (await ask<{ pid: number; text: string }>(child, { ask: 'read', descriptor })).text;
}

function ask<R extends { pid: number }>(child: ChildProcess, message: WorkerRequest): Promise<R> {
  const reply = new Promise<R>((resolve) => {
    const listener = (message: R) => {
      if (message.pid === undefined) return; // of the workers' own
      child.off('message', listener);
      resolve(message);
    };
    child.on('message', listener);
  });
  request(child, message);
  return reply;
}

async function secure<S extends tls.TLSSocket>(socket: S): Promise<S> {
  await once(socket, 'secureConnect');
  socket.on('error', () => {});
  return socket;
}

/** What comes back for these bytes. */
export async function echoed(socket: tls.TLSSocket, bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const all = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= bytes.length) resolve();
    });
    const closed = () => reject(new Error(`closed after ${length} of ${bytes.length} bytes`));
    if (socket.destroyed) closed();
    else socket.once('close', closed);
  });
  socket.write(bytes);
  await all;
  socket.removeAllListeners('data');
  return Buffer.concat(chunks);
}

export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Waits for something that must come. */
export async function until(condition: () => boolean, what: string, withinMs = 8000): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > withinMs) throw new Error(`Waited in vain until ${what}`);
    await delay(5);
  }
}
