/** What the tests of the link share: what they need of the machine, and who is in a namespace. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Link, linkMissing } from '../../../../examples/latency/link/index.js';
import type { Conditions } from '../../../../src/compare/model.js';
import { skipUnlessCI } from '../../../support/skip.js';

const END_TIMEOUT_MS = 5_000;

/** Nothing but a round trip. */
export const PLAIN: Conditions = {
  roundTripMs: 20,
  jitterMs: 0,
  loss: 0,
  reorder: 0,
  duplicate: 0,
  rateKbit: 0,
  udp: 'pass',
  seed: 1,
};

/** For a `before` hook: where something is missing, a developer's run says so and skips, CI's fails. */
export function requireNothingMissing(context: Mocha.Context, missing: string | undefined): void {
  if (missing !== undefined) skipUnlessCI(context, missing);
}

export function requireLink(context: Mocha.Context): void {
  requireNothingMissing(context, linkMissing('tun'));
}

/** How the kernel calls the network namespaces of a link's hosts. */
export function namespacesOf(link: Link): string[] {
  return (['client', 'server'] as const).map((host) => {
    const [, option = ''] = link.command(host, []);
    return readlinkSync(option.replace('--net=', ''));
  });
}

/** Ids of the processes that are in one of the network namespaces. */
export function processesIn(namespaces: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return namespaces.includes(readlinkSync(`/proc/${pid}/ns/net`));
      } catch {
        return false; // it has just ended
      }
    })
    .map(Number);
}

/** A namespace that no process is in, and no file stands for, is gone: the link makes no such files. */
export async function untilGone(namespaces: readonly string[]): Promise<void> {
  for (const deadline = Date.now() + END_TIMEOUT_MS; Date.now() < deadline; await delay(10)) {
    if (processesIn(namespaces).length === 0) return;
  }
  throw new Error(`still there after ${END_TIMEOUT_MS} ms: processes ${processesIn(namespaces).join(', ')}`);
}

/** What runs a command on a host. */
type OnHost = (command: readonly string[]) => readonly string[];

export interface HostProgram {
  readonly child: ChildProcess;
  /** Resolves with its answer. */
  ask(request: unknown): Promise<unknown>;
  end(): Promise<void>;
}

/** Counts datagrams and sends them back, each 4 bytes of a number; reads a TCP connection to its end, then answers. */
const SERVER = `
  import { createSocket } from 'node:dgram';
  import { createServer } from 'node:net';
  let numbers = [];
  const udp = createSocket('udp4').on('message', (message, from) => {
    if (message.length === 4) numbers.push(message.readUInt32BE());
    udp.send(message, from.port, from.address);
  });
  const tcp = createServer({ allowHalfOpen: true }, (socket) => socket.resume().on('end', () => socket.end('got it')));
  process.on('message', () => {
    process.send(numbers);
    numbers = [];
  });
  udp.bind(7000, () => tcp.listen(7000, '0.0.0.0', () => process.send('ready')));
`;

/**
 * Sends numbered datagrams, then waits until all has come that comes, where packets do not overtake each other: until two
 * connections by TCP are over, or, where TCP would wait for what is lost, until another datagram is back. Tells which
 * numbers are back.
 */
const CLIENT = `
  import { createSocket } from 'node:dgram';
  import { once } from 'node:events';
  import { connect } from 'node:net';
  let numbers = [];
  const udp = createSocket('udp4').on('message', (message) => {
    if (message.length === 4) numbers.push(message.readUInt32BE());
    else udp.emit('last');
  });
  const send = (message) => new Promise((resolve, reject) => {
    udp.send(message, 7000, '10.88.0.2', (error) => (error ? reject(error) : resolve()));
  });
  const numbered = (number) => {
    const message = Buffer.alloc(4);
    message.writeUInt32BE(number);
    return message;
  };
  const overTcp = (bytes) => new Promise((resolve, reject) => {
    connect(7000, '10.88.0.2').on('error', reject).on('close', resolve).resume().end(Buffer.alloc(bytes));
  });
  const lastOverUdp = async () => {
    for (let isBack = false; !isBack; ) {
      const back = once(udp, 'last', { signal: AbortSignal.timeout(100) });
      await send('last one');
      isBack = await back.then(() => true, () => false);
    }
  };
  process.on('message', async ({ datagrams, bytes, lossy }) => {
    numbers = [];
    for (let number = 0; number < datagrams; number++) await send(numbered(number));
    if (lossy) {
      await lastOverUdp();
    } else {
      await overTcp(bytes);
      await overTcp(bytes);
    }
    process.send(numbers);
  });
  udp.bind(0, () => process.send('ready'));
`;

export class Talkers {
  readonly #client: HostProgram;
  readonly #server: HostProgram;

  private constructor(client: HostProgram, server: HostProgram) {
    this.#client = client;
    this.#server = server;
  }

  static async start(client: OnHost, server: OnHost): Promise<Talkers> {
    return new Talkers(await startNode(client, CLIENT), await startNode(server, SERVER));
  }

  /** Numbers of the datagrams that came to the server, and of those that came back to the client. */
  async talk({ datagrams = 0, bytes = 1, lossy = false } = {}): Promise<{ atServer: number[]; back: number[] }> {
    const back = (await this.#client.ask({ datagrams, bytes, lossy })) as number[];
    return { atServer: (await this.#server.ask('numbers')) as number[], back };
  }

  async end(): Promise<void> {
    await Promise.all([this.#client.end(), this.#server.end()]);
  }
}

/** Runs a piece of JavaScript, which says when it is ready and then answers each request. */
async function startNode(onHost: OnHost, code: string): Promise<HostProgram> {
  const [file, ...args] = onHost([process.execPath, '--input-type=module', '-e', code]) as [string, ...string[]];
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const closed = once(child, 'close');
  await once(child, 'message');
  return {
    child,
    async ask(request) {
      const answer = once(child, 'message');
      child.send(request as object);
      return (await answer)[0];
    },
    async end() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
