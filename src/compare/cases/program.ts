/** Ways to connect that are programs of others: psql, redis-cli. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { onAbort } from '../../abort.js';
import { PathMemory } from '../../client/path-memory.js';
import { LocalProxy } from '../../gateway/index.js';
import type { HostAddress } from '../../transport.js';
import type { Missing, Prepared, Target } from '../case.js';
import { resolveServer } from './server.js';

/** What a program is told. */
export interface Telling {
  args: readonly string[];
  /** All that it gets, but for PATH and a language. */
  env: Readonly<Record<string, string>>;
}

export interface ProgramWay {
  name: string;
  /** Of the program, before those of PATH. */
  folders?: readonly string[];
  /** Whether it goes through a LocalProxy, which begins no TLS of its own: the program's passes through it. */
  throughProxy: boolean;
  tell(to: HostAddress, files: ProgramFiles): Telling;
}

/** One program's folder: its home, in which there is nothing of the user's. */
export interface ProgramFiles {
  home: string;
  /** The authorities to trust, PEM. */
  ca: string;
}

interface Invocation extends Telling {
  /** Path of the program. */
  file: string;
}

/** Starts of a program that are timed to learn what starting takes. */
const STARTS = 5;

/** Finds the program, times its start, and starts the proxy. A sample is the time to its first byte of output. */
export async function prepareProgram(
  { name, folders, throughProxy, tell }: ProgramWay,
  target: Target,
  signal: AbortSignal,
): Promise<Prepared | Missing> {
  const file = await findProgram(name, folders);
  if (file === undefined) return { missing: `the program ${name} is not installed` };
  const startMs = await timeStart(file, signal);
  const server = await resolveServer(target);
  const home = await mkdtemp(join(tmpdir(), 'turbotls-compare-'));
  const removeHome = () => rm(home, { recursive: true, force: true });
  try {
    const files = { home, ca: join(home, 'ca.pem') };
    await writeFile(files.ca, target.ca ?? rootCertificates.join('\n'));
    const proxy = throughProxy ? await startProxy(server.turbo) : undefined;
    const invocation = { file, ...tell(proxy?.address ?? server.tls, files) };
    return {
      startMs,
      once: async (signal) => ({ ms: await timeProgram(invocation, signal), phases: [] }),
      close: async () => {
        try {
          await proxy?.close();
        } finally {
          await removeHome();
        }
      },
    };
  } catch (error) {
    await removeHome();
    throw error;
  }
}

/** As it runs for long, it learns the path with its first connection. */
async function startProxy(to: HostAddress): Promise<{ address: HostAddress; close(): Promise<void> }> {
  const proxy = new LocalProxy(
    { listen: [{ host: '127.0.0.1', port: 0 }], to, backups: [], mode: { kind: 'transparent' } },
    { turbo: { memory: new PathMemory() } },
  );
  const [address] = await proxy.start();
  return { address: address as HostAddress, close: () => proxy.close() };
}

/** The program's path, or undefined. `folders` come before those of PATH. */
async function findProgram(name: string, folders: readonly string[] = []): Promise<string | undefined> {
  const all = [...folders, ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)];
  for (const path of all.map((folder) => join(folder, name))) {
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
}

/**
 * From starting the program to its first byte of output, ms; resolves when it has ended.
 * @throws where it fails, with what it said; where it says nothing; the signal's reason, when it is gone
 */
async function timeProgram({ file, args, env }: Invocation, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const start = performance.now();
  const child = spawn(file, [...args], { env: { PATH: process.env.PATH, LC_ALL: 'C', ...env }, stdio: 'pipe' });
  const stopListening = onAbort(signal, () => child.kill('SIGKILL'));
  let firstByteAt: number | undefined;
  child.stdin.on('error', () => {}); // it may end without having read
  child.stdin.end();
  child.stdout.once('data', () => {
    firstByteAt = performance.now();
  });
  try {
    const said = textOf(child);
    const [code, endSignal] = await once(child, 'close');
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`${file} ended with ${code ?? endSignal}: ${said().trim()}`);
    if (firstByteAt === undefined) throw new Error(`${file} ended without a word`);
    return firstByteAt - start;
  } finally {
    stopListening();
  }
}

/** What starting the program takes when it has nothing to do, ms: the median of a few. */
async function timeStart(file: string, signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < STARTS; count++) {
    times.push(await timeProgram({ file, args: ['--version'], env: {} }, signal));
  }
  return times.sort((a, b) => a - b)[Math.floor(STARTS / 2)] as number;
}

/** The errors that it told, for when it is over. */
function textOf({ stderr }: ChildProcess): () => string {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
