import { once } from 'node:events';
import { expect } from 'chai';
import { systemClock } from '../../src/platform/clock.js';
import { type LinkSettings, type Packet, VirtualNetwork, type VirtualNetworkOptions } from './network.js';
import { exchanges } from './trace.js';
import type { VirtualUdpSocket } from './udp.js';
import { VirtualClock } from './virtual-clock.js';

const SERVER = '10.0.0.2';
const PORT = 443;

describe('virtual UDP', () => {
  let clock: VirtualClock;
  let net: VirtualNetwork;

  function make(options: Omit<VirtualNetworkOptions, 'clock'> = {}): void {
    clock = new VirtualClock();
    net = new VirtualNetwork({ clock, link: { delayMs: 25 }, ...options });
  }

  async function listen(address = SERVER, port = PORT): Promise<VirtualUdpSocket> {
    const socket = net.host(address).createUdpSocket({ type: 'udp4' });
    socket.bind({ port, address });
    await clock.run(once(socket, 'listening'));
    return socket;
  }

  async function connect(address = '10.0.0.1'): Promise<VirtualUdpSocket> {
    const socket = net.host(address).createUdpSocket({ type: 'udp4' });
    socket.connect(PORT, SERVER);
    await clock.run(once(socket, 'connect'));
    return socket;
  }

  /** Sends numbered datagrams and returns what arrives, in order. */
  async function arrivals(link: Partial<LinkSettings>, count: number): Promise<Buffer[]> {
    const server = await listen();
    const client = await connect();
    const received: Buffer[] = [];
    server.on('message', (message: Buffer) => received.push(message));
    net.setLink(link);
    for (let index = 0; index < count; index++) {
      const message = Buffer.alloc(100);
      message.writeUInt32BE(index);
      client.send(message);
    }
    await clock.runUntilIdle();
    return received;
  }

  beforeEach(() => make());

  it('carries datagrams both ways, in the time of the link, copied', async () => {
    const server = await listen();
    const client = await connect();
    const got: unknown[] = [];
    server.on('message', (message, from) => {
      got.push([clock.now(), message.toString(), from]);
      server.send(Buffer.from('pong'), from.port, from.address);
    });
    client.on('message', (message, from) => got.push([clock.now(), message.toString(), from.port]));
    const ping = Buffer.from('ping');
    let sent: Error | null | undefined;
    client.send(ping, (error) => {
      sent = error;
    });
    expect(sent).to.equal(undefined);
    ping.fill(0);
    await clock.runUntilIdle();
    expect(sent).to.equal(null);
    const { port } = client.address();
    const from = { address: '10.0.0.1', port, family: 'IPv4', size: 4 };
    expect(got).to.deep.equal([
      [25, 'ping', from],
      [50, 'pong', PORT],
    ]);
  });

  it('works with IPv6, however the address is written', async () => {
    const server = net.host('2001:db8::2').createUdpSocket({ type: 'udp6' });
    server.bind({ port: 53 });
    const client = net.host('2001:db8:0::1').createUdpSocket({ type: 'udp6' });
    client.send(Buffer.from('x'), 53, '2001:0db8:0000::2');
    const [, from] = (await clock.run(once(server, 'message'))) as [Buffer, { address: string; family: string }];
    expect(from).to.include({ address: '2001:db8::1', family: 'IPv6' });
  });

  it('has the manners of dgram', async () => {
    const client = net.host('10.0.0.1').createUdpSocket({ type: 'udp4' });
    client.connect(PORT, SERVER);
    expect(() => client.send(Buffer.from('x')))
      .to.throw()
      .with.property('code', 'ERR_SOCKET_BAD_PORT');
    expect(() => client.connect(PORT, SERVER))
      .to.throw()
      .with.property('code', 'ERR_SOCKET_DGRAM_IS_CONNECTED');
    await clock.run(once(client, 'connect'));
    expect(() => client.send(Buffer.from('x'), 1, SERVER))
      .to.throw()
      .with.property('code', 'ERR_SOCKET_DGRAM_IS_CONNECTED');
    let failed: NodeJS.ErrnoException | null = null;
    client.send(Buffer.alloc(70_000), (error) => {
      failed = error;
    });
    await clock.settle();
    expect(failed).to.have.property('code', 'EMSGSIZE');
    expect(net.openSockets()).to.deep.include({ kind: 'udp', local: '0.0.0.0:49152', remote: '10.0.0.2:443' });
    client.close();
    await clock.run(once(client, 'close'));
    expect(() => client.close())
      .to.throw()
      .with.property('code', 'ERR_SOCKET_DGRAM_NOT_RUNNING');
    expect(net.openSockets()).to.deep.equal([]);

    const first = await listen();
    const second = net.host(SERVER).createUdpSocket({ type: 'udp4' });
    second.bind({ port: PORT, address: SERVER });
    const [error] = await clock.run(once(second, 'error'));
    expect(error).to.have.property('code', 'EADDRINUSE');
    first.close();
  });

  it('lets a connected socket hear its peer alone', async () => {
    await listen();
    const client = await connect();
    const stranger = await listen('10.0.0.3');
    let heard = 0;
    client.on('message', () => heard++);
    const { port } = client.address();
    stranger.send(Buffer.from('boo'), port, '10.0.0.1');
    net.inject({ from: `${SERVER}:${PORT}`, to: `10.0.0.1:${port}`, payload: Buffer.from('spoofed') });
    await clock.runUntilIdle();
    expect(heard).to.equal(1);
  });

  it('tells a connected sender that nobody listens, unless that is switched off', async () => {
    net.host(SERVER);
    const client = await connect();
    client.send(Buffer.from('x'));
    const [error] = await clock.run(once(client, 'error'));
    expect(error).to.include({ code: 'ECONNREFUSED', syscall: 'recvmsg' });
    expect(clock.now()).to.equal(50);

    make({ icmp: false });
    net.host(SERVER);
    const other = await connect();
    other.on('error', () => expect.fail('heard of it'));
    other.send(Buffer.from('x'));
    await clock.runUntilIdle();
    expect(net.counters.udp.unclaimed).to.equal(1);
  });

  it('loses about as many as it is told', async () => {
    const received = await arrivals({ loss: 0.2 }, 10_000);
    expect(received.length).to.be.within(7_800, 8_200);
    expect(net.counters.udp).to.include({ sent: 10_000, arrived: received.length, lost: 10_000 - received.length });
  });

  it('reorders about as many as it is told', async () => {
    const received = await arrivals({ reorder: 0.25 }, 4_000);
    expect(received).to.have.length(4_000);
    expect(net.counters.udp.reordered).to.be.within(900, 1_100);
    const numbers = received.map((message) => message.readUInt32BE());
    const overtaken = numbers.filter((number, place) => numbers.slice(0, place).some((before) => before > number));
    expect(overtaken.length).to.be.within(net.counters.udp.reordered - 100, net.counters.udp.reordered);
    expect(numbers.toSorted((one, other) => one - other)).to.deep.equal(Array.from(numbers.keys()));
  });

  it('duplicates and corrupts about as many as it is told', async () => {
    const received = await arrivals({ duplicate: 0.05, corrupt: 0.05 }, 10_000);
    expect(received.length).to.be.within(10_400, 10_600);
    const isIntact = (message: Buffer) => {
      const expected = Buffer.alloc(100);
      expected.writeUInt32BE(message.readUInt32BE());
      return message.equals(expected) && message.readUInt32BE() < 10_000;
    };
    const corrupted = received.filter((message) => !isIntact(message)).length;
    expect(net.counters.udp.corrupted).to.be.within(420, 580);
    expect(corrupted).to.be.within(net.counters.udp.corrupted * 0.9, net.counters.udp.corrupted);
  });

  it('makes the same choices from the same seed, whatever else is going on', async () => {
    const fates = async (seed: number, others: number) => {
      make({ seed, link: { delayMs: 5, jitterMs: 3, loss: 0.3, duplicate: 0.1, corrupt: 0.1 } });
      for (let index = 0; index < others; index++) {
        const other = net.host(`10.1.0.${index + 1}`).createUdpSocket({ type: 'udp4' });
        other.send(Buffer.alloc(10), PORT, SERVER);
      }
      return (await arrivals({}, 50))
        .filter((message) => message.length === 100)
        .map((message) => message.toString('hex'));
    };
    const first = await fates(1, 0);
    expect(await fates(1, 20)).to.deep.equal(first);
    expect(await fates(2, 0)).to.not.deep.equal(first);
  });

  it('drops UDP in one direction, while it runs', async () => {
    const server = await listen();
    const client = await connect();
    const heard: string[] = [];
    server.on('message', (message, from) => {
      heard.push(message.toString());
      server.send(Buffer.from('answer'), from.port, from.address);
    });
    client.on('message', (message) => heard.push(message.toString()));
    net.setPath(SERVER, '10.0.0.1', { udp: 'drop' });
    client.send(Buffer.from('one'));
    await clock.runUntilIdle();
    net.setPath(SERVER, '10.0.0.1', { udp: 'pass' });
    client.send(Buffer.from('two'));
    await clock.runUntilIdle();
    expect(heard).to.deep.equal(['one', 'two', 'answer']);
    expect(net.counters.udp.blocked).to.equal(1);
  });

  it('takes its time at a limited rate', async () => {
    make({ link: { delayMs: 10, rateKbit: 1_024 } });
    const server = await listen();
    const client = await connect();
    const times: number[] = [];
    server.on('message', () => times.push(clock.now()));
    for (let index = 0; index < 3; index++) client.send(Buffer.alloc(100));
    await clock.runUntilIdle();
    expect(times).to.deep.equal([11, 12, 13]);
  });

  it('lets a filter decide single fates', async () => {
    const server = await listen();
    const client = await connect();
    const heard: string[] = [];
    server.on('message', (message) => heard.push(`${message}@${clock.now()}`));
    const seen: Packet[] = [];
    net.filter = (packet) => {
      seen.push(packet);
      return (['drop', 'duplicate', { delayMs: 1 }, 'pass', 'hold', { payload: Buffer.from('other') }] as const)[
        packet.index
      ];
    };
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) client.send(Buffer.from(name));
    await clock.runUntilIdle();
    expect(heard).to.deep.equal(['b@25', 'b@25', 'd@25', 'other@25', 'g@25', 'c@26']);
    expect(net.held.map(({ payload }) => payload.toString())).to.deep.equal(['e']);
    net.held[0]?.release();
    await clock.runUntilIdle();
    expect(heard.at(-1)).to.equal('e@51');
    expect(seen[6]).to.include({
      protocol: 'udp',
      kind: 'datagram',
      to: '10.0.0.2:443',
      index: 6,
      attempt: 0,
      bytes: 1,
    });
  });

  it('routes one address to another host, and answers come from the first', async () => {
    const behind = await listen('10.0.0.3', 8_443);
    behind.on('message', (message, from) => behind.send(message, from.port, from.address));
    net.route('udp', `${SERVER}:${PORT}`, '10.0.0.3:8443');
    const client = await connect();
    client.send(Buffer.from('hello'));
    const [message, from] = await clock.run(once(client, 'message'));
    expect(String(message)).to.equal('hello');
    expect(from).to.include({ address: SERVER, port: PORT });
  });

  it('records what was sent and what arrived, and sums it up', async () => {
    make({ trace: true });
    const server = await listen();
    server.on('message', (_message, from) => {
      for (let index = 0; index < 2; index++) server.send(Buffer.alloc(500), from.port, from.address);
    });
    const client = await connect();
    client.send(Buffer.alloc(400));
    await clock.runUntilIdle();
    expect(net.trace?.map(({ timeMs, event, bytes }) => `${timeMs} ${event} ${bytes}`)).to.deep.equal([
      '0 sent 400',
      '25 arrived 400',
      '25 sent 500',
      '25 sent 500',
      '50 arrived 500',
      '50 arrived 500',
    ]);
    const sums = [...exchanges(net.trace ?? [], `${SERVER}:${PORT}`)];
    expect(sums.at(-1)).to.include({ bytesIn: 400, bytesOut: 1_000, datagramsIn: 1, datagramsOut: 2 });
  });

  it('runs in real time too', async () => {
    const real = new VirtualNetwork({ clock: systemClock, link: { delayMs: 10 } });
    const server = real.host(SERVER).createUdpSocket({ type: 'udp4' });
    server.bind({ port: PORT });
    const client = real.host('10.0.0.1').createUdpSocket({ type: 'udp4' });
    const start = performance.now();
    client.send(Buffer.from('x'), PORT, SERVER);
    await once(server, 'message');
    expect(performance.now() - start).to.be.within(9, 200);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).to.be.above(0);
    real.close();
    expect(real.openSockets()).to.deep.equal([]);
  });
});
