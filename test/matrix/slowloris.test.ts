/**
 * Item 9 of the reliability matrix: clients that are slow on purpose. Each is gone at its limit and a second more.
 *
 * The full crowd stands in virtual time: attach() works on a tls.Server that listens for real, but its connections, its
 * datagrams and its clock are virtual. A smaller crowd on loopback shows that the kernel's sockets go the same way.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { attach, createServer, type Limits, type TcpSocket, type TurboPort } from '../../src/experimental.js';
import { defaultLimits } from '../../src/limits.js';
import { encodeDatagram } from '../../src/wire/datagram.js';
import { encodeTombstone } from '../../src/wire/frame.js';
import { connectionIdOf, makeSecret } from '../../src/wire/identity.js';
import type { VirtualHost } from '../simulator/host.js';
import { announceSeed, byForm, makeWorld, NAME, type World } from './support.js';

const SERVER = '127.0.0.1';
const SECOND = 1000;
const CROWD = byForm({ short: 400, long: 10_000 });
/** Room for the whole crowd in a half of each table, so that no limit shrinks. */
const ROOM: Partial<Limits> = { unroutedConnections: 2 * CROWD, halfOpenSessions: 2 * CROWD, halfOpenBytes: 2 ** 34 };
const MS_PER_CLIENT = 0.5;

/** The beginning of a ClientHello: a record of 512 bytes, of which some are there. */
const HALF_HELLO = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(100)]);
/** PostgreSQL's SSLRequest without its last byte. */
const HALF_STARTUP = Buffer.from('0000000804d216', 'hex');
const NOBODYS_TOMBSTONE = encodeTombstone({
  secret: Buffer.alloc(32, 1),
  instance: Buffer.alloc(8),
  serverSequence: 0,
  clientSequence: 0,
});

/** Acts a client's part over a connection of its own; what it does later, it does with `every`. */
interface SlowKind {
  name: string;
  /** When it must be gone, ms after it came. */
  limitMs: number;
  tcp?: (socket: TcpSocket, every: (ms: number, action: (turn: number) => void) => void) => void;
  /** The payload of a datagram that opens a session. */
  udp?: Buffer;
}

const { firstBytesTimeoutMs, handshakeTimeoutMs, sessionLifetimeMs } = defaultLimits;

function byteBySecond(bytes: Buffer): SlowKind['tcp'] {
  return (socket, every) =>
    every(SECOND, (turn) => {
      const at = turn % bytes.length;
      socket.write(bytes.subarray(at, at + 1));
    });
}

const KINDS: readonly SlowKind[] = [
  { name: 'silent', limitMs: firstBytesTimeoutMs, tcp: () => {} },
  { name: 'a tombstone at 1 byte/s', limitMs: firstBytesTimeoutMs, tcp: byteBySecond(NOBODYS_TOMBSTONE) },
  {
    name: 'half a tombstone',
    limitMs: firstBytesTimeoutMs,
    tcp: (socket) => socket.write(NOBODYS_TOMBSTONE.subarray(0, 20)),
  },
  { name: 'half a startup', limitMs: firstBytesTimeoutMs, tcp: (socket) => socket.write(HALF_STARTUP) },
  {
    name: 'a rejected tombstone, then silent',
    limitMs: firstBytesTimeoutMs,
    tcp: (socket) => socket.write(NOBODYS_TOMBSTONE),
  },
  { name: 'half a ClientHello over TCP', limitMs: handshakeTimeoutMs, tcp: (socket) => socket.write(HALF_HELLO) },
  // That it speaks TLS shows with its second byte.
  { name: 'a ClientHello at 1 byte/s', limitMs: handshakeTimeoutMs + SECOND, tcp: byteBySecond(HALF_HELLO) },
  { name: 'half a ClientHello over UDP', limitMs: sessionLifetimeMs, udp: HALF_HELLO },
];

interface AttachedServer {
  turbo: TurboPort;
  engine: NonNullable<TurboPort['engine']>;
  port: number;
  /** TCP connections that it has. */
  open: ReadonlySet<TcpSocket>;
}

