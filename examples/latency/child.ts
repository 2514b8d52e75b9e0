/** A program of the harness, on one of the two hosts or on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What runs a command where the program is to run; see Link.command. */
export type Place = (command: readonly string[]) => [file: string, ...args: string[]];

export const here: Place = (command) => command as [string, ...string[]];

/** How long it may take to clear up, ms. */
const END_TIMEOUT_MS = 10_000;

export class Child<Request, Message extends { kind: string }> {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<unknown>;

  /** @param script beside this file: `client-process.js` */
  constructor(place: Place, script: string, args: readonly string[] = []) {
    this.#name = script;
    const program = fileURLToPath(new URL(script, import.meta.url));
    const [file, ...rest] = place([process.execPath, '--disable-warning=ExperimentalWarning', program, ...args]);
    // Detached: Ctrl-C is for the program that directs, which ends the others in their order.
    this.#child = spawn(file, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true });
    // Not 'close', which does not come where this side has closed the channel.
    this.#ended = once(this.#child, 'exit');
    this.#ended.catch(() => {});
  }

  send(request: Request): void {
    if (this.#child.connected) this.#child.send(request as object, () => {});
  }

  /** Hears each message until `onMessage` gives something; rejects where the program ends before. */
  until<T>(onMessage: (message: Message) => T | undefined | Promise<T | undefined>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#child.off('message', hear);
        this.#child.off('exit', ended);
        act();
      };
      const hear = async (message: Message) => {
        try {
          const result = await onMessage(message);
          if (result !== undefined) settle(() => resolve(result));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const ended = (code: number | null, signal: string | null) =>
        settle(() => reject(new Error(`${this.#name} ended with ${code ?? signal} while it was needed`)));
      this.#child.on('message', hear);
      this.#child.once('exit', ended);
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        ended(this.#child.exitCode, this.#child.signalCode);
      }
    });
  }

  /** Ends it, and waits until it is gone; again is no error. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#ended.catch(() => {});
    clearTimeout(timer);
  }
}
