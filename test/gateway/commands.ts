/** Programs of others, as their users run them: psql, redis-cli, curl. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface CommandEnd {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Command {
  readonly process: ChildProcess;
  readonly ended: Promise<CommandEnd>;
}

const running = new Set<Command>();

/** Without the settings of whoever runs the tests: HOME and PG… are not theirs. */
export function startCommand(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Command {
  const { PATH } = process.env;
  const child = spawn(name, args, { env: { PATH, HOME: '/nonexistent', LC_ALL: 'C', ...env } });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }));
  const command = { process: child, ended };
  running.add(command);
  void ended.then(() => running.delete(command));
  return command;
}

export function runCommand(...args: Parameters<typeof startCommand>): Promise<CommandEnd> {
  return startCommand(...args).ended;
}

/** What a test has left behind. */
export async function endCommands(): Promise<void> {
  const left = [...running];
  for (const { process } of left) process.kill('SIGKILL');
  await Promise.all(left.map(({ ended }) => ended));
}
