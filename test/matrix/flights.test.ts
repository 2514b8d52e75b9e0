/**
 * How many round trips each flight takes, exactly: 50 ms each way and back, virtual time, in which TLS itself costs
 * nothing. What is counted ends with the first echoed byte. Each case leaves nothing behind.
 */
import { once } from 'node:events';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { expect } from 'chai';
import type { TurboConnectionOptions } from '../../src/client/connect.js';
import type { PathMemory } from '../../src/client/path-memory.js';
import { TurboError } from '../../src/errors.js';
import { decodeDatagram } from '../../src/wire/datagram.js';
import type { Filter, Packet } from '../simulator/network.js';
import { makeCertificate } from '../support/certificates.js';
import { announceSeed, makeWorld, PORT, ROUND_TRIP_MS, SERVER, type Seen, type World } from './support.js';

/** A balancer's address; `route` sends what comes to it elsewhere. */
const BALANCER = '10.0.0.9';
const OTHER_SERVER = '10.0.0.3';
/** The wait for UDP on first contact, in round trips: a quarter of the connect time. */
const GRACE = 1 / 4;
/** The longest wait, in round trips. */
const GRACE_MAX = 3 / 4;
/** Protocols that make a ClientHello longer than a datagram's payload. */
const MANY_PROTOCOLS = Array.from({ length: 40 }, (_, index) => `a-protocol-with-a-long-name-${index}`.padEnd(36, '.'));

type Path = 'to server' | 'to client';

function pathOf({ from }: Packet): Path {
  return from.endsWith(`:${PORT}`) ? 'to client' : 'to server';
}

/** Delays datagrams of one direction: the n-th by `delaysMs[n]`, those behind by the last of them. */
function late(path: Path, ...delaysMs: number[]): Filter {
  let seen = 0;
  return (packet) => {
    if (packet.protocol !== 'udp' || pathOf(packet) !== path) return undefined;
    const delayMs = delaysMs[Math.min(seen++, delaysMs.length - 1)] as number;
    return { delayMs };
  };
}

/** Loses the client's SYN this often: it is sent again after 1, 3, 7 and 15 s. */
function loseSyn(times: number): Filter {
  return ({ kind, attempt }) => (kind === 'syn' && attempt < times ? 'drop' : undefined);
}

