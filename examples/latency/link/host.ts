/**
 * A host of its own on this machine: a network namespace that has no name. A process that waits for the end of its input
 * holds it, and only this process can end that input: however this process ends, the holder ends too, and with the last
 * process in a namespace the kernel removes it and all that is in it. Nothing is left to clean up.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { runCommand } from './run-command.js';

export const CLIENT_ADDRESS = '10.88.0.1';
export const SERVER_ADDRESS = '10.88.0.2';
export const PREFIX_LENGTH = 24;
/** What the device is called on either host. */
export const DEVICE = 'link0';

/**
 * Set on a host before it has a device. TCP remembers nothing of connections before: each is cold. IPv6 is off, which
 * would say something unasked; a kernel without it has no such file.
 */
const SETTINGS = `
  echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save || exit
  ipv6=/proc/sys/net/ipv6/conf/default/disable_ipv6
  [ ! -e $ipv6 ] || echo 1 >$ipv6`;
export const APPLY_SETTINGS = ['sh', '-c', SETTINGS];

export class Host {
  readonly #holder: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<unknown>;

  private constructor(holder: ChildProcessByStdio<Writable, Readable, null>) {
    this.#holder = holder;
    this.#ended = once(holder, 'close');
    this.#ended.catch(() => {});
  }

  static async open(): Promise<Host> {
    // Detached: Ctrl-C is for the program, which may still want to end what runs here.
    const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    holder.stdin.on('error', () => {});
    const host = new Host(holder);
    try {
      // What `cat` repeats, it repeats from within.
      holder.stdin.write('here\n');
      await Promise.race([once(holder.stdout, 'data'), host.#ended.then(failToOpen)]);
      await host.run(APPLY_SETTINGS);
      return host;
    } catch (error) {
      await host.close();
      throw error;
    }
  }

  /** Of the process in whose network namespace the host is. */
  get pid(): number {
    return this.#holder.pid as number;
  }

  /** What runs a command on the host. It becomes that command: process id, standard streams and channels are the same. */
  command(command: readonly string[]): string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`, ...command];
  }

  /** Resolves with what the command writes to its standard output. */
  run(command: readonly string[], input?: string): Promise<string> {
    return runCommand(this.command(command), input);
  }

  /** The namespace remains as long as other processes run in it. */
  async close(): Promise<void> {
    this.#holder.kill('SIGKILL');
    await this.#ended.catch(() => {});
  }
}

function failToOpen(): never {
  throw new Error('a network namespace cannot be made: unshare ended at once');
}
