/** Keys in a SoftHSM token that a process of its own has: `p11-kit server`, for tests and examples. No root. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { surroundings } from '../../src/keys/surroundings.js';
import { findPart, howToInstall } from './parts.js';

const run = promisify(execFile);

const SOFTHSM = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib64/pkcs11/libsofthsm2.so',
  '/usr/lib/pkcs11/libsofthsm2.so',
];
const START_MS = 5_000;
const PIN = '4711';

export interface KeyProcess {
  /** As P11_KIT_SERVER_ADDRESS has it. */
  readonly address: string;
  /** Of the token's PIN. */
  readonly pinFile: string;
  readonly pin: string;
  /** Path of SoftHSM's module, and of its configuration, for those who load it themselves. */
  readonly module: string;
  readonly configuration: string;
  /** Of a key, with its PIN in a file. */
  uri(label: string): string;
  /** Those that have the keys: p11-kit starts one for each process that uses them. */
  pids(): number[];
  /** To them, and to what starts them. */
  signal(signal: NodeJS.Signals): void;
  /** Ends them, and what starts them. */
  kill(): Promise<void>;
  /** Again, at the same address. */
  start(): Promise<void>;
  /** Ends them and removes the token. */
  stop(): Promise<void>;
}

/** What is missing here, each with how to get it. */
export function missingForKeys(): string[] {
  const missing = (['softhsm2-util', 'p11-kit'] as const)
    .filter((part) => findPart(part) === undefined)
    .map(howToInstall);
  try {
    surroundings({ server: 'unix:path=/' });
  } catch (error) {
    missing.push((error as Error).message);
  }
  return missing;
}

/** @param keys PEM (PKCS #8), by label */
export async function startKeyProcess(keys: Readonly<Record<string, string>>): Promise<KeyProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-keys-'));
  try {
    const configuration = await makeToken(folder, keys);
    const process = new Server(folder, configuration);
    await process.start();
    return process;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function makeToken(folder: string, keys: Readonly<Record<string, string>>): Promise<string> {
  const configuration = join(folder, 'softhsm2.conf');
  mkdirSync(join(folder, 'tokens'));
  writeFileSync(configuration, `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`);
  writeFileSync(join(folder, 'pin'), PIN, { mode: 0o600 });
  const util = (...args: string[]) =>
    run('softhsm2-util', args, { env: { ...process.env, SOFTHSM2_CONF: configuration } });
  await util('--init-token', '--free', '--label', 'turbotls', '--pin', PIN, '--so-pin', PIN);
  for (const [index, [label, pem]] of Object.entries(keys).entries()) {
    const file = join(folder, 'import.pem');
    writeFileSync(file, pem, { mode: 0o600 });
    const id = (index + 1).toString(16).padStart(2, '0');
    await util('--import', file, '--token', 'turbotls', '--label', label, '--id', id, '--pin', PIN);
    rmSync(file);
  }
  return configuration;
}

class Server implements KeyProcess {
  readonly pin = PIN;
  readonly pinFile: string;
  readonly module: string;
  readonly configuration: string;
  readonly #folder: string;
  readonly #socket: string;
  #server: ChildProcess | undefined;

  constructor(folder: string, configuration: string) {
    this.#folder = folder;
    this.#socket = join(folder, 'socket');
    this.pinFile = join(folder, 'pin');
    this.configuration = configuration;
    this.module = SOFTHSM.find((path) => canRead(path)) ?? '';
  }

  get address(): string {
    return `unix:path=${this.#socket}`;
  }

  uri(label: string): string {
    return `pkcs11:token=turbotls;object=${label}?pin-source=file:${this.pinFile}`;
  }

  async start(): Promise<void> {
    const args = ['server', '-f', `--name=${this.#socket}`, '--provider', this.module, 'pkcs11:token=turbotls'];
    const env = { ...process.env, SOFTHSM2_CONF: this.configuration };
    this.#server = spawn('p11-kit', args, { env, stdio: 'ignore' });
    const deadline = Date.now() + START_MS;
    while (!(await accepts(this.#socket))) {
      if (Date.now() > deadline || this.#server.exitCode !== null) throw new Error('p11-kit server does not start');
      await sleep(5);
    }
  }

  pids(): number[] {
    return this.#children().filter((pid) => mapsOf(pid).includes(basename(this.module)));
  }

  #children(): number[] {
    const pid = this.#server?.pid;
    if (pid === undefined) return [];
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  }

  signal(signal: NodeJS.Signals): void {
    const children = this.#children();
    this.#server?.kill(signal);
    for (const pid of children) sendSignal(pid, signal);
  }

  async kill(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const ended = once(server, 'exit');
    this.signal('SIGKILL');
    this.#server = undefined;
    await ended;
    rmSync(this.#socket, { force: true });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A socket is there a moment before it is listened on. */
async function accepts(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Files and memory of a process; nothing of one that has just ended. */
function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return '';
  }
}

/** It may have ended. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {}
}

function canRead(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
