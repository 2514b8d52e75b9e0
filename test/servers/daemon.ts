/** A server process: started, waited for until it answers, started again, ended; its folder goes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { END_FILE, serverAccount } from './workshop.js';

export interface DaemonOptions {
  /** For errors. */
  name: string;
  /** From `makeFolder`; removed by `stop`. */
  folder: string;
  command: readonly [file: string, ...args: string[]];
  /** Ends it at once and in order. */
  endSignal: NodeJS.Signals;
  /** Rejects as long as the server does not answer, and within seconds. */
  probe: () => Promise<unknown>;
}

/** What runs at a time. */
interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 5_000;
const PROBE_INTERVAL_MS = 20;

/** Servers never listen where Linux takes the ports of outgoing connections from: nothing else gets theirs meanwhile. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

export class Daemon {
  readonly #options: DaemonOptions;
  #run: Run | undefined;
  #log = '';

  private constructor(options: DaemonOptions) {
    this.#options = options;
  }

  /** Resolves once it answers; on failure nothing is left, and the error says what the server said. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    try {
      await daemon.#start();
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return daemon;
  }

  /** What all its runs said so far. */
  get log(): string {
    return this.#log;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#run?.child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#run?.child.kill(signal);
  }

  async restart(): Promise<void> {
    await this.#end();
    await this.#start();
  }

  /** Ends it and removes its folder; again is no error. */
  async stop(): Promise<void> {
    await this.#end();
    await rm(this.#options.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const { folder, command, endSignal } = this.#options;
    const [file, ...args] = command;
    const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
    const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], ...serverAccount() });
    // At once, so that there is no moment in which it would outlive this process.
    if (child.pid !== undefined) writeFileSync(join(folder, END_FILE), `${endSignal.slice(3)} ${child.pid}\n`);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log += text;
      });
    }
    const exited = new Promise<void>((resolve) => {
      child.once('error', (error) => {
        this.#log += error.message;
        resolve();
      });
      child.once('close', resolve);
    });
    this.#run = { child, exited };
    await this.#untilReady(this.#run);
  }

  async #untilReady({ child, exited }: Run): Promise<void> {
    let hasExited = false;
    void exited.then(() => {
      hasExited = true;
    });
    let cause: unknown;
    for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; ) {
      if (hasExited) throw this.#failure(`ended with ${child.exitCode ?? child.signalCode}`, cause);
      try {
        await this.#options.probe();
        return;
      } catch (error) {
        cause = error;
      }
      await Promise.race([exited, delay(PROBE_INTERVAL_MS)]);
    }
    throw this.#failure(`does not answer after ${START_TIMEOUT_MS} ms`, cause);
  }

  #failure(what: string, cause: unknown): Error {
    return new Error(`${this.#options.name} ${what}; it said:\n${this.#log}`, { cause });
  }

  async #end(): Promise<void> {
    if (this.#run === undefined) return;
    const { child, exited } = this.#run;
    child.kill(this.#options.endSignal);
    const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
    this.#run = undefined;
    await rm(join(this.#options.folder, END_FILE), { force: true });
  }
}

/** Those that were given: whoever got one may not listen on it yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on, another one each time. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    if (given.has(port)) continue;
    given.add(port);
    const server = createServer();
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      return port;
    } catch {
      // taken
    } finally {
      server.close();
    }
  }
  throw new Error('no free port on 127.0.0.1');
}
