/** A socket that its user connects, as `new net.Socket()`. */
import { once } from 'node:events';
import { expect } from 'chai';
import { connectLater } from '../../src/client/connect.js';
import { CLIENT, makeWorld, NAME, PORT, ROUND_TRIP_MS, SERVER, type World } from '../matrix/support.js';

describe('client/connect-later', () => {
  let world: World;

  beforeEach(async () => {
    world = await makeWorld();
    await world.server();
  });

  afterEach(() => world.expectNothingLeft());

  function later() {
    return connectLater({
      host: SERVER,
      port: PORT,
      servername: NAME,
      ca: world.certificate.ca,
      turbo: { network: world.net.host(CLIENT), clock: world.clock, memory: world.memory() },
    });
  }

  it('opens nothing before it is told to', async () => {
    const before = world.net.openSockets().length;
    const socket = later();
    await world.clock.advance(1_000);
    expect(world.net.openSockets()).to.have.lengthOf(before);
    expect(socket.remoteAddress).to.equal(undefined);
    socket.destroy();
    await world.clock.run(once(socket, 'close'));
  });

  it('connects in two round trips from then on, and emits as a socket of net', async () => {
    const socket = later();
    socket.setNoDelay(true).setKeepAlive(true);
    await world.clock.advance(1_000);
    const begunAt = world.clock.now();
    const events: string[] = [];
    for (const event of ['connect', 'ready', 'secureConnect', 'close']) socket.on(event, () => events.push(event));
    expect(socket.connect({ port: PORT, host: SERVER })).to.equal(socket);
    expect(events, 'within the call').to.deep.equal([]);
    expect(socket.connecting).to.equal(true);
    socket.write('what is written at once');
    await world.clock.run(once(socket, 'data'));
    expect(world.clock.now() - begunAt).to.equal(2 * ROUND_TRIP_MS);
    expect(socket.turbo?.carrier).to.equal('udp');
    expect(socket.turbo?.timeline.tcpConnected).to.equal(ROUND_TRIP_MS);
    socket.end();
    await world.clock.run(once(socket, 'close'));
    expect(events).to.deep.equal(['connect', 'ready', 'secureConnect', 'close']);
  });

  it('opens nothing where it is destroyed before', async () => {
    const before = world.net.openSockets().length;
    const socket = later();
    socket.destroy();
    socket.connect({ port: PORT, host: SERVER });
    expect(world.net.openSockets()).to.have.lengthOf(before);
    await world.clock.run(once(socket, 'close'));
  });

  it('refuses options as `connect` does, and mode off', () => {
    for (const turbo of [{ mode: 'off' }, { mode: 'on' }, { firstContact: 'slow' }]) {
      const options = { host: SERVER, port: PORT, turbo } as Parameters<typeof connectLater>[0];
      expect(() => connectLater(options))
        .to.throw()
        .with.property('code', 'ERR_TURBO_BAD_OPTION');
    }
  });

  it('connects once, however often it is told to', async () => {
    const socket = later();
    let connected = 0;
    socket.on('connect', () => connected++);
    for (let count = 0; count < 2; count++) socket.connect({ port: PORT, host: SERVER });
    await world.clock.run(once(socket, 'secureConnect'));
    expect(connected).to.equal(1);
    socket.end();
    await world.clock.run(once(socket, 'close'));
  });

  it('fails as a socket that connects at once', async () => {
    world.net.refuse(SERVER, 'tcp');
    const socket = later();
    const failed = once(socket, 'error');
    socket.connect({ port: PORT, host: SERVER });
    const [error] = await world.clock.run(failed);
    expect(error).to.have.property('code', 'ECONNREFUSED');
  });
});
