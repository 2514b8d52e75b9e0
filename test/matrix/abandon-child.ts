/**
 * The process of item 8: a TLS server with a TurboTLS port and clients that give up at every step, on loopback. It runs
 * with --expose-gc, and tells its parent what is left when all are gone.
 *
 *     node --expose-gc abandon-child.js '{"sessions":3000,"seed":"1"}'
 */
import { createSocket, type Socket as DgramSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, type Socket as TcpSocket } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import {
  connect,
  createServer,
  HandshakeState,
  PathMemory,
  type TurboServer,
  type TurboSocket,
} from '../../src/experimental.js';
import { PAYLOAD_MAX } from '../../src/wire/constants.js';
import { decodeDatagram, encodeDatagram, type ServerDatagram } from '../../src/wire/datagram.js';
import { encodeTombstone } from '../../src/wire/frame.js';
import { connectionIdOf, makeSecret } from '../../src/wire/identity.js';
import { Random } from '../simulator/random.js';
import { makeCertificate } from '../support/certificates.js';

export interface AbandonOptions {
  sessions: number;
  seed: string;
}

/** What the process holds when nobody is connected. */
export interface Held {
  /** JavaScript heap and buffers, after garbage collection. */
  bytes: number;
  residentBytes: number;
  /** Undefined where the system does not tell. */
  descriptors: number | undefined;
}

export interface AbandonReport {
  /** How often each step was the last one. */
  steps: Record<string, number>;
  /** Steps that needed an answer over UDP, and had none in time. */
  unanswered: number;
  before: Held;
  after: Held;
  halfOpen: { sessions: number; bytes: number };
  unrouted: number;
  connections: number;
  /** Sessions whose ClientHello was complete, and those that were bound. */
  events: Record<string, number>;
}

const HOST = '127.0.0.1';
const NAME = 'example.test';
/** Clients at a time. */
const WORKERS = 48;
/** Short, so that what is left waiting is gone soon. */
const LIFETIME_MS = 400;
/** How long the last of them may take to be gone. */
const DRAIN_MS = 5_000;
/** Nothing takes a step longer than this. */
const PATIENCE_MS = 2_000;
/** Steps before the first measurement: code gets compiled, pools filled. */
const WARM_UP_PART = 0.25;
const WARM_UP_LEAST = 500;

class NoAnswer extends Error {}

/** Ends a session at one step; resolves when the client has left. */
type Step = () => Promise<void>;

/** Sends raw datagrams for many sessions, and hands answers to who waits for them. */
class RawUdp {
  readonly #socket: DgramSocket = createSocket('udp4');
  readonly #waiting = new Map<string, (datagram: ServerDatagram) => void>();
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
    this.#socket.on('message', (message) => {
      const datagram = decodeDatagram(message);
      if (typeof datagram !== 'string' && datagram.side === 'server') {
        this.#waiting.get(datagram.connectionId.toString('latin1'))?.(datagram);
      }
    });
  }

  send(connectionId: Buffer, sequence: number, payload: Buffer): void {
    const bytes = encodeDatagram({ side: 'client', connectionId, sequence, acknowledged: 0, payload });
    this.#socket.send(bytes, this.#port, HOST);
  }

  /** The first answer to a session; rejects when there is none in time. */
  answer(connectionId: Buffer): Promise<ServerDatagram> {
    const key = connectionId.toString('latin1');
    return new Promise<ServerDatagram>((resolve, reject) => {
      const timer = setTimeout(reject, PATIENCE_MS, new NoAnswer());
      this.#waiting.set(key, (datagram) => {
        clearTimeout(timer);
        resolve(datagram);
      });
    }).finally(() => this.#waiting.delete(key));
  }

  close(): void {
    this.#socket.close();
  }
}

/** The ClientHello that node:tls would send. */
function captureClientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const io = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, callback) {
        callback();
        resolve(chunk);
        io.destroy();
      },
    });
    tls.connect({ socket: io, servername: NAME }).on('error', () => {});
  });
}

