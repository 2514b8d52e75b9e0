/**
 * Item 12 of the reliability matrix: a reader that stalls, each way, before TCP carries the stream and behind that. The
 * writer writes for as long as it may; no buffer on the way then holds more than its high-water mark and 64 KiB. What
 * was written arrives when the reader goes on.
 *
 *     writer ─► TLSSocket ─► IO ─► TCP socket ─ … ─ TCP socket ─► IO ─► TLSSocket ─► reader
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { FirstContact } from '../../src/experimental.js';
import { ClientIO, connect, createServer, PathMemory, ServerIO, TurboListener } from '../../src/experimental.js';
import { defaultLimits } from '../../src/limits.js';
import { Random } from '../simulator/random.js';
import { announceSeed, byForm, makeWorld, NAME, PORT, SERVER, seed, sha256, type World } from './support.js';

const KiB = 1024;
const SLACK_BYTES = 64 * KiB;
/** More than all buffers on the way, the kernel's included, can hold. */
const VIRTUAL_BYTES = KiB * KiB;
const LOOPBACK_BYTES = 48 * KiB * KiB;
const TIMES = byForm({ short: 6, long: 1_000 });
const LOOPBACK_TIMES = byForm({ short: 2, long: 100 });

type Way = 'to client' | 'to server';
const WAYS: readonly Way[] = ['to client', 'to server'];

/** The largest part of any buffer that was beyond its high-water mark, and where. */
class Excess {
  bytes = Number.NEGATIVE_INFINITY;
  where = '';

  sample(streams: Readonly<Record<string, Duplex | undefined>>): void {
    for (const [name, stream] of Object.entries(streams)) {
      if (!stream || stream.destroyed) continue;
      this.#note(`${name}, readable`, stream.readableLength - stream.readableHighWaterMark);
      this.#note(`${name}, writable`, stream.writableLength - stream.writableHighWaterMark);
    }
  }

  expectWithinBounds(): void {
    expect(this.bytes, `beyond the high-water mark of ${this.where}`).to.be.at.most(SLACK_BYTES);
  }

  #note(where: string, bytes: number): void {
    if (bytes <= this.bytes) return;
    this.bytes = bytes;
    this.where = where;
  }
}

/** Every stream from TLS down to TCP. */
function streamsOf(name: string, secure: Duplex, io: Duplex | undefined): Record<string, Duplex | undefined> {
  const tcp = io instanceof ClientIO || io instanceof ServerIO ? io.tcp : undefined;
  return { [`${name}'s TLSSocket`]: secure, [`${name}'s IO`]: io, [`${name}'s TCP socket`]: tcp };
}

/** Writes `total` bytes as fast as the stream takes them, then ends it. */
class Writer {
  written = 0;
  readonly bytes: Buffer;
  readonly #stream: Duplex;
  readonly #chunkBytes: number;