const closing: (() => Promise<void>)[] = [];

/** A server by `attach`, whose sockets and time are virtual. */
async function attachVirtually(world: World, limits: Partial<Limits>): Promise<AttachedServer> {
  const { key, cert } = world.certificate;
  const server = tls.createServer({ key, cert });
  const host = world.net.host(SERVER);
  const turbo = attach(server, { network: host, clock: world.clock, limits });
  server.listen(0, SERVER);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const tcp = host.createTcpServer({ allowHalfOpen: true }).listen({ host: SERVER, port });
  const open = new Set<TcpSocket>();
  tcp.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    server.emit('connection', socket);
  });
  await world.clock.settle();
  expect(turbo.address()).not.to.equal(null);
  closing.push(async () => {
    tcp.close();
    server.close();
    await once(server, 'close');
    await world.clock.runUntilIdle();
    expect(world.net.openSockets()).to.deep.equal([]);
  });
  return { turbo, engine: turbo.engine as AttachedServer['engine'], port, open };
}

/** A slow client, when it came and when it was sent away. */
interface SlowClient {
  kind: SlowKind;
  cameMs: number;
  goneMs?: number;
}

function comes(world: World, host: VirtualHost, kind: SlowKind, port: number): SlowClient {
  const { clock } = world;
  const client: SlowClient = { kind, cameMs: clock.now() };
  if (kind.udp) {
    const udp = host.createUdpSocket({ type: 'udp4' });
    const connectionId = connectionIdOf(makeSecret());
    const bytes = encodeDatagram({ side: 'client', connectionId, sequence: 1, acknowledged: 0, payload: kind.udp });
    udp.bind({}, () => udp.send(bytes, port, SERVER, () => udp.close()));
    return client;
  }
  const socket = host.connectTcp({ host: SERVER, port });
  socket.on('error', () => {});
  socket.resume();
  socket.once('close', () => {
    client.goneMs = clock.now();
  });
  socket.once('end', () => socket.end());
  socket.once('connect', () => {
    client.cameMs = clock.now();
    kind.tcp?.(socket, (ms, action) => {
      let turn = 0;
      const again = () => {
        if (socket.destroyed) return;
        action(turn++);
        clock.after(ms, again);
      };
      again();
    });
  });
  return client;
}

