import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { TcpNetConnectOpts } from 'node:net';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { systemClock } from '../../src/platform/clock.js';
import type { TcpSocket } from '../../src/platform/network.js';
import { type Packet, VirtualNetwork, type VirtualNetworkOptions } from './network.js';
import { Random } from './random.js';
import type { VirtualTcpServer, VirtualTcpSocket } from './tcp.js';
import { VirtualClock } from './virtual-clock.js';

const CLIENT = '10.0.0.1';
const SERVER = '10.0.0.2';
const PORT = 443;

/** What comes until the end. Unlike an async iterator it does not destroy the stream, whose other half may be open. */
async function read(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('virtual TCP', () => {
  let clock: VirtualClock;
  let net: VirtualNetwork;

  function make(options: Omit<VirtualNetworkOptions, 'clock'> = {}): void {
    clock = new VirtualClock();
    net = new VirtualNetwork({ clock, link: { delayMs: 25 }, ...options });
  }

  function listen(options = {}, address = SERVER): VirtualTcpServer {
    return net.host(address).createTcpServer(options).listen({ port: PORT });
  }

  function connect(options: Partial<TcpNetConnectOpts> = {}): VirtualTcpSocket {
    return net.host(CLIENT).connectTcp({ host: SERVER, port: PORT, ...options });
  }

  async function pair(options: { allowHalfOpen?: boolean } = {}): Promise<[VirtualTcpSocket, TcpSocket]> {
    const server = listen(options);
    const client = connect(options);
    const [[accepted]] = await clock.run(Promise.all([once(server, 'connection'), once(client, 'connect')]));
    server.close();
    return [client, accepted as TcpSocket];
  }

  /** The events of a socket, with their time. */
  function record(socket: TcpSocket, ...names: string[]): string[] {
    const events: string[] = [];
    for (const name of names)
      socket.on(name, (what) => events.push(`${clock.now()} ${name} ${what?.code ?? ''}`.trim()));
    return events;
  }

  beforeEach(() => make());

  afterEach(() => {
    net.close();
    expect(net.openSockets()).to.deep.equal([]);
  });

  it('connects in one round trip, the server half of one later', async () => {
    const server = listen();
    let acceptedAt = -1;
    server.on('connection', () => {
      acceptedAt = clock.now();
    });
    const client = connect();
    const events = record(client, 'connectionAttempt', 'connect', 'ready', 'error', 'close');
    expect(client).to.include({ connecting: true, remoteAddress: undefined });
    await clock.runUntilIdle();
    expect(events).to.deep.equal(['0 connectionAttempt', '50 connect', '50 ready']);
    expect(acceptedAt).to.equal(75);
    expect(client).to.include({ connecting: false, remoteAddress: SERVER, remotePort: PORT, remoteFamily: 'IPv4' });
    expect(client.address()).to.deep.equal({ address: CLIENT, port: client.localPort, family: 'IPv4' });
    expect(server.address()).to.deep.equal({ address: '0.0.0.0', port: PORT, family: 'IPv4' });
  });

  it('never delivers within write, even without delay', async () => {
    net.setLink({ delayMs: 0 });
    const [client, server] = await pair();
    let heard = '';
    server.on('data', (chunk) => {
      heard += chunk;
    });
    client.write('x');
    expect(heard).to.equal('');
    await clock.runUntilIdle();
    expect(heard).to.equal('x');
  });

  it('copies what is written', async () => {
    const [client, server] = await pair();
    const bytes = Buffer.from('first');
    client.end(bytes, () => bytes.fill(0));
    expect(String(await clock.run(read(server)))).to.equal('first');
  });

  for (const loss of [0, 0.05, 0.3]) {
    it(`carries bytes exactly, both ways, at ${loss * 100} % loss`, async () => {
      make({ seed: 7, link: { delayMs: 10, jitterMs: 8, loss } });
      const [client, server] = await pair({ allowHalfOpen: true });
      const random = new Random(1);
      const send = async (socket: TcpSocket) => {
        const all: Buffer[] = [];
        for (let length = 0; length < 1_000_000; length += all.at(-1)?.length ?? 0) {
          const chunk = random.bytes(1 + random.int(30_000));
          all.push(chunk);
          if (!socket.write(chunk)) await once(socket, 'drain');
        }
        socket.end();
        return sha256(Buffer.concat(all));
      };
      const [up, down, upRead, downRead] = await clock.run(
        Promise.all([send(client), send(server), read(server), read(client)]),
      );
      expect(sha256(upRead)).to.equal(up);
      expect(sha256(downRead)).to.equal(down);
      if (loss > 0) expect(net.counters.tcp.lost / net.counters.tcp.sent).to.be.within(loss * 0.7, loss * 1.3);
      await clock.runUntilIdle();
      expect(net.openSockets()).to.deep.equal([]);
    });
  }

  it('lets later segments wait for a lost one', async () => {
    const [client, server] = await pair();
    const events: string[] = [];
    server.on('data', (chunk) => events.push(`${chunk}@${clock.now()}`));
    const start = clock.now();
    net.filter = ({ kind, payload, attempt }: Packet) =>
      kind === 'data' && payload.toString() === 'b' && attempt < 2 ? 'drop' : 'pass';
    for (const text of ['a', 'b', 'c']) {
      client.write(text);
      await clock.settle();
    }
    await clock.runUntilIdle();
    expect(events).to.deep.equal([`a@${start + 25}`, `bc@${start + 25 + 200 + 400}`]);
  });

  it('pays one second for a lost SYN, three for two, and gives up after 127', async () => {
    for (const [lost, at] of [
      [1, 1_050],
      [2, 3_050],
    ] as const) {
      make();
      listen();
      net.filter = ({ kind, index }) => (kind === 'syn' && index < lost ? 'drop' : 'pass');
      const client = connect();
      await clock.run(once(client, 'connect'));
      expect(clock.now()).to.equal(at);
      net.close();
    }
    make();
    net.host(SERVER);
    net.blackhole(SERVER, 'tcp');
    const client = connect();
    const [error] = await clock.run(once(client, 'error'));
    expect(error).to.include({ code: 'ETIMEDOUT', syscall: 'connect', address: SERVER, port: PORT });
    expect(clock.now()).to.equal(127_000);
  });

  it('survives a lost or repeated SYN-ACK, ACK and FIN', async () => {
    for (const kind of ['syn', 'synack', 'ack', 'fin', 'data'] as const) {
      for (const verdict of ['drop', 'duplicate'] as const) {
        make();
        const server = listen();
        net.filter = (packet) => (packet.kind === kind && packet.attempt === 0 ? verdict : 'pass');
        let accepted = 0;
        server.on('connection', (socket: TcpSocket) => {
          accepted++;
          socket.end('hello');
        });
        expect(String(await clock.run(read(connect()))), `${kind} ${verdict}`).to.equal('hello');
        expect(accepted).to.equal(1);
        server.close();
        await clock.runUntilIdle();
        expect(net.openSockets()).to.deep.equal([]);
      }
    }
  });

  it('accepts on the first data when the ACK is late', async () => {
    const server = listen();
    net.filter = ({ kind }) => (kind === 'ack' ? 'hold' : 'pass');
    const client = connect();
    client.write('early');
    const [socket] = await clock.run(once(server, 'connection'));
    expect(clock.now()).to.equal(75);
    expect(String((await clock.run(once(socket as TcpSocket, 'data')))[0])).to.equal('early');
    net.held[0]?.release();
    await clock.runUntilIdle();
  });

  it('stops a sender whose reader stalls, and goes on when it reads', async () => {
    const [client, server] = await pair();
    let written = 0;
    const write = () => {
      while (written < 4_000_000) {
        written += 16_384;
        if (!client.write(Buffer.alloc(16_384, written & 255))) return;
      }
      client.end();
    };
    client.on('drain', write);
    write();
    await clock.runUntilIdle();
    const stalledAt = written;
    // The receive buffer, the send buffer, and the high-water marks of both streams.
    expect(stalledAt).to.be.within(262_144, 262_144 + 65_536 + 65_536 + 4 * 16_384);
    await clock.advance(60_000);
    expect(written).to.equal(stalledAt);
    const all = await clock.run(read(server));
    expect(all.length).to.equal(written);
  });

  it('closes one half, then the other', async () => {
    const [client, server] = await pair({ allowHalfOpen: true });
    client.end('question');
    expect(String(await clock.run(read(server)))).to.equal('question');
    await clock.advance(1_000);
    server.end('answer');
    expect(String(await clock.run(read(client)))).to.equal('answer');
    await clock.runUntilIdle();
    expect(net.openSockets()).to.deep.equal([]);
  });

  it('ends the other half by itself without allowHalfOpen', async () => {
    const [client, server] = await pair();
    server.resume();
    const events = record(server, 'end', 'close');
    client.end();
    client.resume();
    await clock.runUntilIdle();
    expect(events).to.deep.equal(['100 end', '100 close']);
    expect(client.destroyed).to.equal(true);
  });

  it('delivers what was written before destroy, then the end', async () => {
    const [client, server] = await pair();
    client.write(Buffer.alloc(100_000, 1));
    await clock.settle();
    client.destroy();
    expect((await clock.run(read(server))).length).to.equal(100_000);
  });

  it('keeps what a slow reader has not read when both sides have ended', async () => {
    const [client, server] = await pair({ allowHalfOpen: true });
    net.filter = ({ kind }) => (kind === 'fin' || kind === 'data' ? { copies: 2 } : 'pass');
    server.end('bye');
    client.resume();
    client.end(Buffer.alloc(200_000));
    await clock.runUntilIdle();
    expect(client.destroyed).to.equal(true);
    expect((await clock.run(read(server))).length).to.equal(200_000);
  });

  it('resets: by resetAndDestroy, by destroy with unread bytes, by bytes for a destroyed socket', async () => {
    const resets: ((client: TcpSocket, server: TcpSocket) => Promise<void>)[] = [
      async (client) => void client.resetAndDestroy(),
      async (client, server) => {
        server.write(Buffer.alloc(100_000));
        await clock.advance(100);
        client.destroy();
      },
      async (client, server) => {
        client.destroy();
        await clock.settle();
        server.write('x');
      },
    ];
    for (const reset of resets) {
      make();
      const [client, server] = await pair({ allowHalfOpen: true });
      const events = record(server, 'error', 'close');
      await reset(client, server);
      await clock.runUntilIdle();
      expect(events.map((event) => event.replace(/^\d+ /, ''))).to.deep.equal(['error ECONNRESET', 'close']);
      expect(net.openSockets()).to.deep.equal([]);
    }
  });

  it('refuses where nobody listens, where it is told to, and after close', async () => {
    net.host(SERVER);
    const refused = { code: 'ECONNREFUSED', syscall: 'connect', address: SERVER, port: PORT };
    expect((await clock.run(once(connect(), 'error')))[0]).to.include(refused);
    expect(clock.now()).to.equal(50);
    const server = listen();
    net.refuse(`${SERVER}:${PORT}`);
    expect((await clock.run(once(connect(), 'error')))[0]).to.include(refused);
    net.restore(`${SERVER}:${PORT}`);
    connect();
    await clock.run(once(server, 'connection'));
    server.close();
    expect((await clock.run(once(connect(), 'error')))[0]).to.include(refused);
  });

  it('gives ports, and says when one is taken', async () => {
    const host = net.host(SERVER);
    const first = host.createTcpServer({}).listen({ port: 0 });
    const { port } = first.address() as { port: number };
    expect(port).to.be.above(1_023);
    const second = host.createTcpServer({}).listen({ port });
    const [error] = await clock.run(once(second, 'error'));
    expect(error).to.include({ code: 'EADDRINUSE', syscall: 'listen', port });
  });

  it('closes a server once its connections have ended', async () => {
    const server = listen();
    const client = connect();
    const [socket] = await clock.run(once(server, 'connection'));
    let closedAt = -1;
    server.close(() => {
      closedAt = clock.now();
    });
    await clock.advance(1_000);
    expect(closedAt).to.equal(-1);
    client.destroy();
    (socket as TcpSocket).resume();
    await clock.runUntilIdle();
    expect(closedAt).to.equal(1_100);
    let failed: Error | undefined;
    server.close((error) => {
      failed = error;
    });
    await clock.settle();
    expect(failed).to.have.property('code', 'ERR_SERVER_NOT_RUNNING');
  });

  it('forgets a connection that is given up while it connects', async () => {
    const server = listen();
    server.on('connection', () => expect.fail('accepted'));
    const client = connect();
    let failed: Error | null | undefined;
    client.write('x', (error) => {
      failed = error;
    });
    await clock.advance(30);
    client.destroy();
    await clock.runUntilIdle();
    expect(failed).to.be.instanceOf(Error);
    expect(net.openSockets()).to.have.length(1);
  });

  it('looks names up, and tries one address after the other', async () => {
    net.host(SERVER);
    listen({}, '10.0.0.4');
    net.name('example.test', '10.0.0.9', SERVER, '10.0.0.4');
    const client = connect({ host: 'example.test' });
    const events = record(client, 'lookup', 'connectionAttempt', 'connectionAttemptTimeout', 'connectionAttemptFailed');
    await clock.run(once(client, 'connect'));
    expect(events).to.deep.equal([
      ...Array(3).fill('0 lookup'),
      '0 connectionAttempt',
      '250 connectionAttemptTimeout',
      '250 connectionAttempt',
      '300 connectionAttemptFailed',
      '300 connectionAttempt',
    ]);
    expect(client.remoteAddress).to.equal('10.0.0.4');
    const [error] = await clock.run(once(connect({ host: 'unknown.test' }), 'error'));
    expect(error).to.have.property('code', 'ENOTFOUND');
  });

  it('routes TCP apart from UDP', async () => {
    listen();
    const behind = listen({}, '10.0.0.3');
    behind.on('connection', (socket: TcpSocket) => socket.end(`${socket.localAddress} ${socket.remoteAddress}`));
    net.route('tcp', `${SERVER}:${PORT}`, `10.0.0.3:${PORT}`);
    const client = connect();
    expect(String(await clock.run(read(client)))).to.equal('10.0.0.3 10.0.0.1');
    net.unroute('tcp', `${SERVER}:${PORT}`);
  });

  it('runs in real time too, and holds the process only while it is needed', async () => {
    const real = new VirtualNetwork({ clock: systemClock, link: { delayMs: 5 } });
    const server = real.host(SERVER).createTcpServer({}).listen({ port: PORT });
    server.on('connection', (socket: TcpSocket) => socket.pipe(socket));
    const client = real.host(CLIENT).connectTcp({ host: SERVER, port: PORT });
    const sent = new Random(3).bytes(500_000);
    client.end(sent);
    expect(sha256(await read(client))).to.equal(sha256(sent));
    server.close();
    await once(server, 'close');
    expect(real.openSockets()).to.deep.equal([]);
  });
});