  constructor(stream: Duplex, bytes: Buffer, chunkBytes: number) {
    this.#stream = stream;
    this.bytes = bytes;
    this.#chunkBytes = chunkBytes;
    stream.on('drain', () => this.#write());
    this.#write();
  }

  #write(): void {
    while (this.written < this.bytes.length) {
      const chunk = this.bytes.subarray(this.written, this.written + this.#chunkBytes);
      this.written += chunk.length;
      if (!this.#stream.write(chunk)) return;
    }
    if (!this.#stream.writableEnded) this.#stream.end();
  }
}

async function readAll(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return sha256(chunks);
}

describe('item 12: a stalled reader', () => {
  announceSeed();

  const random = new Random(seed);
  const timeout = byForm({ short: 30_000, long: 3_600_000 });

  interface Variant {
    way: Way;
    firstContact: FirstContact;
    carrier: 'udp' | 'tcp';
    chunkBytes: number;
  }

  function drawVariant(way: Way): Variant {
    return {
      way,
      firstContact: random.pick(['fast', 'careful']),
      carrier: random.pick(['udp', 'udp', 'tcp']),
      chunkBytes: random.pick([1_000, 16 * KiB, 64 * KiB]),
    };
  }

  for (const way of WAYS) {
    it(`stalls ${TIMES} times, ${way}, in virtual time`, async () => {
      const excess = new Excess();
      for (let time = 0; time < TIMES; time++) await stallVirtually(drawVariant(way), excess);
      console.log(`      most beyond a high-water mark: ${excess.bytes} bytes, ${excess.where}`);
    }).timeout(timeout);

    it(`stalls ${LOOPBACK_TIMES} times, ${way}, on loopback`, async () => {
      const excess = new Excess();
      for (let time = 0; time < LOOPBACK_TIMES; time++) await stallOnLoopback(drawVariant(way), excess);
      console.log(`      most beyond a high-water mark: ${excess.bytes} bytes, ${excess.where}`);
    }).timeout(timeout);
  }

  async function stallVirtually({ way, firstContact, carrier, chunkBytes }: Variant, excess: Excess): Promise<void> {
    const world = await makeWorld({ link: { udp: carrier === 'udp' ? 'pass' : 'drop' } });
    let accepted: TLSSocket | undefined;
    const server = await world.server({
      onSecure: (socket) => {
        accepted = socket;
      },
    });
    const client = world.connect({ allowHalfOpen: true, turbo: { firstContact } });
    await world.clock.run(once(client, 'secureConnect'));
    await world.clock.run(() => accepted !== undefined);
    const peer = accepted as TLSSocket;
    expect(client.turbo?.carrier ?? 'udp').to.equal(carrier);

    const bytes = Buffer.alloc(VIRTUAL_BYTES, random.bytes(997));
    const [from, to] = way === 'to client' ? [peer, client] : [client, peer];
    const writer = new Writer(from, bytes, chunkBytes);
    for (let turn = 0; turn < 40; turn++) {
      await world.clock.advance(25);
      excess.sample(streamsOf('client', client, client.turbo as ClientIO));
      excess.sample(streamsOf('server', peer, server.streams.get(peer)));
    }
    excess.expectWithinBounds();
    expect(writer.written, 'bytes written to a reader that stalls').to.be.below(bytes.length);

    expect(await world.clock.run(readAll(to))).to.equal(sha256(bytes));
    to.end();
    from.resume();
    await world.expectNothingLeft();
  }

  async function stallOnLoopback({ way, firstContact, carrier, chunkBytes }: Variant, excess: Excess): Promise<void> {
    const { key, cert, ca } = (await makeWorld()).certificate;
    const server = createServer({ key, cert, turbo: { mode: carrier === 'udp' ? 'prefer' : 'off' } });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (let tries = 0; carrier === 'udp' && server.turbo?.address() === null && tries < 1_000; tries++) await sleep(1);
    const { port } = server.address() as AddressInfo;
    const secure = once(server, 'secureConnection');
    const turbo = { firstContact, memory: new PathMemory() };
    const client = connect({ host: '127.0.0.1', port, servername: NAME, ca, allowHalfOpen: true, turbo });
    await once(client, 'secureConnect');
    const [peer] = (await secure) as [TLSSocket];

    const bytes = Buffer.alloc(LOOPBACK_BYTES, random.bytes(997));
    const [from, to] = way === 'to client' ? [peer, client] : [client, peer];
    const writer = new Writer(from, bytes, chunkBytes);
    for (let before = -1; before !== writer.written; ) {
      before = writer.written;
      for (let turn = 0; turn < 10; turn++) {
        await sleep(10);
        excess.sample(streamsOf('client', client, client.turbo as ClientIO));
        excess.sample(streamsOf('server', peer, undefined));
      }
    }
    excess.expectWithinBounds();
    expect(writer.written, 'bytes written to a reader that stalls').to.be.below(bytes.length);

    expect(await readAll(to)).to.equal(sha256(bytes));
    to.end();
    from.resume();
    if (!client.closed) await once(client, 'close');
    server.close();
    await once(server, 'close');
  }

  describe('before the binding', () => {
    /** A listener whose sessions are given to nobody: what stands above writes without TLS. */
    async function startRaw(): Promise<{ world: World; listener: TurboListener; io: ServerIO; client: ClientIO }> {
      const world = await makeWorld();
      const listener = new TurboListener({ network: world.net.host(SERVER), clock: world.clock });
      await world.clock.run(listener.listen({ port: PORT }));
      // TCP is late, so that the session waits.
      world.net.filter = ({ kind, attempt }) => (kind === 'syn' && attempt < 2 ? 'drop' : undefined);
      const client = new ClientIO({
        tcp: { host: SERVER, port: PORT },
        network: world.net.host('10.0.0.1'),
        clock: world.clock,
        memory: world.memory(),
      });
      // A whole record opens the session.
      client.write(Buffer.from('16030100050100000101', 'hex'));
      const { stream } = await world.clock.run(listener.accept());
      expect(stream).to.be.instanceOf(ServerIO);
      return { world, listener, io: stream as ServerIO, client };
    }

    async function stop(world: World, listener: TurboListener): Promise<void> {
      await world.clock.run(listener.close({ deadlineMs: 0 }));
      await world.expectNothingLeft();
    }

    it("the server's writes are withheld when the session's share is used up, and arrive in order", async () => {
      for (const chunkBytes of [500, 4 * KiB, 16 * KiB, 60 * KiB]) {
        const { world, listener, io, client } = await startRaw();
        const bytes = Buffer.alloc(VIRTUAL_BYTES, random.bytes(997));
        const writer = new Writer(io, bytes, chunkBytes);
        const excess = new Excess();
        await world.clock.advance(500);
        excess.sample({ io });
        excess.expectWithinBounds();
        const { sessionBytes, sessionTlsBytes } = defaultLimits;
        expect(writer.written, 'written').to.be.at.most(sessionBytes + io.writableHighWaterMark + SLACK_BYTES);
        expect(listener.engine.halfOpen.bytes, 'charged').to.be.at.most(sessionBytes + sessionTlsBytes + SLACK_BYTES);

        // Bound after 3 s, to a reader that still stalls.
        await world.clock.advance(4_000);
        excess.sample({ io, tcp: io.tcp, client, 'tcp of the client': client.tcp });
        excess.expectWithinBounds();
        expect(writer.written).to.be.below(bytes.length);
        expect(await world.clock.run(readAll(client))).to.equal(sha256(bytes));
        client.end();
        io.resume();
        await world.clock.advance(200);
        await stop(world, listener);
      }
    });

    it("the client's writes are withheld when it holds enough, and arrive in order", async () => {
      for (const chunkBytes of [500, 16 * KiB, 60 * KiB]) {
        const { world, listener, io, client } = await startRaw();
        const bytes = Buffer.alloc(VIRTUAL_BYTES, random.bytes(997));
        // Without an answer there is nothing to claim.
        io.write('answer');
        const writer = new Writer(client, bytes, chunkBytes);
        await world.clock.advance(500);
        const { clientHeldBytes } = defaultLimits;
        expect(writer.written, 'written').to.be.at.most(clientHeldBytes + client.writableHighWaterMark + SLACK_BYTES);
        await world.clock.advance(4_000);
        const excess = new Excess();
        excess.sample({ io, tcp: io.tcp, client, 'tcp of the client': client.tcp });
        excess.expectWithinBounds();
        expect(writer.written).to.be.below(bytes.length);

        const hello = Buffer.from('16030100050100000101', 'hex');
        expect(await world.clock.run(readAll(io))).to.equal(sha256([hello, bytes]));
        io.end();
        client.resume();
        await world.clock.advance(200);
        await stop(world, listener);
      }
    });

    it('a session whose server never stops writing is gone at its limit, with what it kept', async () => {
      const { world, listener, io, client } = await startRaw();
      io.on('error', () => {});
      new Writer(io, Buffer.alloc(VIRTUAL_BYTES), 16 * KiB);
      await world.clock.advance(100);
      client.destroy();
      await world.clock.advance(defaultLimits.sessionLifetimeMs + 1_000);
      expect(io.destroyed).to.equal(true);
      expect(listener.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
      await stop(world, listener);
    });
  });
});
