/** Programs that do one thing and end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Resolves with its standard output; rejects with what it said where it fails, or where it does not end in time. */
export async function runCommand(command: readonly string[], input = '', timeoutMs = 20_000): Promise<string> {
  const [file, ...args] = command as [string, ...string[]];
  const child = spawn(file, args, { timeout: timeoutMs, killSignal: 'SIGKILL' });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  if (code === 0) return stdout;
  throw new Error(`${command.join(' ')} ended with ${code ?? signal}: ${stderr.trim()}`);
}