describe('item 9: slowloris', () => {
  announceSeed();

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  it(`a crowd of ${CROWD}: each is gone at its limit and a second more`, async () => {
    const world = await makeWorld({ link: { delayMs: 0 } });
    const { engine, port, open } = await attachVirtually(world, ROOM);
    const clients: SlowClient[] = [];
    for (let index = 0; index < CROWD; index++) {
      const kind = KINDS[index % KINDS.length] as SlowKind;
      clients.push(comes(world, world.net.host(`10.1.${index >> 8}.${index & 255}`), kind, port));
      await world.clock.advance(MS_PER_CLIENT);
    }
    // All are there until the first limit is near.
    expect(world.clock.now()).to.be.below(firstBytesTimeoutMs);
    expect(engine.halfOpen.sessions).to.equal(CROWD / KINDS.length);
    expect(open.size).to.equal(CROWD - CROWD / KINDS.length);
    const longest = Math.max(...KINDS.map(({ limitMs }) => limitMs));
    await world.clock.advance(longest + SECOND);
    expect(open.size, 'connections').to.equal(0);
    expect(engine.unrouted, 'connections without first bytes').to.equal(0);
    expect(engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });

    for (const kind of KINDS.filter(({ tcp }) => tcp)) {
      const stays = clients
        .filter((client) => client.kind === kind)
        .map(({ cameMs, goneMs = Infinity }) => goneMs - cameMs);
      const least = Math.min(...stays);
      const most = Math.max(...stays);
      console.log(`      ${kind.name.padEnd(36)}${stays.length} clients, gone after ${least} to ${most} ms`);
      expect(least, `first to go: ${kind.name}`).to.be.at.least(kind.limitMs - SECOND);
      expect(most, `last to go: ${kind.name}`).to.be.at.most(kind.limitMs + SECOND);
    }
  }).timeout(byForm({ short: 30_000, long: 600_000 }));

  describe('under pressure', () => {
    const { pressureTimeoutMs, sessionLifetimeFullMs } = defaultLimits;
    const ENTRIES = 200;

    async function startSmall(): Promise<{ world: World; server: AttachedServer }> {
      const world = await makeWorld({ link: { delayMs: 0 } });
      const limits = { unroutedConnections: ENTRIES, halfOpenSessions: ENTRIES };
      return { world, server: await attachVirtually(world, limits) };
    }

    const silent = KINDS.find(({ name }) => name === 'silent') as SlowKind;
    const halfOverTcp = KINDS.find(({ name }) => name === 'half a ClientHello over TCP') as SlowKind;
    const halfOverUdp = KINDS.find(({ udp }) => udp !== undefined) as SlowKind;

    it('silent connections: in a full table the oldest has the shorter limit, and a new one gets its place', async () => {
      const { world, server } = await startSmall();
      const come = (index: number) =>
        comes(world, world.net.host(`10.1.${index >> 8}.${index & 255}`), silent, server.port);
      const crowd = Array.from({ length: ENTRIES }, (_, index) => come(index));
      await world.clock.advance(1);
      expect(server.engine.unrouted).to.equal(ENTRIES);

      const tooEarly = come(ENTRIES);
      await world.clock.advance(1);
      expect(tooEarly.goneMs, 'refused at once').to.be.a('number');
      expect(crowd.every(({ goneMs }) => goneMs === undefined)).to.equal(true);

      await world.clock.advance(pressureTimeoutMs);
      const tcp = world.net.host('10.0.0.1').connectTcp({ host: SERVER, port: server.port });
      const honest = tls.connect({ socket: tcp, servername: NAME, ca: world.certificate.ca });
      await world.clock.run(once(honest, 'secureConnect'));
      expect(server.engine.unrouted).to.be.at.most(ENTRIES);
      honest.destroy();
      await world.clock.advance(firstBytesTimeoutMs + SECOND);
      expect(server.open.size).to.equal(0);
      // Who comes later, into a fuller table, has less time.
      const stays = crowd.map(({ cameMs, goneMs = Infinity }) => goneMs - cameMs);
      expect(stays[1], 'the second to come').to.be.at.most(firstBytesTimeoutMs);
      expect(stays.at(-1), 'the last to come').to.be.at.most(pressureTimeoutMs + SECOND);
    });

    it('half ClientHellos over TCP: the more there are, the less time has the next', async () => {
      const { world, server } = await startSmall();
      const come = (index: number) => comes(world, world.net.host(`10.1.0.${index}`), halfOverTcp, server.port);
      const crowd = Array.from({ length: ENTRIES }, (_, index) => come(index));
      await world.clock.advance(pressureTimeoutMs + SECOND);
      expect(crowd[0]?.goneMs, 'the first to come').to.equal(undefined);
      expect(crowd.at(-1)?.goneMs, 'the last to come').to.be.a('number');
      await world.clock.advance(handshakeTimeoutMs + SECOND);
      expect(server.open.size).to.equal(0);
    });

    it('half a ClientHello over TCP has its whole time while the table of sessions is full', async () => {
      const { world, server } = await startSmall();
      for (let index = 0; index < ENTRIES; index++) {
        comes(world, world.net.host(`10.1.${index >> 8}.${index & 255}`), halfOverUdp, server.port);
      }
      await world.clock.advance(1);
      const client = comes(world, world.net.host('10.0.0.1'), halfOverTcp, server.port);
      await world.clock.advance(handshakeTimeoutMs - SECOND);
      expect(client.goneMs).to.equal(undefined);
      await world.clock.advance(2 * SECOND);
      expect(client.goneMs).to.be.a('number');
      expect(server.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
    });

    it('half ClientHellos over UDP: the fuller the table, the shorter the life; TCP goes on', async () => {
      const { world, server } = await startSmall();
      for (let index = 0; index < 2 * ENTRIES; index++) {
        comes(world, world.net.host(`10.1.${index >> 8}.${index & 255}`), halfOverUdp, server.port);
      }
      await world.clock.advance(1);
      expect(server.engine.halfOpen.sessions).to.equal(ENTRIES);
      expect(server.engine.drops.get('table-full')).to.equal(ENTRIES);

      await world.clock.advance(sessionLifetimeFullMs + SECOND);
      expect(server.engine.halfOpen.sessions).to.be.within(ENTRIES / 2, ENTRIES - 1);
      const tcp = world.net.host('10.0.0.1').connectTcp({ host: SERVER, port: server.port });
      const honest = tls.connect({ socket: tcp, servername: NAME, ca: world.certificate.ca });
      await world.clock.run(once(honest, 'secureConnect'));
      honest.destroy();
      await world.clock.advance(sessionLifetimeMs);
      expect(server.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
    });
  });

  describe('on loopback', () => {
    const REAL_CROWD = 500;
    /** Long enough for any machine: that the server closes is asserted, not when. */
    const PATIENCE_MS = 20_000;
    const SHORT: Partial<Limits> = {
      firstBytesTimeoutMs: 300,
      handshakeTimeoutMs: 600,
      sessionLifetimeMs: 300,
      sessionLifetimeFullMs: 300,
      pressureTimeoutMs: 200,
    };

    /** Slow clients of all kinds; resolves when the server has sent every one of them away. */
    async function expectAllGone(options: tls.TlsOptions): Promise<void> {
      const { key, cert } = (await makeWorld()).certificate;
      const server = createServer({ key, cert, ...options, turbo: { limits: SHORT } });
      server.listen(0, SERVER);
      await once(server, 'listening');
      closing.push(async () => {
        server.close();
        await once(server, 'close');
      });
      const { port } = server.address() as AddressInfo;
      for (let tries = 0; server.turbo?.address() === null && tries < 1_000; tries++) await sleep(1);

      const udp = createSocket('udp4');
      const gone: Promise<void>[] = [];
      for (let index = 0; index < REAL_CROWD; index++) {
        const kind = KINDS[index % KINDS.length] as SlowKind;
        if (kind.udp) {
          const connectionId = connectionIdOf(makeSecret());
          udp.send(
            encodeDatagram({ side: 'client', connectionId, sequence: 1, acknowledged: 0, payload: kind.udp }),
            port,
            SERVER,
          );
          continue;
        }
        const socket = connectTcp({ host: SERVER, port });
        const timers: NodeJS.Timeout[] = [];
        socket.on('error', () => {});
        socket.resume();
        socket.once('connect', () =>
          kind.tcp?.(socket, (ms, action) => {
            let turn = 0;
            action(turn++);
            timers.push(setInterval(() => action(turn++), ms / 20));
          }),
        );
        gone.push(
          new Promise((resolve) => {
            socket.once('close', () => {
              for (const timer of timers) clearInterval(timer);
              resolve();
            });
          }),
        );
      }
      const engine = server.turbo?.engine;
      const patience = sleep(PATIENCE_MS, 'some are still there', { ref: false });
      expect(await Promise.race([Promise.all(gone).then(() => 'all gone'), patience])).to.equal('all gone');
      const end = performance.now() + PATIENCE_MS;
      while (engine?.halfOpen.sessions !== 0 && performance.now() < end) await sleep(20);
      expect(engine?.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
      expect(engine?.unrouted).to.equal(0);
      udp.close();
    }

    it(`a crowd of ${REAL_CROWD} is sent away`, async () => {
      await expectAllGone({});
    }).timeout(60_000);

    it("and where node:tls's own time limit of the handshake, which closes nothing, is over first", async () => {
      await expectAllGone({ handshakeTimeout: 100 });
    }).timeout(60_000);
  });
});
