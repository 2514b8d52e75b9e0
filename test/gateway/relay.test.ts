import { createHook } from 'node:async_hooks';
import { createHash, randomFillSync } from 'node:crypto';
import { getEventListeners, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createServer as createTlsServer, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { expect } from 'chai';
import { RESET_DELAY_MS, type RelayEnd, type RelayOptions, relay, withoutLateReset } from '../../src/gateway/relay.js';
import { Random } from '../simulator/random.js';
import { makeCertificate } from '../support/certificates.js';
import { memoryInUse } from '../support/garbage.js';
import { gather, tcpPair } from '../support/tcp-pair.js';
import { rejection, until } from './backend/rig.js';

const MiB = 2 ** 20;
const KiB = 1024;
const seed = process.env.TURBOTLS_SEED ?? String(Math.floor(Math.random() * 2 ** 32));

/** A client, a relay, a backend: on loopback, each a TCP connection. */
interface Wires {
  client: Socket;
  backend: Socket;
  /** The relay's ends. */
  inner: { client: Socket; backend: Socket };
  end: Promise<RelayEnd>;
  abort: AbortController;
  /** Listeners at the relay's ends before it began. */
  listeners: number[];
}

/** Those that a relay uses, but 'error', where it leaves one for good. */
const EVENTS = ['data', 'drain', 'finish', 'end', 'close'];

function countListeners({ client, backend }: Wires['inner']): number[] {
  return EVENTS.map((event) => client.listenerCount(event) + backend.listenerCount(event));
}

describe('gateway relay', () => {
  const open = new Set<Duplex>();

  before(() => console.log(`      TURBOTLS_SEED=${seed}`));

  afterEach(() => {
    for (const stream of open) stream.destroy();
    open.clear();
  });

  function track<Stream extends Duplex>(stream: Stream): Stream {
    open.add(stream);
    stream.once('close', () => open.delete(stream));
    return stream;
  }

  /** What is done before the relay begins is done in `prepare`. */
  async function wires(
    options: Partial<RelayOptions> = {},
    prepare: (wires: Pick<Wires, 'client' | 'backend' | 'inner'>) => unknown = () => {},
  ): Promise<Wires> {
    const [left, right] = [await tcpPair(), await tcpPair()];
    for (const socket of [left.here, left.there, right.here, right.there]) track(socket);
    const abort = new AbortController();
    const ends = { client: left.there, backend: right.there, inner: { client: left.here, backend: right.here } };
    await prepare(ends);
    const before = countListeners(ends.inner);
    const end = relay(left.here, right.here, { idleTimeoutMs: 0, signal: abort.signal, ...options });
    return { ...ends, end, abort, listeners: before };
  }

  /** The end, and that nothing is left of it. */
  async function over({ end, inner, abort, listeners }: Wires): Promise<RelayEnd> {
    const result = await end;
    for (const stream of [inner.client, inner.backend]) expect(stream.closed).to.equal(true);
    expect(getEventListeners(abort.signal, 'abort')).to.deep.equal([]);
    for (const [index, count] of countListeners(inner).entries()) {
      expect(count, `listeners of '${EVENTS[index]}'`).to.be.at.most(listeners[index] as number);
    }
    return result;
  }

  it('carries both ways, and ends as the client ends', async () => {
    const all = await wires();
    const [up, down] = [gather(all.backend), gather(all.client)];
    all.client.write('question');
    await until(() => up.bytes().length === 8, 'the question is there');
    all.backend.write('the answer');
    await until(() => down.bytes().length === 10, 'the answer is there');
    all.client.end();
    await until(() => up.ended(), 'the end is there');
    all.backend.end();
    expect(await over(all)).to.deep.equal({ up: 8, down: 10, reason: 'client' });
    expect([String(up.bytes()), String(down.bytes())]).to.deep.equal(['question', 'the answer']);
  });

  it('keeps one direction while the other is over, each way', async () => {
    for (const first of ['client', 'backend'] as const) {
      const second = first === 'client' ? 'backend' : 'client';
      // As sockets are unless they are told otherwise.
      const all = await wires({}, ({ inner }) => {
        inner.client.allowHalfOpen = false;
        inner.backend.allowHalfOpen = false;
      });
      const heard = gather(all[first]);
      const told = gather(all[second]);
      all[first].end('all I say');
      await until(() => told.ended(), 'it is told');
      for (const text of ['and ', 'then ', 'I ', 'go ', 'on']) {
        all[second].write(text);
        await delay(2);
      }
      all[second].end();
      const end = await over(all);
      expect(end.reason).to.equal(first);
      expect([String(told.bytes()), String(heard.bytes())]).to.deep.equal(['all I say', 'and then I go on']);
    }
  });

  it('carries what was there before it began, and an end too', async () => {
    const all = await wires({}, async ({ client, backend, inner }) => {
      client.end('early');
      backend.write('greeting');
      // Looked at, put back, and left paused, as whoever routes does it.
      await once(inner.client, 'readable');
      const head = inner.client.read();
      inner.client.unshift(head);
      inner.backend.pause();
      await delay(20);
    });
    const [up, down] = [gather(all.backend), gather(all.client)];
    await until(() => up.ended() && down.bytes().length > 0, 'it is there');
    all.backend.end();
    expect(await over(all)).to.deep.equal({ up: 5, down: 8, reason: 'client' });
    expect([String(up.bytes()), String(down.bytes())]).to.deep.equal(['early', 'greeting']);
  });

  it('makes up for an end that has been read', async () => {
    const all = await wires({}, async ({ client, inner }) => {
      client.end();
      inner.client.resume();
      await once(inner.client, 'end');
    });
    const up = gather(all.backend);
    await until(() => up.ended(), 'the end is there');
    all.client.resume();
    all.backend.end('late');
    expect(await over(all)).to.deep.equal({ up: 0, down: 4, reason: 'client' });
  });

  it('holds a reset after the client’s end for nothing but how servers close', () => {
    const reset = { up: 1, down: 2, reason: 'backend-error' as const, error: new Error('read ECONNRESET') };
    const ended = new PassThrough();
    Object.defineProperty(ended, 'readableEnded', { value: true });
    expect(withoutLateReset(reset, ended)).to.deep.equal({ ...reset, reason: 'client' });
    expect(withoutLateReset(reset, new PassThrough())).to.equal(reset);
    const idle = { ...reset, reason: 'idle' as const };
    expect(withoutLateReset(idle, ended)).to.equal(idle);
  });

  describe('bulk', function () {
    this.timeout(60_000);

    async function send(socket: Socket, bytes: number, random: Random): Promise<string> {
      const hash = createHash('sha256');
      for (let sent = 0; sent < bytes; ) {
        const chunk = randomFillSync(Buffer.allocUnsafe(Math.min(bytes - sent, 1 + random.int(256 * KiB))));
        hash.update(chunk);
        sent += chunk.length;
        if (!socket.write(chunk)) await once(socket, 'drain');
      }
      socket.end();
      return hash.digest('hex');
    }

    async function receive(socket: Socket): Promise<string> {
      const hash = createHash('sha256');
      socket.on('data', (chunk: Buffer) => hash.update(chunk));
      await once(socket, 'end');
      return hash.digest('hex');
    }

    it('100 MB each way at once', async () => {
      const all = await wires({ idleTimeoutMs: 5_000 });
      const random = new Random(seed);
      const bytes = 100 * MiB;
      const [sentUp, sentDown, gotUp, gotDown] = await Promise.all([
        send(all.client, bytes, random.fork('up')),
        send(all.backend, bytes, random.fork('down')),
        receive(all.backend),
        receive(all.client),
      ]);
      expect([gotUp, gotDown]).to.deep.equal([sentUp, sentDown]);
      expect(await over(all)).to.include({ up: bytes, down: bytes });
    });

    for (const stalled of ['client', 'backend'] as const) {
      it(`a ${stalled} that does not read: the other one waits, and nothing grows`, async () => {
        const all = await wires();
        const writer = stalled === 'client' ? all.backend : all.client;
        const before = memoryInUse();
        let written = 0;
        let longest = 0;
        const chunk = Buffer.alloc(64 * KiB, 'x');
        const sample = () => {
          for (const stream of [all.inner.client, all.inner.backend]) {
            longest = Math.max(longest, stream.readableLength - stream.readableHighWaterMark);
            longest = Math.max(longest, stream.writableLength - stream.writableHighWaterMark);
          }
        };
        for (let idle = 0; idle < 30; ) {
          if (writer.writableLength < 4 * chunk.length) {
            writer.write(chunk);
            written += chunk.length;
            idle = 0;
          } else idle++;
          await delay(5);
          sample();
        }
        expect(longest, 'beyond a high-water mark').to.be.at.most(64 * KiB);
        expect(memoryInUse() - before).to.be.below(4 * MiB);
        // It goes on where it stood.
        const got = receive(all[stalled]);
        writer.end();
        const hash = createHash('sha256');
        for (let left = written; left > 0; left -= chunk.length) hash.update(chunk);
        expect(await got).to.equal(hash.digest('hex'));
        all[stalled].end();
        writer.resume();
        expect((await over(all)).reason).to.equal(stalled === 'client' ? 'backend' : 'client');
      });
    }

    it('random traffic: everything arrives, in order, whoever ends first', async () => {
      const random = new Random(`${seed} traffic`);
      for (let round = 0; round < 40; round++) {
        const all = await wires();
        const talk = async (from: Socket) => {
          const sent: Buffer[] = [];
          for (let count = random.int(12); count > 0; count--) {
            const chunk = random.bytes(random.int(random.pick([3, 300, 30_000])));
            sent.push(chunk);
            from.write(chunk);
            if (random.chance(0.3)) await delay(random.int(4));
          }
          from.end();
          return Buffer.concat(sent);
        };
        const [up, down] = [gather(all.backend), gather(all.client)];
        const [sentUp, sentDown] = await Promise.all([talk(all.client), talk(all.backend)]);
        const { up: upBytes, down: downBytes, reason } = await over(all);
        await until(() => up.ended() && down.ended(), 'the ends are there');
        expect(up.bytes().equals(sentUp) && down.bytes().equals(sentDown), `round ${round}`).to.equal(true);
        expect([upBytes, downBytes]).to.deep.equal([sentUp.length, sentDown.length]);
        expect(reason).to.be.oneOf(['client', 'backend']);
      }
    });
  });

  describe('failures', () => {
    for (const first of ['client', 'backend'] as const) {
      const second = first === 'client' ? 'backend' : 'client';

      it(`a reset of the ${first} resets the ${second}, behind what it had said`, async () => {
        const all = await wires();
        const heard = gather(all[second]);
        all[first].write('last words');
        await until(() => heard.bytes().length === 10, 'they are there');
        const reset = once(all[second], 'error');
        all[first].resetAndDestroy();
        expect((await reset)[0]).to.have.property('code', 'ECONNRESET');
        const { reason, error } = await over(all);
        expect(reason).to.equal(`${first}-error`);
        expect(error).to.have.property('code', 'ECONNRESET');
        expect(heard.ended()).to.equal(false);
      });

      it(`a ${first} that fails with the ${second} stalled is not waited for without end`, async () => {
        const all = await wires();
        all[second].pause();
        const chunk = Buffer.alloc(256 * KiB);
        while (all.inner[second].writableLength === 0) {
          all[first].write(chunk);
          await delay(1);
        }
        await delay(50);
        const begun = performance.now();
        all.inner[first].destroy(new Error('on purpose'));
        // Goes nowhere, and is not counted.
        all[second].write('still here');
        const { reason, error, up, down } = await over(all);
        expect([reason, error?.message]).to.deep.equal([`${first}-error`, 'on purpose']);
        expect(first === 'client' ? down : up).to.equal(0);
        // It had its time.
        expect(performance.now() - begun).to.be.above(RESET_DELAY_MS - 100);
      });

      it(`a reset of the ${first} that is behind what the ${second} does not read is heard when it reads`, async () => {
        const all = await wires();
        const chunk = Buffer.alloc(256 * KiB);
        while (all.inner[second].writableLength === 0) {
          all[first].write(chunk);
          await delay(1);
        }
        all[first].resetAndDestroy();
        await delay(20);
        const reset = once(all[second].resume(), 'error');
        expect((await over(all)).reason).to.equal(`${first}-error`);
        expect((await reset)[0]).to.have.property('code', 'ECONNRESET');
      });

      it(`a ${first} that is gone behind its end: the ${second} gets all, and its own words are dropped`, async () => {
        const all = await wires();
        const text = Buffer.alloc(512 * KiB, 'answer');
        all[first].write(text);
        all[first].end();
        // As a process that exits: FIN, and a reset for whatever comes then.
        all[first].once('finish', () => all[first].destroy());
        await once(all[first], 'close');
        // A reset in front of the end would destroy what is not read yet, here as in any connection.
        await until(() => all.inner[first].readableEnded, 'the relay has read the end');
        const chatter = setInterval(() => all[second].write('more'), 1);
        await delay(30);
        const heard = gather(all[second]);
        await until(() => heard.ended(), 'the end is there');
        clearInterval(chatter);
        expect(heard.bytes().equals(text)).to.equal(true);
        all[second].end();
        expect(await over(all)).to.deep.include({ reason: first });
      });
    }

    it('a stream that is destroyed without a word is cut off, not ended', async () => {
      const all = await wires();
      const reset = once(all.backend, 'error');
      all.inner.client.destroy();
      expect((await reset)[0]).to.have.property('code', 'ECONNRESET');
      expect(await over(all)).to.deep.equal({ up: 0, down: 0, reason: 'client-error' });
    });

    it('a stream that had failed before, or closed, or both had', async () => {
      const gone = (stream: Socket, error?: Error) => {
        stream.on('error', () => {});
        stream.destroy(error);
      };
      const failure = new Error('before');
      const cases: [(inner: Wires['inner']) => void, Partial<RelayEnd>][] = [
        [({ client }) => gone(client, failure), { reason: 'client-error', error: failure }],
        [({ backend }) => gone(backend, failure), { reason: 'backend-error', error: failure }],
        [({ client }) => gone(client), { reason: 'client-error' }],
        [
          ({ client, backend }) => {
            gone(client);
            gone(backend);
          },
          { reason: 'client-error' },
        ],
      ];
      for (const [prepare, expected] of cases) {
        for (const waitMs of [0, 10]) {
          const all = await wires({}, async ({ inner }) => {
            prepare(inner);
            if (waitMs > 0) await delay(waitMs);
          });
          expect(await over(all)).to.deep.equal({ up: 0, down: 0, ...expected });
        }
      }
    });

    it('a failure is told once, however many come', async () => {
      const failing = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
      const [other] = [await tcpPair()];
      track(other.there);
      const end = relay(failing, track(other.here), { idleTimeoutMs: 0, signal: new AbortController().signal });
      failing.emit('error', new Error('first'));
      failing.emit('error', new Error('second'));
      expect((await end).error).to.have.property('message', 'first');
      failing.emit('error', new Error('behind the end'));
    });

    it('a stream that has ended and then fails without being destroyed is not written to any more', async () => {
      const failing = new Duplex({ read() {}, write() {} });
      const other = await tcpPair();
      track(other.there);
      const end = relay(failing, track(other.here), { idleTimeoutMs: 0, signal: new AbortController().signal });
      failing.push(null);
      await once(other.there.resume(), 'end');
      failing.emit('error', new Error('it takes no more'));
      other.there.end('nobody hears this');
      expect(await end).to.deep.include({ reason: 'client', up: 0 });
      expect(failing.destroyed).to.equal(true);
    });

    it('a Unix socket, which knows no reset, is closed', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'turbotls-relay-'));
      const path = join(folder, 's');
      const server = createServer({ allowHalfOpen: true }).listen(path);
      await once(server, 'listening');
      const outer = track(connect({ path }));
      const [inner] = (await once(server, 'connection')) as [Socket];
      const pair = await tcpPair();
      track(pair.there);
      const end = relay(track(inner), track(pair.here), { idleTimeoutMs: 0, signal: new AbortController().signal });
      const closed = once(outer.resume(), 'close');
      pair.there.resetAndDestroy();
      expect((await end).reason).to.equal('backend-error');
      await closed;
      server.close();
      rmSync(folder, { recursive: true });
    });
  });

  describe('time', () => {
    it('idle: neither direction for so long; bytes of either keep it', async () => {
      const idleTimeoutMs = 600;
      const all = await wires({ idleTimeoutMs });
      const closed = [once(all.client.resume(), 'close'), once(all.backend.resume(), 'close')];
      for (const socket of [all.client, all.backend]) socket.once('end', () => socket.end());
      let lastMs = 0;
      for (let count = 0; count < 8; count++) {
        await delay(100);
        (count % 2 === 0 ? all.client : all.backend).write('.');
        lastMs = performance.now();
      }
      const { up, down, reason, error } = await over(all);
      expect({ up, down, reason, error }).to.deep.equal({ up: 4, down: 4, reason: 'idle', error: undefined });
      expect(performance.now() - lastMs).to.be.above(idleTimeoutMs - 20);
      await Promise.all(closed);
    });

    it('never, where it is 0', async () => {
      const all = await wires({ idleTimeoutMs: 0 });
      await delay(150);
      const up = gather(all.backend);
      all.client.end('still there');
      await until(() => up.ended(), 'it is there');
      all.backend.end();
      all.client.resume();
      expect((await over(all)).reason).to.equal('client');
    });

    it('abort: at once, both', async () => {
      const all = await wires();
      for (const socket of [all.client, all.backend]) socket.resume().once('end', () => socket.end());
      const closed = [once(all.client, 'close'), once(all.backend, 'close')];
      all.client.write('x');
      await once(all.backend, 'data');
      all.abort.abort();
      expect(await over(all)).to.deep.equal({ up: 1, down: 0, reason: 'aborted' });
      await Promise.all(closed);
    });

    it('abort, before it began', async () => {
      const all = await wires({ signal: AbortSignal.abort() });
      expect(await over(all)).to.deep.equal({ up: 0, down: 0, reason: 'aborted' });
    });

    it('many on one signal, without a warning', async () => {
      const abort = new AbortController();
      const warnings: Error[] = [];
      const onWarning = (warning: Error) => warnings.push(warning);
      process.on('warning', onWarning);
      const all = await Promise.all(Array.from({ length: 30 }, () => wires({ signal: abort.signal })));
      abort.abort();
      for (const { end } of all) expect((await end).reason).to.equal('aborted');
      await delay(5);
      process.off('warning', onWarning);
      expect(warnings).to.deep.equal([]);
      expect(getEventListeners(abort.signal, 'abort')).to.deep.equal([]);
    });
  });

  describe('TLS on the client’s side', () => {
    /** As terminate has it: TLS ends in the relay's end of the client's connection. */
    async function secureWires(): Promise<Wires & { secure: TLSSocket; alerts: () => number }> {
      const { key, cert, ca } = await makeCertificate({ names: ['localhost'] });
      const [left, right] = [await tcpPair(), await tcpPair()];
      for (const socket of [left.here, left.there, right.here, right.there]) track(socket);
      const raw = gather(left.there);
      // TLS 1.2 shows its alerts.
      const socket = overSocket(left.there);
      const secure = track(tlsConnect({ socket, ca, servername: 'localhost', maxVersion: 'TLSv1.2' }));
      secure.on('error', () => {});
      const server = createTlsServer({ key, cert });
      // As the gateway does it: each direction is to end by itself.
      server.emit('connection', left.here);
      const [[socketOfServer]] = await Promise.all([once(server, 'secureConnection'), once(secure, 'secureConnect')]);
      const inner = track(socketOfServer as TLSSocket);
      const abort = new AbortController();
      const end = relay(inner, right.here, { idleTimeoutMs: 0, signal: abort.signal });
      const ends = { client: left.there, backend: right.there, inner: { client: inner, backend: right.here } };
      return { ...ends, end, abort, secure, listeners: [], alerts: () => countAlerts(raw.bytes()) };
    }

    it('is carried, half-close too', async () => {
      const all = await secureWires();
      all.secure.allowHalfOpen = true;
      const up = gather(all.backend);
      const down = gather(all.secure);
      all.secure.end('question');
      await until(() => up.ended(), 'the question is there');
      await delay(10);
      all.backend.end(Buffer.alloc(MiB, 'answer'));
      expect(await all.end).to.deep.equal({ up: 8, down: MiB, reason: 'client' });
      await until(() => down.ended(), 'the end is there');
      expect(down.bytes().equals(Buffer.alloc(MiB, 'answer'))).to.equal(true);
      expect(all.alerts(), 'close_notify').to.equal(1);
    });

    it('is cut off without close_notify when the backend fails: nobody takes it for the end', async () => {
      const all = await secureWires();
      const down = gather(all.secure);
      all.backend.write('half of the ans');
      await until(() => down.bytes().length === 15, 'it is there');
      all.backend.resetAndDestroy();
      expect((await all.end).reason).to.equal('backend-error');
      await until(() => all.client.readableEnded || all.client.destroyed, 'the connection is over');
      expect(all.alerts(), 'close_notify').to.equal(0);
    });

    it('that breaks is closed, and so is the backend', async () => {
      const all = await secureWires();
      const reset = rejection(once(all.backend.resume(), 'close'));
      all.client.write(Buffer.from('1703030005ffffffffff', 'hex'));
      const { reason, error } = await all.end;
      expect(reason).to.equal('client-error');
      expect(error)
        .to.have.property('code')
        .that.matches(/^ERR_SSL_/);
      await reset;
    });
  });

  it('leaves nothing behind, however it ends', async function () {
    this.timeout(30_000);
    const random = new Random(`${seed} leaks`);
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
    const timers = new Set<number>();
    const hook = createHook({
      init: (id, type) => void (type === 'Timeout' && timers.add(id)),
      destroy: (id) => void timers.delete(id),
    }).enable();
    const ways: ((all: Wires) => unknown)[] = [
      ({ client }) => client.end(),
      ({ backend }) => backend.end('x'),
      ({ client }) => client.resetAndDestroy(),
      ({ backend }) => backend.resetAndDestroy(),
      ({ client }) => client.destroy(),
      ({ backend }) => backend.destroy(),
      ({ abort }) => abort.abort(),
      ({ inner }) => inner.client.destroy(),
      ({ inner }) => inner.backend.destroy(new Error('on purpose')),
    ];
    const socketsBefore = sockets();
    const reasons = new Map<string, number>();
    for (let round = 0; round < 30; round++) {
      const all = await Promise.all(Array.from({ length: 10 }, () => wires({ idleTimeoutMs: 60_000 })));
      for (const one of all) {
        for (const socket of [one.client, one.backend]) socket.resume().once('end', () => socket.end());
        one.client.write('hello');
        if (random.chance(0.5)) await delay(random.int(3));
        random.pick(ways)(one);
      }
      for (const { end } of all) {
        const { reason } = await end;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    console.log(`      ${JSON.stringify(Object.fromEntries(reasons))}`);
    expect([...reasons.keys()]).to.have.members(['client', 'backend', 'client-error', 'backend-error', 'aborted']);
    await until(() => sockets() <= socketsBefore, 'the sockets are gone');
    hook.disable();
    // Beside those of this test's own.
    expect(timers.size).to.be.below(10);
  });
});

/** What TLS runs on as on the socket, while others look at its bytes as well. */
function overSocket(socket: Socket): Duplex {
  const stream = new Duplex({
    read() {},
    write: (chunk, _encoding, callback) => void socket.write(chunk, callback),
    final: (callback) => void socket.end(callback),
  });
  socket.on('data', (chunk) => stream.push(chunk));
  socket.on('end', () => stream.push(null));
  return stream;
}

const RECORD_ALERT = 21;

function countAlerts(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes[at] === RECORD_ALERT) count++;
  }
  return count;
}
