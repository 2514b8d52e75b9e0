/** Starts servers in processes of their own, and connects to them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { connect } from 'turbotls/experimental';
import type { ServerOrder } from './server-process.js';

const PROCESS = new URL('./server-process.js', import.meta.url);

export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  /** @param env beside the environment of this process */
  static async start(order: ServerOrder, env: NodeJS.ProcessEnv = {}): Promise<ServerProcess> {
    const child = fork(PROCESS, { env: { ...process.env, ...env } });
    child.send(order);
    const port = await Promise.race([
      once(child, 'message').then(([port]) => port as number),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the server ended with ${code}`))),
    ]);
    return new ServerProcess(child, port);
  }

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Connects, and says what the server says and how. */
  async ask(ca: string): Promise<{ said: string; carrier: string }> {
    const socket = connect({ host: '127.0.0.1', port: this.port, servername: 'localhost', ca });
    await once(socket, 'secureConnect');
    const carrier = socket.turbo?.carrier ?? 'tcp';
    return { said: await text(socket), carrier };
  }

  /** Connections are made by turns meanwhile. */
  async whileBusy<T>(ca: string, work: () => Promise<T>): Promise<T> {
    let over = false;
    const keepBusy = async () => {
      while (!over) await this.ask(ca);
    };
    const busy = Promise.all([keepBusy(), keepBusy()]);
    try {
      return await work();
    } finally {
      over = true;
      await busy;
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
