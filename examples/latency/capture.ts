/** What the client's host sees of the network, recorded by tcpdump: a measure that is not the harness's own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CLIENT_DEVICE, type Link } from './link/index.js';

/** tcpdump asks its capture only now and then whether it is to end. */
const END_TIMEOUT_MS = 5_000;

export class Capture {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#ended = once(process, 'exit');
    this.#ended.catch(() => {});
  }

  /** @param file a pcap; replaced where there is one */
  static async start(link: Link, file: string): Promise<Capture> {
    // Its own account could not write where the user may.
    const tcpdump = ['tcpdump', '-Z', 'root', '--immediate-mode', '-U', '-n', '-i', CLIENT_DEVICE, '-w', file];
    const [program, ...args] = link.command('client', tcpdump);
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    const capture = new Capture(child);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('listening on')) resolve();
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`tcpdump does not record (Debian's package tcpdump): ${said.trim()}`)));
    });
    return capture;
  }

  /** The file is whole. */
  async stop(): Promise<void> {
    this.#process.kill('SIGINT');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#ended.catch(() => {});
    clearTimeout(timer);
  }
}
