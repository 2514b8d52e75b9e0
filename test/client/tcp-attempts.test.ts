/** A SYN that is lost costs TCP a second, in virtual time too: the attempts that a client makes meanwhile. */
import { once } from 'node:events';
import type { TcpNetConnectOpts } from 'node:net';
import { expect } from 'chai';
import type { TurboConnectionOptions } from '../../src/client/connect.js';
import { defaultLimits } from '../../src/limits.js';
import type { Network, TcpSocket } from '../../src/platform/network.js';
import { CLIENT, makeWorld, PORT, ROUND_TRIP_MS, SERVER, type World } from '../matrix/support.js';
import type { Filter, PacketKind } from '../simulator/network.js';

const LATE_MS = ROUND_TRIP_MS * defaultLimits.tcpLateRatio;
const SYN_TIMEOUT_MS = 1_000;

/** Loses the first packets of this kind, whichever connections they belong to. */
function lose(kind: PacketKind, count: number): Filter {
  let lost = 0;
  return (packet) => (packet.kind === kind && lost++ < count ? 'drop' : undefined);
}

describe('client/tcp-attempts', () => {
  let world: World;
  let dialled: TcpSocket[];

  beforeEach(async () => {
    world = await makeWorld();
    await world.server();
    dialled = [];
  });

  afterEach(() => world.expectNothingLeft());

  /** The client's network, which keeps what was dialled. */
  function network(): Network {
    const host = world.net.host(CLIENT);
    return Object.assign(Object.create(host) as Network, {
      connectTcp(options: TcpNetConnectOpts): TcpSocket {
        const socket = host.connectTcp(options);
        dialled.push(socket);
        return socket;
      },
      createUdpSocket: host.createUdpSocket.bind(host),
    });
  }

  function visit(options: TurboConnectionOptions = {}) {
    return world.visit({ ...options, turbo: { network: network(), ...options.turbo } });
  }

  it('one is enough where none is late', async () => {
    const { firstByteMs } = await visit();
    expect(firstByteMs).to.equal(2 * ROUND_TRIP_MS);
    expect(dialled).to.have.lengthOf(1);
  });

  for (const kind of ['syn', 'synack'] as const) {
    it(`a ${kind} that is lost costs a round trip and a quarter`, async () => {
      world.net.filter = lose(kind, 1);
      const { firstByteMs, carrier } = await visit();
      expect(firstByteMs).to.equal(3 * ROUND_TRIP_MS + LATE_MS);
      expect(carrier).to.equal('udp');
      expect(dialled).to.have.lengthOf(2);
    });
  }

  it('the third comes a round trip and a quarter after the second, and is the last', async () => {
    world.net.filter = lose('syn', 2);
    const { firstByteMs } = await visit();
    expect(firstByteMs).to.equal(4 * ROUND_TRIP_MS + 2 * LATE_MS);
    expect(dialled).to.have.lengthOf(3);

    world.net.filter = lose('syn', 3);
    dialled = [];
    const lost = await visit();
    expect(lost.firstByteMs).to.equal(SYN_TIMEOUT_MS + 2 * ROUND_TRIP_MS);
    expect(dialled).to.have.lengthOf(3);
  });

  it('as many as the limit says', async () => {
    world.net.filter = lose('syn', 1);
    const { firstByteMs } = await visit({ turbo: { limits: { tcpAttempts: 1 } } });
    expect(firstByteMs).to.equal(SYN_TIMEOUT_MS + 2 * ROUND_TRIP_MS);
    expect(dialled).to.have.lengthOf(1);
  });

  it('the first that connects is the connection, the first one itself too', async () => {
    // The first SYN-ACK is late, and comes before the second one.
    let seen = 0;
    world.net.filter = ({ kind }) => (kind === 'synack' && seen++ === 0 ? { delayMs: ROUND_TRIP_MS } : undefined);
    const { firstByteMs, carrier } = await visit();
    expect(firstByteMs).to.equal(3 * ROUND_TRIP_MS);
    expect(carrier).to.equal('udp');
    expect(dialled).to.have.lengthOf(2);
  });

  it('no further one without an answer over UDP', async () => {
    world.net.setLink({ udp: 'drop' });
    world.net.filter = lose('syn', 1);
    const { firstByteMs } = await visit();
    expect(firstByteMs).to.be.at.least(SYN_TIMEOUT_MS + 3 * ROUND_TRIP_MS);
    expect(dialled).to.have.lengthOf(1);
  });

  it('no further one from a port that the caller chose', async () => {
    world.net.filter = lose('syn', 1);
    await visit({ localPort: 40_000 });
    expect(dialled).to.have.lengthOf(1);
  });

  it('a refusal of the first one counts, whatever becomes of the others', async () => {
    world.net.filter = lose('syn', 1);
    const socket = world.connect({ turbo: { network: network() } });
    const failed = once(socket, 'error');
    await world.clock.advance(ROUND_TRIP_MS + LATE_MS);
    expect(dialled).to.have.lengthOf(2);
    dialled[0]?.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    const [error] = await world.clock.run(failed);
    expect(error).to.have.property('code', 'ECONNREFUSED');
  });

  it('a connection that is given up gives all of them up', async () => {
    world.net.filter = lose('syn', 2);
    const socket = world.connect({ turbo: { network: network() } });
    await world.clock.advance(ROUND_TRIP_MS + LATE_MS);
    expect(dialled).to.have.lengthOf(2);
    socket.destroy();
    expect(dialled.map(({ destroyed }) => destroyed)).to.deep.equal([true, true]);
    await world.clock.run(once(socket, 'close'));
  });

  it('the socket has the surface of the one that connected, and tells of it once', async () => {
    world.net.filter = lose('syn', 1);
    const socket = world.connect({ turbo: { network: network() } });
    const events: string[] = [];
    for (const event of ['connect', 'ready', 'secureConnect']) socket.on(event, () => events.push(event));
    await world.clock.run(once(socket, 'secureConnect'));
    expect(events).to.deep.equal(['connect', 'ready', 'secureConnect']);
    expect(socket.connecting).to.equal(false);
    expect(socket.remoteAddress).to.equal(SERVER);
    expect(socket.remotePort).to.equal(PORT);
    expect(socket.localPort).to.equal(dialled[1]?.localPort);
    expect(dialled[0]?.destroyed).to.equal(true);
    socket.end();
    await world.clock.run(once(socket, 'close'));
  });

  it('what was set while it was being made holds for the one that connects', async () => {
    const settings: [number, string, unknown[]][] = [];
    world.net.filter = lose('syn', 1);
    const recording = network();
    const { connectTcp } = recording;
    recording.connectTcp = (options) => {
      const socket = connectTcp(options);
      const at = dialled.length - 1;
      for (const name of ['setKeepAlive', 'setNoDelay', 'ref', 'unref'] as const) {
        const call = socket[name].bind(socket) as (...args: unknown[]) => TcpSocket;
        const recorded = (...args: unknown[]) => {
          settings.push([at, name, args]);
          return call(...args);
        };
        Object.assign(socket, { [name]: recorded });
      }
      return socket;
    };
    const socket = world.connect({ turbo: { network: recording } });
    socket.setKeepAlive(true, 5_000).setNoDelay(false).unref();
    await world.clock.advance(ROUND_TRIP_MS + LATE_MS);
    socket.ref();
    const expected = [
      ['setKeepAlive', [true, 5_000]],
      ['setNoDelay', [false]],
      ['unref', []],
      ['ref', []],
    ];
    for (const at of [0, 1]) {
      const seen = settings.filter(([attempt]) => attempt === at).map(([, name, args]) => [name, args]);
      expect(seen, `attempt ${at}`).to.deep.equal(expected);
    }
    await world.clock.run(once(socket, 'secureConnect'));
    socket.end();
    await world.clock.run(once(socket, 'close'));
  });
});
