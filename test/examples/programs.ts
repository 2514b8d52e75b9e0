/** Starts the examples as a user does: as programs of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const examples = new URL('../../examples/', import.meta.url);

/** How a program ended, and what it said. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Program {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when its standard output matches; rejects when it ends without. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
}

const running = new Set<Program>();

/** Starts `examples/…/name.js`. What is running at the end of a test is ended by `endPrograms`. */
export function start(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Program {
  const path = fileURLToPath(new URL(`${script}.js`, examples));
  const child = spawn(process.execPath, [path, ...args], { env: { ...process.env, ...env } });
  const output = { stdout: '', stderr: '' };
  child.stdin.on('error', () => {}); // it may end without reading all that it is sent
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  const program: Program = {
    process: child,
    ended,
    async said(pattern) {
      const found = () => pattern.exec(output.stdout);
      while (!found()) {
        const more = once(child.stdout, 'data').then(() => undefined);
        const end = await Promise.race([more, ended]);
        if (end && !found()) throw new Error(`${script} ended (${end.code}) without ${pattern}: ${end.stderr}`);
      }
      return found() as RegExpExecArray;
    },
  };
  running.add(program);
  void ended.then(() => running.delete(program));
  return program;
}

/** Runs a program to its end. */
export function run(script: string, args: readonly string[] = [], input = ''): Promise<Ended> {
  const program = start(script, args);
  program.process.stdin?.end(input);
  return program.ended;
}

export async function endPrograms(): Promise<void> {
  const left = [...running];
  for (const { process } of left) process.kill('SIGKILL');
  await Promise.all(left.map(({ ended }) => ended));
}