describe('flights, in round trips', () => {
  announceSeed();

  let world: World;
  let memory: PathMemory;
  const rows: [string, string][] = [];

  async function start(options: Parameters<typeof makeWorld>[0] = {}): Promise<void> {
    world = await makeWorld(options);
    memory = world.memory();
  }

  /** The next connection with the memory of the test. */
  function visit(options: TurboConnectionOptions = {}): Promise<Seen> {
    return world.visit({ ...options, turbo: { memory, ...options.turbo } });
  }

  function expectFlights(
    name: string,
    seen: readonly Seen[],
    expected: readonly [carrier: string, roundTrips: number][],
  ) {
    const actual = seen.map(({ carrier, roundTrips }) => [carrier, roundTrips]);
    rows.push([name, actual.map(([carrier, trips]) => `${trips} ${carrier}`).join(', ')]);
    expect(actual).to.deep.equal(expected);
  }

  /** The next connection fails with this error. */
  async function expectFailure(options: TurboConnectionOptions = {}): Promise<TurboError> {
    const socket = world.connect({ ...options, turbo: { memory, ...options.turbo } });
    const [error] = await world.clock.run(once(socket, 'error'));
    expect(error).to.be.instanceOf(TurboError);
    return error as TurboError;
  }

  afterEach(async () => {
    await world.expectNothingLeft();
  });

  after(() => {
    const width = Math.max(...rows.map(([name]) => name.length));
    for (const [name, trips] of rows) console.log(`      ${name.padEnd(width)}  ${trips}`);
  });

  it('TLS over TCP takes three', async () => {
    await start();
    await world.server();
    const { roundTrips } = await world.visitPlain();
    expect(roundTrips).to.equal(3);
  });

  it('turbo takes two', async () => {
    await start();
    await world.server();
    const seen = [await visit(), await visit(), await visit()];
    expectFlights('turbo', seen, [
      ['udp', 2],
      ['udp', 2],
      ['udp', 2],
    ]);
  });

  it('careful takes three at first contact, two from then on', async () => {
    await start();
    await world.server();
    const turbo = { firstContact: 'careful' } as const;
    const seen = [await visit({ turbo }), await visit({ turbo }), await visit({ turbo })];
    expectFlights('careful', seen, [
      ['udp', 3],
      ['udp', 2],
      ['udp', 2],
    ]);
  });

  it('UDP is closed once TCP carries the stream', async () => {
    await start();
    await world.server();
    for (const firstContact of ['fast', 'careful'] as const) {
      const socket = world.connect({ turbo: { firstContact } });
      socket.write('x');
      await world.clock.run(once(socket, 'data'));
      const udp = world.net.openSockets().filter(({ kind, remote }) => kind === 'udp' && remote !== undefined);
      expect(udp, `sockets of ${firstContact} connections`).to.deep.equal([]);
      socket.end();
      await world.clock.run(once(socket, 'close'));
    }
  });

  describe('without UDP', () => {
    it('blocked: the grace on first contact, nothing from then on; then UDP is left alone for 300 s', async () => {
      await start({ link: { udp: 'drop' } });
      await world.server();
      const seen = [await visit(), await visit(), await visit(), await visit()];
      const sent = world.net.counters.udp.sent;
      seen.push(await visit());
      expectFlights('UDP blocked', seen, [
        ['tcp', 3 + GRACE],
        ['tcp', 3],
        ['tcp', 3],
        ['tcp', 3],
        ['tcp', 3],
      ]);
      expect(world.net.counters.udp.sent, 'datagrams of the fifth connection').to.equal(sent);

      await world.clock.advance(300_000);
      world.net.setLink({ udp: 'pass' });
      expectFlights(
        'UDP blocked, 300 s later free',
        [await visit(), await visit()],
        [
          ['tcp', 3],
          ['udp', 2],
        ],
      );
    });

    it("blocked, with mode 'require': fails after the longest grace, and connects as soon as UDP passes", async () => {
      await start({ link: { udp: 'drop' } });
      await world.server();
      const required: TurboConnectionOptions = { turbo: { mode: 'require' } };
      const begunAt = world.clock.now();
      const error = await expectFailure(required);
      expect(error.code).to.equal('ERR_TURBO_REQUIRED');
      expect(error.retryable).to.equal(true);
      expect(world.clock.now() - begunAt).to.equal((1 + GRACE_MAX) * ROUND_TRIP_MS);

      // Silent twice: others do not even ask UDP now.
      for (const { carrier } of [await visit(), await visit()]) expect(carrier).to.equal('tcp');
      world.net.setLink({ udp: 'pass' });
      expectFlights(
        "mode 'require', on a path that was silent",
        [await visit(required), await visit()],
        [
          ['udp', 2],
          ['udp', 2],
        ],
      );
    });

    it('refused by ICMP: not even the grace', async () => {
      await start();
      await world.server();
      world.net.refuse(SERVER, 'udp');
      expectFlights(
        'UDP refused',
        [await visit(), await visit()],
        [
          ['tcp', 3],
          ['tcp', 3],
        ],
      );
    });

    it('a server without turbo: as node:tls', async () => {
      await start();
      await world.server({ turbo: false });
      expectFlights(
        'no turbo there',
        [await visit(), await visit()],
        [
          ['tcp', 3],
          ['tcp', 3],
        ],
      );
    });
  });

  describe('a balancer that sends UDP and TCP to different machines', () => {
    const elsewhere: TurboConnectionOptions = { host: BALANCER };

    async function startBalanced(other: { turbo: boolean }): Promise<void> {
      await start();
      await world.server();
      await world.server({ address: OTHER_SERVER, ...other });
      world.net.host(BALANCER);
      world.net.route('udp', `${BALANCER}:${PORT}`, `${SERVER}:${PORT}`);
      world.net.route('tcp', `${BALANCER}:${PORT}`, `${OTHER_SERVER}:${PORT}`);
    }

    it('both with turbo: careful always connects, and gives UDP up after the second time', async () => {
      await startBalanced({ turbo: true });
      const careful: TurboConnectionOptions = { ...elsewhere, turbo: { firstContact: 'careful' } };
      const seen = [await visit(careful), await visit(careful), await visit(careful), await visit(careful)];
      expectFlights('split, careful', seen, [
        ['tcp', 4],
        ['tcp', 4],
        ['tcp', 3],
        ['tcp', 3],
      ]);
    });

    it('both with turbo: fast fails once, with its code, and is careful from then on', async () => {
      await startBalanced({ turbo: true });
      const error = await expectFailure(elsewhere);
      expect(error.code).to.equal('ERR_TURBO_SESSION_LOST');
      expect(error.retryable).to.equal(true);
      const seen = [await visit(elsewhere), await visit(elsewhere), await visit(elsewhere)];
      expectFlights('split, fast, after its failure', seen, [
        ['tcp', 4],
        ['tcp', 4],
        ['tcp', 3],
      ]);
    });

    it('TCP to a server without turbo: careful dials again', async () => {
      await startBalanced({ turbo: false });
      const careful: TurboConnectionOptions = { ...elsewhere, turbo: { firstContact: 'careful' } };
      const seen = [await visit(careful), await visit(careful), await visit(careful)];
      expectFlights('split, no turbo on TCP, careful', seen, [
        ['tcp', 5],
        ['tcp', 5],
        ['tcp', 3],
      ]);
    });

    it('TCP to a server without turbo: fast fails once, with its code', async () => {
      await startBalanced({ turbo: false });
      const error = await expectFailure(elsewhere);
      expect(error.code).to.equal('ERR_TURBO_SESSION_LOST');
      const seen = [await visit(elsewhere), await visit(elsewhere), await visit(elsewhere)];
      expectFlights('split, no turbo on TCP, fast, after its failure', seen, [
        ['tcp', 5],
        ['tcp', 5],
        ['tcp', 3],
      ]);
    });
  });

  describe('an answer that is late', () => {
    /** In ms, from the SYN to the first echoed byte over TCP alone, and over UDP where the claim is at once. */
    const TCP_MS = 3 * ROUND_TRIP_MS;
    const UDP_MS = 2 * ROUND_TRIP_MS;
    const GRACE_MS = GRACE * ROUND_TRIP_MS;
    const GRACE_MAX_MS = GRACE_MAX * ROUND_TRIP_MS;

    async function expectFirstBytes(name: string, visits: readonly [Filter, carrier: string, firstByteMs: number][]) {
      const seen: Seen[] = [];
      for (const [filter] of visits) {
        world.net.filter = filter;
        seen.push(await visit());
      }
      expectFlights(
        name,
        seen,
        visits.map(([, carrier, firstByteMs]) => [carrier, firstByteMs / ROUND_TRIP_MS]),
      );
    }

    it('is waited for as long as the grace; the lag learnt is the next grace', async () => {
      await start();
      await world.server();
      await expectFirstBytes('late by 12 ms', [[late('to client', 12), 'udp', UDP_MS + 12]]);
      memory.clear();
      await expectFirstBytes('late by 13 ms, thrice; then by 20 ms, 31 ms, 38 ms', [
        [late('to client', 13), 'tcp', TCP_MS + GRACE_MS],
        [late('to client', 13), 'udp', UDP_MS + 13],
        [late('to client', 13), 'udp', UDP_MS + 13],
        // 1.5 times the lag of 13 ms, then of 20 ms
        [late('to client', 20), 'tcp', TCP_MS + 19.5],
        [late('to client', 31), 'tcp', TCP_MS + 30],
        // 1.5 times the lag of 31 ms, but not more than three quarters of the connect time
        [late('to client', 38), 'tcp', TCP_MS + GRACE_MAX_MS],
      ]);
    });

    it('earlier than TCP, it leaves the next one the grace of a first contact', async () => {
      await start();
      await world.server();
      await expectFirstBytes('in time; late by 12 ms; in time; late by 13 ms', [
        [() => undefined, 'udp', UDP_MS],
        [late('to client', 12), 'udp', UDP_MS + 12],
        [() => undefined, 'udp', UDP_MS],
        [late('to client', 13), 'tcp', TCP_MS + GRACE_MS],
      ]);
    });

    it('takes the suspicion off a path', async () => {
      await start();
      await world.server();
      const lost: Filter = ({ protocol }) => (protocol === 'udp' ? 'drop' : undefined);
      await expectFirstBytes('silent, late by 7 ms, late by 7 ms', [
        [lost, 'tcp', TCP_MS + GRACE_MS],
        [late('to client', 7), 'tcp', TCP_MS],
        [late('to client', 7), 'udp', UDP_MS + 7],
      ]);
    });

    it('renews the grace with each datagram, within its bound', async () => {
      await start({ chainLength: 12 });
      await world.server();
      await expectFirstBytes('datagrams 5, 10 and 12 ms late', [[late('to client', 5, 10, 12), 'udp', UDP_MS + 12]]);
      // Silent for more than 12.5 ms after the first: TCP brings the rest, which takes the round trip.
      memory.clear();
      await expectFirstBytes('datagrams 5 and 18 ms late', [[late('to client', 5, 18), 'udp', TCP_MS + 5 + GRACE_MS]]);
      // Each in time, and the last one behind the bound.
      memory.clear();
      await expectFirstBytes('datagrams 10, 20, 30 and 38 ms late', [
        [late('to client', 10, 20, 30, 38), 'udp', TCP_MS + GRACE_MAX_MS],
      ]);
    });
  });

  describe('TCP that is late', () => {
    it('SYN lost for 3 s: the session of the UDP answer is still there', async () => {
      await start();
      await world.server();
      world.net.filter = loseSyn(2);
      expectFlights('SYN lost for 3 s', [await visit()], [['udp', 3_000 / ROUND_TRIP_MS + 2]]);
    });

    it('a session that is about to expire is not claimed', async () => {
      await start();
      const server = await world.server();
      world.net.filter = loseSyn(4);
      expectFlights('SYN lost for 15 s', [await visit()], [['tcp', 15_000 / ROUND_TRIP_MS + 3]]);
      expect(server.count('rejected unknown-session')).to.equal(0);
      world.net.filter = undefined;
      expectFlights('SYN lost for 15 s, and then in time', [await visit()], [['udp', 2]]);
    });

    it('a session that ends before its tombstone can come is not claimed', async () => {
      // TCP connects at 3,050 ms; the answer came at 50 ms, and the tombstone takes a round trip more, as seen from there.
      for (const [sessionLifetimeMs, carrier, roundTrips] of [
        [3_050, 'tcp', 3],
        [3_051, 'udp', 3],
      ] as const) {
        await start();
        const server = await world.server({ limits: { sessionLifetimeMs } });
        world.net.filter = loseSyn(2);
        const seen = await visit({ turbo: { firstContact: 'careful' } });
        expectFlights(
          `session of ${sessionLifetimeMs} ms, SYN lost for 3 s, careful`,
          [seen],
          [[carrier, 3_000 / ROUND_TRIP_MS + roundTrips]],
        );
        expect(server.count('rejected unknown-session')).to.equal(0);
        await world.expectNothingLeft();
      }
    });

    it('a session that ends before its tombstone could be sent again four times is not claimed by fast', async () => {
      for (const [sessionLifetimeMs, carrier, roundTrips] of [
        [6_050, 'tcp', 3],
        [6_051, 'udp', 2],
      ] as const) {
        await start();
        const server = await world.server({ limits: { sessionLifetimeMs } });
        const loseTombstone: Filter = (packet) =>
          pathOf(packet) === 'to server' && packet.attempt < 4 && packet.payload.subarray(0, 4).toString() === 'TTLS'
            ? 'drop'
            : undefined;
        world.net.filter = (packet) => loseSyn(2)(packet) ?? loseTombstone(packet);
        const retransmitted = carrier === 'udp' ? 3_000 : 0;
        expectFlights(
          `session of ${sessionLifetimeMs} ms, SYN lost for 3 s, fast`,
          [await visit()],
          [[carrier, (3_000 + retransmitted) / ROUND_TRIP_MS + roundTrips]],
        );
        expect(server.count('rejected unknown-session')).to.equal(0);
        await world.expectNothingLeft();
      }
    });

    it('a server restarted in between: fast fails once, careful goes on', async () => {
      await start();
      for (const firstContact of ['careful', 'fast'] as const) {
        const before = await world.server();
        memory.clear();
        // The SYN is lost for a second, in which the server is killed and started again.
        world.net.filter = loseSyn(1);
        const socket = world.connect({ turbo: { memory, firstContact } });
        const outcome = world.exchange(socket).catch((error: Error) => error);
        await world.clock.advance(500);
        await world.clock.run(before.stop());
        const after = await world.server();
        const seen = await world.clock.run(outcome);
        expect(after.count('rejected unknown-session')).to.equal(1);
        if (firstContact === 'careful') {
          expectFlights('server restarted, careful', [seen as Seen], [['tcp', 1_000 / ROUND_TRIP_MS + 4]]);
        } else {
          expect(seen).to.have.property('code', 'ERR_TURBO_SESSION_LOST');
          expect(seen).to.have.property('retryable', true);
          world.net.filter = undefined;
          expectFlights(
            'server restarted, fast, after its failure',
            [await visit(), await visit()],
            [
              ['udp', 3],
              ['udp', 3],
            ],
          );
        }
        await world.clock.run(after.stop());
      }
    });
  });

  describe('long flights', () => {
    it('longer than the credit of first contact: TCP brings the rest; then UDP brings all', async () => {
      await start({ chainLength: 18 });
      await world.server();
      const seen = [await visit(), await visit(), await visit()];
      expectFlights('flight of more than 6 datagrams', seen, [
        ['udp', 3],
        ['udp', 2],
        ['udp', 2],
      ]);
    });

    it('a loss in it costs nothing where credit is left to repeat it', async () => {
      await start({ chainLength: 3 });
      await world.server();
      const seen = [await visit()];
      let answers = 0;
      world.net.filter = (packet) =>
        packet.protocol === 'udp' && pathOf(packet) === 'to client' && answers++ === 1 ? 'drop' : undefined;
      seen.push(await visit());
      expectFlights('second datagram of a flight lost in the second connection', seen, [
        ['udp', 2],
        ['udp', 2],
      ]);
    });

    it('a loss in it does not make the next one short of credit', async () => {
      await start({ chainLength: 10 });
      await world.server();
      const loseSecond: Filter = (packet) => {
        if (packet.protocol !== 'udp' || pathOf(packet) !== 'to client') return undefined;
        const datagram = decodeDatagram(packet.payload);
        return typeof datagram !== 'string' && datagram.sequence === 2 ? 'drop' : undefined;
      };
      const seen = [await visit()];
      world.net.filter = loseSecond;
      seen.push(await visit());
      world.net.filter = undefined;
      seen.push(await visit(), await visit());
      expectFlights('second datagram of a long flight always lost in the second connection', seen, [
        ['udp', 2],
        ['udp', 3 + GRACE],
        ['udp', 2],
        ['udp', 2],
      ]);
    });

    it('longer than 16 KiB: TCP brings what UDP may not, at each contact', async () => {
      await start({ chainLength: 45 });
      await world.server();
      const seen = [await visit(), await visit(), await visit()];
      // On the known path there is credit left, and the grace is waited for more.
      expectFlights('flight of more than 16 KiB', seen, [
        ['udp', 3],
        ['udp', 3 + GRACE],
        ['udp', 3 + GRACE],
      ]);
    });

    it('a ClientHello of two datagrams', async () => {
      await start();
      const server = await world.server({ tls: { ALPNProtocols: MANY_PROTOCOLS.slice(-1) } });
      const long = { ALPNProtocols: MANY_PROTOCOLS };
      expectFlights(
        'ClientHello of two datagrams',
        [await visit(long), await visit(long)],
        [
          ['udp', 2],
          ['udp', 2],
        ],
      );
      expect(server.count('session')).to.equal(2);
    });

    it('a ClientHello of more datagrams than a known path has asked for', async () => {
      await start();
      await world.server({ tls: { ALPNProtocols: ['x', ...MANY_PROTOCOLS.slice(-1)] } });
      const long = { ALPNProtocols: [...MANY_PROTOCOLS, ...MANY_PROTOCOLS.map((name) => `${name}x`.padEnd(80, '-'))] };
      expectFlights(
        'a short ClientHello, then one of four datagrams',
        [await visit(), await visit(long), await visit(long)],
        [
          ['udp', 2],
          ['udp', 2],
          ['udp', 2],
        ],
      );
    });
  });

  describe('other handshakes', () => {
    const handshakes: [string, TlsOptions, ConnectionOptions, number[], number][] = [
      // Asked for P-256 once, the client offers it first the next time.
      ['HelloRetryRequest', { ecdhCurve: 'P-256' }, {}, [3, 2], 4],
      ['TLS 1.2', { maxVersion: 'TLSv1.2' }, {}, [3, 3], 4],
    ];
    for (const [name, serverOptions, clientOptions, turbo, plain] of handshakes) {
      it(`${name}: ${turbo[0]}, where TCP takes ${plain}`, async () => {
        await start();
        await world.server({ tls: serverOptions });
        expect((await world.visitPlain(clientOptions)).roundTrips).to.equal(plain);
        const seen: Seen[] = [];
        for (const _ of turbo) seen.push(await visit(clientOptions));
        expectFlights(
          name,
          seen,
          turbo.map((trips) => ['udp', trips]),
        );
      });
    }

    it('resumption', async () => {
      for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
        await start();
        await world.server({ tls: { maxVersion } });
        const first = world.connect({ turbo: { memory } });
        const session = once(first, 'session');
        await world.clock.run(world.exchange(first));
        const [ticket] = await session;
        const again = world.connect({ session: ticket, turbo: { memory } });
        const reused = once(again, 'secureConnect').then(() => again.isSessionReused());
        expectFlights(`resumption, ${maxVersion}`, [await world.clock.run(world.exchange(again))], [['udp', 2]]);
        expect(await reused).to.equal(true);
        await world.expectNothingLeft();
      }
    });

    it('client certificates', async () => {
      await start();
      const visitor = await makeCertificate({ names: ['visitor'], usage: 'client' });
      await world.server({ tls: { requestCert: true, rejectUnauthorized: true, ca: visitor.ca } });
      expectFlights('client certificate', [await visit(visitor)], [['udp', 2]]);
    });

    it('a server that ends the handshake by an alert before the tombstone: the client hears of it', async () => {
      await start();
      const server = await world.server({ tls: { minVersion: 'TLSv1.3' } });
      const socket = world.connect({ maxVersion: 'TLSv1.2', turbo: { memory } });
      const [error] = await world.clock.run(once(socket, 'error'));
      expect(error).to.have.property('code', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
      expect(world.clock.now()).to.equal(ROUND_TRIP_MS);
      expect(server.count('session')).to.equal(1);
    });

    it('the same by careful: alert, then FIN, over TCP', async () => {
      await start();
      const server = await world.server({ tls: { minVersion: 'TLSv1.3' } });
      const socket = world.connect({ maxVersion: 'TLSv1.2', turbo: { memory, firstContact: 'careful' } });
      const [error] = await world.clock.run(once(socket, 'error'));
      expect(error).to.have.property('code', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
      expect(world.clock.now()).to.equal(2 * ROUND_TRIP_MS);
      expect(server.count('bound')).to.equal(1);
    });
  });
});
