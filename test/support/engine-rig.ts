/**
 * An Engine under a test's hands: UDP that records, real TCP on loopback, time that moves when told.
 *
 *     const rig = new EngineRig();
 *     const client = rig.client();
 *     client.hello();                        // a session is open: rig.sessions[0]
 *     await rig.write(rig.sessions[0], bytes); // TLS's flight, as far as credit goes: rig.udp.take()
 *     const tcp = await rig.dial(client.tombstone());
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { Engine, type EngineOptions } from '../../src/engine/engine.js';
import type { EngineEvent } from '../../src/engine/events.js';
import type { Limits } from '../../src/limits.js';
import type { TcpSocket } from '../../src/platform/network.js';
import type { ServerIO } from '../../src/server/server-io.js';
import { type Datagram, decodeDatagram, type ServerDatagram } from '../../src/wire/datagram.js';
import type { FirstBytes } from '../../src/wire/first-bytes.js';
import { decodeReply, type Reply } from '../../src/wire/frame.js';
import { type ClientFields, clientDatagram, idOf, tombstone } from './bytes.js';
import { ManualClock } from './manual-clock.js';
import { RecordingUdp } from './recording-udp.js';

/** A TLS record as long as a ClientHello. */
export function record(length = 300, fill = 0x11): Buffer {
  const header = Buffer.from([0x16, 0x03, 0x01, length >> 8, length & 255]);
  return Buffer.concat([header, Buffer.alloc(length, fill)]);
}

/** The claim of a tombstone, where it is to differ from what the client knows. */
interface Claim {
  secret?: Buffer;
  instance?: Buffer;
  serverSequence?: number;
  clientSequence?: number;
}

/** One client, byte by byte: its secret, its UDP address, what the server told it. */
export class RigClient {
  readonly #rig: EngineRig;
  readonly secret = randomBytes(32);
  readonly connectionId = idOf(this.secret);
  readonly from: { address: string; port: number };

  constructor(rig: EngineRig, from: { address: string; port: number }) {
    this.#rig = rig;
    this.from = from;
  }

  send(fields: Omit<ClientFields, 'connectionId'>): void {
    this.#rig.udp.receive(clientDatagram({ connectionId: this.connectionId, ...fields }), this.from);
  }

  /** A whole first flight in one datagram. */
  hello(payload = record()): void {
    this.send({ sequence: 1, payload });
  }

  /** A request: credit for one answer. */
  request(acknowledged = 0): void {
    this.send({ acknowledged });
  }

  /** The server's datagrams to this client since the last call of `udp.take`, which takes those to others too. */
  answers(): ServerDatagram[] {
    return this.#rig.udp
      .take()
      .map(({ bytes }) => decodeDatagram(bytes) as Datagram)
      .filter((each): each is ServerDatagram => each.side === 'server' && each.connectionId.equals(this.connectionId));
  }

  /** The instance of this client's session, learnt by writing a byte on its stream. */
  async learnInstance(): Promise<Buffer> {
    const stream = this.stream;
    stream.write(Buffer.from([0]));
    await settle();
    const [answer] = this.answers();
    if (!answer) throw new Error('the session did not answer');
    return answer.instance;
  }

  get stream(): ServerIO {
    const stream = this.#rig.sessions.find(({ connectionId }) => connectionId.equals(this.connectionId));
    if (!stream) throw new Error('the client has no session');
    return stream;
  }

  tombstone(claim: Claim = {}): Buffer {
    return tombstone({ secret: this.secret, instance: Buffer.alloc(8), ...claim });
  }
}

/** A TCP connection to the rig, with what came over it. */
export class RigConnection {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', () => {}); // reset by the engine: `closed` tells
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The Reply, and the bytes behind it. */
  async reply(): Promise<{ reply: Reply; rest: Buffer }> {
    await until(() => decodeReply(this.received) !== undefined || this.socket.destroyed);
    const decoded = decodeReply(this.received);
    if (!decoded) throw new Error('the connection was closed before the Reply');
    return { reply: decoded.reply, rest: this.received.subarray(decoded.length) };
  }

  /** Whether the engine's end is gone: FIN or RST came. */
  async closed(): Promise<void> {
    await until(() => this.ended || this.socket.closed);
  }
}

export interface RigOptions extends Partial<Omit<EngineOptions, 'clock' | 'limits'>> {
  limits?: Partial<Limits>;
}

export class EngineRig {
  readonly clock = new ManualClock(1000);
  readonly udp = new RecordingUdp();
  readonly events: EngineEvent[] = [];
  readonly sessions: ServerIO[] = [];
  readonly plain: { protocol: FirstBytes; socket: TcpSocket }[] = [];
  /** Keeps TCP connections from the engine: they gather in `held`. */
  hold = false;
  readonly held: TcpSocket[] = [];
  readonly engine: Engine;
  readonly #connections: RigConnection[] = [];
  readonly #accepted = new Set<Socket>();
  #server: Server | undefined;
  #clients = 0;

  constructor(options: RigOptions = {}) {
    this.engine = new Engine({
      onProtocol: (protocol, socket) => {
        socket.on('error', () => {}); // reset by the client
        this.plain.push({ protocol, socket });
        return true;
      },
      ...options,
      clock: this.clock,
      onSession: (io) => {
        io.on('error', () => {});
        io.read(0); // as TLS asks for its first bytes
        this.sessions.push(io);
        options.onSession?.(io);
      },
    });
    this.engine.events$.subscribe((event) => this.events.push(event));
    this.engine.serve(this.udp);
  }

  /** Another client, at an address of its own. */
  client(from?: { address: string; port: number }): RigClient {
    const number = ++this.#clients;
    return new RigClient(this, from ?? { address: '198.51.100.7', port: 20_000 + (number % 40_000) });
  }

  /** Reasons of drops, refusals or rejections so far, in order. */
  reasons(type: 'dropped' | 'refused' | 'rejected'): string[] {
    return this.events.flatMap((event) => (event.type === type && 'reason' in event ? [event.reason] : []));
  }

  /** TCP connections whose end at the engine is not destroyed. */
  get openConnections(): number {
    return [...this.#accepted].filter(({ destroyed }) => !destroyed).length;
  }

  /** A TCP connection to the engine, which begins with these bytes. */
  async dial(first?: Buffer): Promise<RigConnection> {
    this.#server ??= await this.#listen();
    const { port } = this.#server.address() as AddressInfo;
    const accepted = this.#accepted.size;
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
    const connection = new RigConnection(socket);
    this.#connections.push(connection);
    await once(socket, 'connect');
    await until(() => this.#accepted.size > accepted);
    if (first) socket.write(first);
    return connection;
  }

  /** Ends all that the rig has opened. */
  async close(): Promise<void> {
    this.engine.close();
    for (const { socket } of this.#connections) socket.destroy();
    for (const socket of this.#accepted) socket.destroy();
    const server = this.#server;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async #listen(): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accepted.add(socket);
      if (!this.hold) {
        this.engine.handleConnection(socket);
        return;
      }
      socket.on('error', () => {});
      socket.read(0); // its bytes gather
      this.held.push(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }
}

/** All that a stream holds now: from Node 26 on `read` gives one chunk at a time. */
export function readAll(stream: Readable): Buffer {
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Lets what is due in this tick and the next happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Waits for what real sockets bring; bounded. */
export async function until(condition: () => boolean, patienceMs = 5000): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not so within ${patienceMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
