/**
 * Item 8 of the reliability matrix: sessions abandoned at every step, by raw clients, by the real client and by the
 * server, on loopback. Memory and descriptors return to where they were, and the tables are empty.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { type Clock, HandshakeState, type Timer, TurboListener } from '../../src/experimental.js';
import type { AbandonOptions, AbandonReport } from './abandon-child.js';
import { announceSeed, byForm, makeWorld, PORT, ROUND_TRIP_MS, SERVER, seed } from './support.js';

const MiB = 1024 * 1024;

const SESSIONS = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 1_000, long: 1_000_000 }));
/** What garbage collection and the JIT may leave, however many sessions there were. A lost session would cost 100 KiB. */
const NOISE_BYTES = byForm({ short: 2, long: 4 }) * MiB;
/** OpenSSL's and the allocator's share too, which goes back to the system late or never. */
const RESIDENT_NOISE_BYTES = byForm({ short: 64, long: 128 }) * MiB;

/** A clock that knows how many of its timers have neither fired nor been cancelled. */
class CountingClock implements Clock {
  readonly #clock: Clock;
  readonly #pending = new Set<object>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get pending(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#clock.now();
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry = {};
    this.#pending.add(entry);
    const timer = this.#clock.after(delayMs, () => {
      this.#pending.delete(entry);
      callback();
    });
    return {
      cancel: () => {
        this.#pending.delete(entry);
        timer.cancel();
      },
    };
  }
}

describe('item 8: abandoned sessions', () => {
  announceSeed();

  it(`${SESSIONS} sessions, abandoned at every step, leave nothing behind`, async () => {
    const options: AbandonOptions = { sessions: SESSIONS, seed };
    const child = fork(new URL('./abandon-child.js', import.meta.url), [JSON.stringify(options)], {
      execArgv: ['--expose-gc', '--no-warnings'],
    });
    const exit = once(child, 'exit');
    let report: AbandonReport | undefined;
    child.on('message', (message) => {
      report = message as AbandonReport;
    });
    const [code] = await exit;
    expect(code, 'exit code').to.equal(0);
    const { steps, unanswered, before, after, halfOpen, unrouted, connections, events } = report as AbandonReport;

    const kilobytes = (bytes: number) => `${Math.round(bytes / 1024)} KiB`;
    console.log(
      `      ${Object.keys(steps).length} steps, ${events.session} sessions, ${events.bound} bound, ${events.plain} plain;`,
      `memory ${kilobytes(before.bytes)} -> ${kilobytes(after.bytes)}, resident ${kilobytes(before.residentBytes)} ->`,
      `${kilobytes(after.residentBytes)}, descriptors ${before.descriptors} -> ${after.descriptors}`,
    );
    expect(halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
    expect(unrouted, 'connections without first bytes').to.equal(0);
    expect(connections, 'TCP connections').to.equal(0);
    expect(after.descriptors, 'descriptors').to.equal(before.descriptors);
    expect(after.bytes - before.bytes, 'growth of heap and buffers').to.be.below(NOISE_BYTES);
    expect(after.residentBytes - before.residentBytes, 'growth of resident memory').to.be.below(RESIDENT_NOISE_BYTES);
    expect(Math.min(...Object.values(steps)), 'times that the rarest step was the last').to.be.above(0);
    // On a busy machine a short-lived session may expire before its answer is made.
    expect(unanswered, 'steps without the answer that they needed').to.be.below(SESSIONS / 10);
  }).timeout(byForm({ short: 60_000, long: 7_200_000 }));

  describe('a client that is destroyed within a change of its state', () => {
    for (const firstContact of ['fast', 'careful'] as const) {
      for (const state of ['GRACE', 'CLAIMING', 'BOUND', 'PLAIN'] as const) {
        it(`${firstContact}, ${state}: does nothing more, and leaves nothing behind`, async () => {
          const world = await makeWorld(state === 'PLAIN' ? { link: { udp: 'drop' } } : {});
          await world.server();
          const memory = world.memory();
          const clock = new CountingClock(world.clock);
          const socket = world.connect({ turbo: { firstContact, memory, clock } });
          let reached = false;
          socket.turbo?.state$.subscribe((current) => {
            if (current !== HandshakeState[state]) return;
            reached = true;
            socket.destroy();
          });
          await world.clock.run(once(socket, 'close'));
          expect(reached).to.equal(true);
          // What has sent its tombstone stays for the Reply, so that the server sees an end and no reset.
          await world.clock.advance(state === 'CLAIMING' ? 2 * ROUND_TRIP_MS : 0);
          expect(clock.pending, 'timers of the client').to.equal(0);
          await world.expectNothingLeft();
          expect(memory.plan(`${SERVER}:${PORT}`).contact, 'what the path is remembered as').to.equal('fast');
        });
      }
    }
  });

  describe('streams that nobody accepts', () => {
    it('a session that expires in the backlog, or finds it full, is no uncaught error; nobody gets it', async () => {
      const world = await makeWorld();
      const host = world.net.host(SERVER);
      const listener = new TurboListener({ network: host, clock: world.clock, limits: { acceptBacklog: 1 } });
      await world.clock.run(listener.listen({ port: PORT }));
      const clients = [world.connect(), world.connect({}, '10.0.0.4')];
      for (const client of clients) client.on('error', () => {});
      await world.clock.advance(30);
      expect(listener.engine.halfOpen.sessions).to.equal(2);
      for (const client of clients) client.destroy();
      await world.clock.advance(11_000);
      expect(listener.engine.halfOpen.sessions).to.equal(0);
      const accepted = listener.accept().then(
        () => 'a stream',
        (error) => error.code,
      );
      await world.clock.run(listener.close());
      expect(await accepted).to.equal('ERR_TURBO_LISTENER_CLOSED');
      await world.expectNothingLeft();
    });

    it('a TCP connection that is reset in the backlog is no uncaught error; nobody gets it', async () => {
      const world = await makeWorld();
      const host = world.net.host(SERVER);
      const listener = new TurboListener({ network: host, clock: world.clock });
      await world.clock.run(listener.listen({ port: PORT }));
      const client = world.net.host('10.0.0.1').connectTcp({ host: SERVER, port: PORT });
      await world.clock.run(once(client, 'connect'));
      client.write(Buffer.from('160301', 'hex'));
      await world.clock.advance(100);
      client.resetAndDestroy();
      await world.clock.advance(100);
      const accepted = listener.accept().then(
        () => 'a stream',
        (error) => error.code,
      );
      await world.clock.run(listener.close());
      expect(await accepted).to.equal('ERR_TURBO_LISTENER_CLOSED');
      await world.expectNothingLeft();
    });
  });
});
