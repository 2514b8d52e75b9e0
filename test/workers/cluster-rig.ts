/** A cluster of real processes, and clients for it. Whatever a test opens ends with it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import * as tls from 'node:tls';
import { connect, PathMemory, type TurboConnectionOptions, type TurboSocket } from '../../src/experimental.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import type { ClusterSettings, Failure, Listen, Reply, Request, Requests } from './cluster-messages.js';

export class ClusterRig {
  readonly certificate: Certificate;
  readonly primary: ChildProcess;
  /** How the primary ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly memory = new PathMemory();
  stderr = '';
  readonly #replies = new Map<number, (value: unknown) => void>();
  readonly #sockets = new Set<tls.TLSSocket>();
  readonly #workers = new Set<number>();
  #nextId = 1;

  private constructor(certificate: Certificate, settings: ClusterSettings) {
    this.certificate = certificate;
    this.primary = fork(new URL('./cluster-primary.js', import.meta.url), {
      env: { ...process.env, CLUSTER_SETTINGS: JSON.stringify(settings), NODE_OPTIONS: '' },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      silent: true,
    });
    this.primary.stdout?.resume();
    this.primary.stderr?.on('data', (text) => {
      this.stderr += text;
    });
    this.primary.on('message', ({ replyTo, value }: Reply) => {
      this.#replies.get(replyTo)?.(value);
      this.#replies.delete(replyTo);
    });
    this.ended = once(this.primary, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  static async start(
    settings: Partial<ClusterSettings> = {},
    workers = 2,
  ): Promise<{ rig: ClusterRig; pids: number[] }> {
    const certificate = await makeCertificate({ names: ['localhost'] });
    const { key, cert } = certificate;
    const rig = new ClusterRig(certificate, {
      key,
      cert,
      servers: 'turbo',
      share: true,
      shareLate: false,
      policy: 'rr',
      serialization: 'json',
      ...settings,
    });
    const pids = await Promise.all(Array.from({ length: workers }, () => rig.fork()));
    return { rig, pids };
  }

  /** @param pid the worker's; undefined: of the primary */
  ask<N extends keyof Requests>(
    pid: number | undefined,
    name: N,
    ...[args]: undefined extends Requests[N]['args'] ? [Requests[N]['args']?] : [Requests[N]['args']]
  ): Promise<Requests[N]['reply']> {
    const id = this.#nextId++;
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#replies.set(id, resolve);
      void this.ended.then(({ code }) => reject(new Error(`the primary ended with ${code}: ${this.stderr}`)));
    });
    this.primary.send({ id, name, args, ...(pid !== undefined && { pid }) } satisfies Request);
    return reply as Promise<Requests[N]['reply']>;
  }

  async fork(): Promise<number> {
    const pid = await this.ask(undefined, 'fork');
    this.#workers.add(pid);
    return pid;
  }

  /** Listens on 127.0.0.1; the port. */
  async listen(pid: number, port = 0, listen: Partial<Listen> = {}): Promise<number> {
    const options = { host: '127.0.0.1', port, ...listen.options };
    const reply = await this.ask(pid, 'listen', { name: 'one', ...listen, options });
    if ('port' in reply && !('code' in reply)) return reply.port as number;
    throw Object.assign(new Error((reply as Failure).message), reply);
  }

  /** A secure connection over turbo, and the process that it reached. UDP has time enough. */
  async turbo(port: number, options: TurboConnectionOptions = {}): Promise<Reached<TurboSocket>> {
    const turbo = { memory: this.memory, ...options.turbo, limits: { graceMinMs: 5000, ...options.turbo?.limits } };
    const socket = connect({ ...this.#to(port), ...options, turbo });
    return this.#reached(socket);
  }

  async plain(port: number, options: tls.ConnectionOptions = {}): Promise<Reached<tls.TLSSocket>> {
    return this.#reached(tls.connect({ ...this.#to(port), ...options }));
  }

  /** Which processes answer, of so many connections that are open at once. */
  async spread(port: number, connections = 8): Promise<number[]> {
    const all = await Promise.all(Array.from({ length: connections }, () => this.plain(port)));
    for (const { socket } of all) socket.destroy();
    return [...new Set(all.map(({ pid }) => pid))].sort();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.on('error', () => {}).destroy();
    this.primary.kill('SIGKILL');
    await this.ended;
    for (const pid of this.#workers) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended with its primary.
      }
    }
  }

  #to(port: number) {
    return { host: '127.0.0.1', port, servername: 'localhost', ca: this.certificate.ca };
  }

  async #reached<S extends tls.TLSSocket>(socket: S): Promise<Reached<S>> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const closed = once(socket, 'close').then(() => Promise.reject(new Error('closed')));
    closed.catch(() => {});
    await Promise.race([once(socket, 'secureConnect'), closed]);
    const [said] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer];
    socket.on('error', () => {});
    return { socket, pid: Number(said.toString()) };
  }
}

export interface Reached<S> {
  socket: S;
  /** The process that serves it. */
  pid: number;
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