/** `once` would take an error for a failure of the step. */
function closed(socket: TcpSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Leaves without a word, as a client whose host lost its power, but at once. */
async function reset(socket: TcpSocket): Promise<void> {
  socket.on('error', () => {});
  if (!socket.destroyed) socket.resetAndDestroy();
  await closed(socket);
}

async function dial(port: number): Promise<TcpSocket> {
  const socket = connectTcp({ host: HOST, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Until the peer closes, or for as long as a client has patience. */
async function untilClosed(socket: TcpSocket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  const patience = setTimeout(() => socket.resetAndDestroy(), PATIENCE_MS);
  await closed(socket);
  clearTimeout(patience);
}

/** Steps of a client that knows the wire and keeps to no rule. */
function rawSteps(port: number, udp: RawUdp, hello: Buffer): Record<string, Step> {
  const first = hello.subarray(0, Math.min(PAYLOAD_MAX, hello.length));
  const rest = hello.subarray(first.length);

  function sendHello(connectionId: Buffer): void {
    udp.send(connectionId, 1, first);
    if (rest.length > 0) udp.send(connectionId, 2, rest);
  }
  /** A session that the server has answered. */
  async function answered(): Promise<Buffer> {
    const secret = makeSecret();
    const connectionId = connectionIdOf(secret);
    const answer = udp.answer(connectionId);
    sendHello(connectionId);
    const { instance, sequence } = await answer;
    return encodeTombstone({ secret, instance, serverSequence: sequence === 1 ? 1 : 0, clientSequence: 0 });
  }
  /** A session that is claimed by the bytes that `claim` makes of the tombstone, then left by `leave`. */
  async function claimed(claim: (tombstone: Buffer) => Buffer, leave: (socket: TcpSocket) => Promise<void>) {
    const tombstone = await answered();
    const socket = await dial(port);
    socket.write(claim(tombstone));
    await leave(socket);
  }
  async function overTcp(bytes: Buffer, leave: (socket: TcpSocket) => Promise<void>): Promise<void> {
    const socket = await dial(port);
    if (bytes.length > 0) socket.write(bytes);
    await leave(socket);
  }
  const afterReply = async (socket: TcpSocket) => {
    await once(socket, 'data');
    await reset(socket);
  };
  const whole = (tombstone: Buffer) => tombstone;

  return {
    'whole ClientHello over UDP': async () => sendHello(connectionIdOf(makeSecret())),
    'half a ClientHello over UDP': async () => udp.send(connectionIdOf(makeSecret()), 1, first.subarray(0, 200)),
    'last datagram of a ClientHello alone': async () => udp.send(connectionIdOf(makeSecret()), 2, first.subarray(200)),
    'no TLS over UDP': async () => udp.send(connectionIdOf(makeSecret()), 1, Buffer.from('1603010004junk', 'latin1')),
    'alert in the first flight': async () =>
      udp.send(connectionIdOf(makeSecret()), 1, Buffer.from('15030100020228', 'hex')),
    'answer received': async () => void (await answered()),
    'TCP connected without a tombstone': async () => {
      await answered();
      await overTcp(Buffer.alloc(0), reset);
    },
    'TCP silent until its limit': () => overTcp(Buffer.alloc(0), untilClosed),
    'half a tombstone, reset': () => claimed((tombstone) => tombstone.subarray(0, 30), reset),
    'half a tombstone until its limit': () => claimed((tombstone) => tombstone.subarray(0, 30), untilClosed),
    'tombstone, reset at once': () => claimed(whole, reset),
    'tombstone, reset after the Reply': () => claimed(whole, afterReply),
    'tombstone and FIN': () =>
      claimed(whole, (socket) => {
        socket.end();
        return untilClosed(socket);
      }),
    'tombstone and no TLS': () =>
      claimed((tombstone) => Buffer.concat([tombstone, hello, Buffer.alloc(64)]), untilClosed),
    'tombstone and half a record': () =>
      claimed((tombstone) => Buffer.concat([tombstone, hello, Buffer.from('1703030100', 'hex')]), afterReply),
    'tombstone of nobody': () =>
      overTcp(
        encodeTombstone({ secret: makeSecret(), instance: Buffer.alloc(8), serverSequence: 0, clientSequence: 0 }),
        afterReply,
      ),
    'half a ClientHello over TCP, reset': () => overTcp(hello.subarray(0, 100), reset),
    'half a ClientHello over TCP until its limit': () => overTcp(hello.subarray(0, 100), untilClosed),
    'ClientHello over TCP, reset in mid handshake': () => overTcp(hello, afterReply),
    'no protocol': () => overTcp(Buffer.from('GET / HTTP/1.1\r\n\r\n'), untilClosed),
  };
}

/** Steps of the real client, destroyed by its user. */
function clientSteps(dialTurbo: (firstContact: 'fast' | 'careful') => TurboSocket): Record<string, Step> {
  async function destroyed(socket: TurboSocket, when: (destroy: () => void) => void): Promise<void> {
    socket.on('error', () => {});
    const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
    when(() => socket.destroy());
    await closed(socket);
    clearTimeout(patience);
  }
  const steps: Record<string, Step> = {};
  for (const contact of ['fast', 'careful'] as const) {
    const step = (name: string, when: (socket: TurboSocket, destroy: () => void) => void) => {
      steps[`${contact} client destroyed ${name}`] = () => {
        const socket = dialTurbo(contact);
        return destroyed(socket, (destroy) => when(socket, destroy));
      };
    };
    step('at once', (_socket, destroy) => destroy());
    step('in the next tick', (_socket, destroy) => process.nextTick(destroy));
    step('in the next turn', (_socket, destroy) => void setImmediate(destroy));
    for (const state of [HandshakeState.GRACE, HandshakeState.CLAIMING, HandshakeState.BOUND]) {
      step(`within the change to ${HandshakeState[state]}`, (socket, destroy) => {
        socket.turbo?.state$.subscribe((current) => {
          if (current === state) destroy();
        });
      });
    }
    step('at TCP connect', (socket, destroy) => void socket.once('connect', destroy));
    step('when secure', (socket, destroy) => void socket.once('secureConnect', destroy));
    step('at the first byte', (socket, destroy) => {
      socket.write('x');
      socket.once('data', destroy);
    });
    step('with much on its way', (socket, destroy) => {
      socket.write(Buffer.alloc(300_000));
      socket.once('data', destroy);
    });
  }
  return steps;
}

/** Sessions that the server's side ends. */
function serverSteps(dialTurbo: (servername: string) => TurboSocket): Record<string, Step> {
  const ended = async (servername: string) => {
    const socket = dialTurbo(servername);
    socket.on('error', () => {});
    socket.resume();
    const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
    await closed(socket);
    clearTimeout(patience);
  };
  return {
    'server destroys when secure': () => ended('destroy.test'),
    'server ends when secure': () => ended('end.test'),
    'server refuses the name': () => ended('refuse.test'),
  };
}

async function startServer(events: Record<string, number>): Promise<{ server: TurboServer; ca: string }> {
  const { key, cert, ca } = await makeCertificate({ names: [NAME, '*.test'] });
  const server = createServer({
    key,
    cert,
    SNICallback: (name, callback) => {
      if (name === 'refuse.test') callback(new Error('refused'));
      else callback(null);
    },
    turbo: {
      limits: {
        sessionLifetimeMs: LIFETIME_MS,
        sessionLifetimeFullMs: LIFETIME_MS,
        firstBytesTimeoutMs: LIFETIME_MS,
        handshakeTimeoutMs: LIFETIME_MS,
        pressureTimeoutMs: LIFETIME_MS / 2,
        halfOpenSessions: 8_192,
        halfOpenBytes: 2 ** 30,
        handshakeCpuShare: 1_000, // client and server share a core here
      },
    },
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {});
    if (socket.servername === 'destroy.test') socket.destroy();
    else if (socket.servername === 'end.test') socket.end('bye');
    else socket.pipe(socket);
  });
  server.turbo?.events$.subscribe(({ type }) => {
    events[type] = (events[type] ?? 0) + 1;
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  for (let tries = 0; server.turbo?.address() === null && tries < 100; tries++) await sleep(1);
  return { server, ca };
}

async function measure(): Promise<Held> {
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc?.();
    await sleep(10);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const descriptors = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : undefined;
  return { bytes: heapUsed + external, residentBytes: rss, descriptors };
}

async function connectionsOf(server: TurboServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** Waits until nobody is connected and no session waits. */
async function drain(server: TurboServer): Promise<void> {
  const end = performance.now() + DRAIN_MS;
  while (performance.now() < end) {
    await sleep(50);
    const engine = server.turbo?.engine;
    if (engine?.halfOpen.sessions === 0 && engine.unrouted === 0 && (await connectionsOf(server)) === 0) break;
  }
  // The IDs of claimed sessions are kept for as long as these would have lived.
  await sleep(2 * LIFETIME_MS);
}

async function main({ sessions, seed }: AbandonOptions): Promise<AbandonReport> {
  const events: Record<string, number> = {};
  const { server, ca } = await startServer(events);
  const { port } = server.address() as AddressInfo;
  const udp = new RawUdp(port);
  const memories = { fast: new PathMemory(), careful: new PathMemory() };
  const turbo = (firstContact: 'fast' | 'careful', servername = NAME) =>
    connect({
      host: HOST,
      port,
      servername,
      ca,
      // Careful anew each time: a known path is fast.
      turbo: { firstContact, memory: firstContact === 'careful' ? new PathMemory() : memories.fast },
    });
  const steps = Object.entries({
    ...rawSteps(port, udp, await captureClientHello()),
    ...clientSteps((firstContact) => turbo(firstContact)),
    ...serverSteps((servername) => turbo('fast', servername)),
  });
  const done: Record<string, number> = {};
  let unanswered = 0;
  const random = new Random(seed);

  async function run(count: number): Promise<void> {
    let begun = 0;
    const work = async () => {
      while (begun++ < count) {
        const [name, step] = random.pick(steps);
        try {
          await step();
          done[name] = (done[name] ?? 0) + 1;
        } catch (error) {
          if (!(error instanceof NoAnswer)) throw error;
          unanswered++;
        }
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    await drain(server);
  }

  await run(Math.max(WARM_UP_LEAST, Math.min(10_000, sessions * WARM_UP_PART)));
  const before = await measure();
  await run(sessions);
  const after = await measure();
  const engine = server.turbo?.engine;
  const report: AbandonReport = {
    steps: done,
    unanswered,
    before,
    after,
    halfOpen: engine?.halfOpen ?? { sessions: 0, bytes: 0 },
    unrouted: engine?.unrouted ?? 0,
    connections: await connectionsOf(server),
    events,
  };
  udp.close();
  server.close();
  await once(server, 'close');
  return report;
}

const report = await main(JSON.parse(process.argv[2] as string) as AbandonOptions);
if (process.send) process.send(report);
else console.log(report);
process.disconnect?.();
