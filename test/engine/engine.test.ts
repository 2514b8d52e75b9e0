import { expect } from 'chai';
import type { DropReason, RefuseReason, RejectReason } from '../../src/engine/events.js';
import type { TurboError, TurboErrorCode } from '../../src/errors.js';
import type { TcpSocket } from '../../src/platform/network.js';
import { bytesField, clientDatagram, framed, serverDatagram } from '../support/bytes.js';
import { EngineRig, type RigClient, type RigOptions, readAll, record, settle, until } from '../support/engine-rig.js';

describe('engine/engine', () => {
  let rig: EngineRig;

  const make = (options?: RigOptions) => {
    rig = new EngineRig(options);
    return rig;
  };

  beforeEach(() => make());
  afterEach(() => rig.close());

  /** A session that was opened, and claimed by a TCP connection. */
  async function claimed(client = rig.client()) {
    client.hello();
    const instance = await client.learnInstance();
    const claim = client.tombstone({ instance, serverSequence: 1, clientSequence: 1 });
    const connection = await rig.dial(claim);
    expect((await connection.reply()).reply.accepted).to.equal(true);
    return { client, instance, claim, connection };
  }

  describe('drops a datagram, in silence, by name:', () => {
    /** Each reason's datagram. The record is exhaustive: a new reason without a test does not compile. */
    const drops: Record<DropReason, () => Promise<void> | void> = {
      'too-long': () => rig.udp.receive(clientDatagram({ ...rig.client(), length: 1201 }), rig.client().from),
      'too-short': () => rig.udp.receive(clientDatagram({ ...rig.client(), length: 399 }), rig.client().from),
      malformed: () => {
        const { connectionId, from } = rig.client();
        rig.udp.receive(Buffer.concat([Buffer.from([0]), clientDatagram({ connectionId })]), from);
      },
      corrupt: () => {
        const { connectionId, from } = rig.client();
        const bytes = clientDatagram({ connectionId, sequence: 1, payload: record() });
        bytes.writeUInt8(0x22, 60);
        rig.udp.receive(bytes, from);
      },
      'reflector-port': () => rig.client({ address: '198.51.100.7', port: 53 }).hello(),
      'wrong-side': () => {
        const { connectionId, from } = rig.client();
        const instance = Buffer.alloc(8, 1);
        rig.udp.receive(serverDatagram({ connectionId, sequence: 1, payload: record(), instance }), from);
      },
      'unknown-session': () => rig.client().request(),
      'foreign-address': () => {
        const client = rig.client();
        client.hello();
        const bytes = clientDatagram({ connectionId: client.connectionId });
        rig.udp.receive(bytes, { ...client.from, port: client.from.port + 1 });
      },
      claimed: async () => {
        const { client } = await claimed();
        rig.udp.take();
        client.request();
      },
      'never-sent': () => {
        const client = rig.client();
        client.hello();
        client.request(1);
      },
      'after-answer': async () => {
        const client = rig.client();
        client.hello();
        await client.learnInstance();
        client.send({ sequence: 2, payload: Buffer.from('Finished') });
        expect(client.stream.readableLength, 'what TLS gets').to.equal(record().length);
      },
      'over-limit': () => {
        const client = rig.client();
        client.send({ sequence: 17, payload: record() });
      },
      'table-full': async () => {
        await rig.close();
        make({ limits: { halfOpenSessions: 2 } });
        for (let count = 0; count < 3; count++) rig.client().hello();
      },
      'memory-full': async () => {
        await rig.close();
        make({ limits: { halfOpenBytes: 150 * 1024 } });
        rig.client().hello();
        rig.client().hello();
        expect(rig.engine.halfOpen.sessions).to.equal(1);
      },
      overloaded: async () => {
        await rig.close();
        make();
        // Fourteen handshakes of 20 ms each, on an event loop that never idles.
        const clients = Array.from({ length: 14 }, () => rig.client());
        for (const client of clients) client.hello();
        rig.clock.advance(20);
        for (const client of clients) client.stream.write('late');
        await settle();
        rig.udp.take();
        const end = performance.now() + 50;
        while (performance.now() < end);
        rig.clock.advance(100);
        rig.client().hello();
      },
      closing: () => {
        rig.engine.drain();
        rig.client().hello();
      },
    };

    it('but not for being overloaded by handshakes that others make', async () => {
      await rig.close();
      make();
      const clients = Array.from({ length: 14 }, () => rig.client());
      for (const client of clients) client.hello();
      for (const { stream } of clients) stream.relayed = true;
      rig.clock.advance(20);
      for (const client of clients) client.stream.write('late');
      await settle();
      rig.udp.take();
      const end = performance.now() + 50;
      while (performance.now() < end);
      rig.clock.advance(100);
      rig.client().hello();
      expect(rig.engine.drops.get('overloaded')).to.equal(undefined);
      expect(rig.engine.halfOpen.sessions).to.equal(15);
    });

    for (const [reason, provoke] of Object.entries(drops)) {
      it(reason, async () => {
        await provoke();
        const sessions = rig.engine.halfOpen.sessions;
        await settle();
        expect(rig.reasons('dropped')).to.deep.equal([reason]);
        expect([...rig.engine.drops]).to.deep.equal([[reason, 1]]);
        expect(rig.udp.take()).to.deep.equal([]);
        expect(rig.engine.halfOpen.sessions).to.equal(sessions);
      });
    }

    it('reflector-port: each of those that answer anyone', () => {
      const ports = [0, 7, 17, 19, 53, 69, 111, 123, 137, 161, 389, 500, 1900, 3702, 5353, 11211];
      for (const port of ports) rig.client({ address: '198.51.100.7', port }).hello();
      expect(rig.engine.drops.get('reflector-port')).to.equal(ports.length);
      expect(rig.sessions).to.deep.equal([]);
    });

    it('over-limit: more bytes than a flight may have', () => {
      const client = rig.client();
      for (let sequence = 2; sequence <= 16; sequence++) client.send({ sequence, payload: Buffer.alloc(1136) });
      expect(rig.reasons('dropped')).to.deep.equal(['over-limit']);
    });

    it('memory-full: a session that has grown its ClientHello meanwhile', () => {
      make({ limits: { halfOpenBytes: 110 * 1024 } });
      const slow = [rig.client(), rig.client()];
      for (const client of slow) client.send({ sequence: 1, payload: record(2000).subarray(0, 1000) });
      for (const client of slow) client.send({ sequence: 2, payload: record(2000).subarray(1000) });
      expect(rig.reasons('dropped')).to.deep.equal(['memory-full']);
      expect(rig.sessions).to.have.length(1);
    });

    it('foreign-address: the right port of another machine', () => {
      const client = rig.client();
      client.hello();
      rig.udp.receive(clientDatagram(client), { ...client.from, address: '198.51.100.8' });
      expect(rig.reasons('dropped')).to.deep.equal(['foreign-address']);
    });
  });

  describe('rejects a tombstone, by name:', () => {
    interface Rejected {
      claim: Buffer;
      /** The session that is still there to be claimed. */
      left?: { client: RigClient; instance: Buffer };
    }

    async function open() {
      const client = rig.client();
      client.hello();
      return { client, instance: await client.learnInstance() };
    }

    const rejections: Record<RejectReason, () => Promise<Rejected> | Rejected> = {
      'unknown-session': () => ({ claim: rig.client().tombstone() }),
      claimed: async () => ({ claim: (await claimed()).claim }),
      'wrong-instance': async () => {
        const left = await open();
        return { claim: left.client.tombstone({ instance: Buffer.alloc(8, 0xee) }), left };
      },
      'never-sent': async () => {
        const left = await open();
        const { client, instance } = left;
        return { claim: client.tombstone({ instance, serverSequence: 2, clientSequence: 1 }), left };
      },
    };

    for (const [reason, provoke] of Object.entries(rejections)) {
      it(`${reason}; it makes no state, and the connection starts afresh`, async () => {
        const { claim, left } = await provoke();
        const before = rig.engine.halfOpen;
        const connection = await rig.dial(claim);
        const { reply, rest } = await connection.reply();
        expect(reply).to.deep.equal({ accepted: false, reason });
        expect(rest).to.have.length(0);
        expect(rig.reasons('rejected')).to.deep.equal([reason]);
        expect(rig.engine.halfOpen).to.deep.equal(before);

        const hello = record();
        connection.socket.write(hello.subarray(0, 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
        connection.socket.write(hello.subarray(1));
        await until(() => rig.plain.length === 1);
        const socket = rig.plain[0]?.socket;
        await until(() => socket?.readableLength === hello.length);
        expect(readAll(socket as TcpSocket)).to.deep.equal(hello);

        if (!left) return;
        const { client, instance } = left;
        const right = await rig.dial(client.tombstone({ instance, serverSequence: 1, clientSequence: 1 }));
        expect((await right.reply()).reply.accepted).to.equal(true);
      });
    }

    it('never-sent: more of the client than the server has delivered', async () => {
      const { client, instance } = await open();
      const connection = await rig.dial(client.tombstone({ instance, serverSequence: 1, clientSequence: 2 }));
      expect((await connection.reply()).reply.reason).to.equal('never-sent');
    });

    it('even where plain TLS follows in the same segment', async () => {
      const connection = await rig.dial(Buffer.concat([rig.client().tombstone(), record()]));
      expect((await connection.reply()).reply.accepted).to.equal(false);
      await until(() => rig.plain.length === 1);
      expect(readAll((rig.plain[0] as (typeof rig.plain)[0]).socket)).to.deep.equal(record());
    });

    it('says nothing to tell a wrong secret from an unknown session', async () => {
      const { client, instance } = await open();
      const connection = await rig.dial(client.tombstone({ secret: Buffer.alloc(32), instance }));
      expect((await connection.reply()).reply.reason).to.equal('unknown-session');
    });
  });

  describe('closes a TCP connection that it cannot route, by name:', () => {
    const refusals: Record<RefuseReason, () => Promise<void>> = {
      'unknown-protocol': async () => {
        await rig.dial(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
      },
      'unserved-protocol': async () => {
        await rig.close();
        make({ onProtocol: () => false });
        await rig.dial(record());
      },
      'bad-tombstone': async () => {
        await rig.dial(framed(bytesField(1, Buffer.alloc(31))));
      },
      'second-tombstone': async () => {
        const client = rig.client();
        const connection = await rig.dial(client.tombstone());
        await connection.reply();
        connection.socket.write(client.tombstone());
      },
      timeout: async () => {
        await rig.dial(Buffer.from('TTL'));
        await until(() => rig.engine.unrouted === 1);
        rig.clock.advance(9999);
        expect(rig.engine.unrouted).to.equal(1);
        rig.clock.advance(1);
      },
      'too-many': async () => {
        await rig.close();
        make({ limits: { unroutedConnections: 1 } });
        await rig.dial();
        await rig.dial();
      },
      closing: async () => {
        await rig.dial();
        rig.engine.close();
      },
      'peer-gone': async () => {
        const connection = await rig.dial(Buffer.from('TTLS'));
        connection.socket.destroy();
      },
    };

    /** What the event says beside the reason. */
    const codes: Partial<Record<RefuseReason, TurboErrorCode>> = {
      'unknown-protocol': 'ERR_TURBO_FIRST_BYTES',
      'unserved-protocol': 'ERR_TURBO_FIRST_BYTES',
      'bad-tombstone': 'ERR_TURBO_BAD_FRAME',
      timeout: 'ERR_TURBO_FIRST_BYTES_TIMEOUT',
    };

    for (const [reason, provoke] of Object.entries(refusals)) {
      it(reason, async () => {
        await provoke();
        await until(() => rig.reasons('refused').length > 0);
        expect(rig.reasons('refused')).to.deep.equal([reason]);
        const errors = rig.events.flatMap((event) => (event.type === 'refused' ? [event.error] : []));
        const code = codes[reason as RefuseReason];
        expect(errors.map((error) => (error as TurboError | undefined)?.code)).to.deep.equal([code]);
        expect(rig.engine.unrouted).to.equal(reason === 'too-many' ? 1 : 0);
        await rig.close();
        expect(rig.clock.pending).to.equal(0);
      });
    }

    it('peer-gone: FIN before anything was said', async () => {
      const connection = await rig.dial();
      connection.socket.end();
      await until(() => rig.reasons('refused').length > 0);
      expect(rig.reasons('refused')).to.deep.equal(['peer-gone']);
      await connection.closed();
    });

    it('peer-gone: FIN within the first bytes', async () => {
      const connection = await rig.dial(Buffer.from([0x16]));
      connection.socket.end();
      await until(() => rig.reasons('refused').length > 0);
      expect(rig.reasons('refused')).to.deep.equal(['peer-gone']);
    });

    it('timeout: absolute, however the bytes drip', async () => {
      const connection = await rig.dial();
      const claim = rig.client().tombstone();
      for (let at = 0; at < 10; at++) {
        connection.socket.write(claim.subarray(at, at + 1));
        await new Promise((resolve) => setTimeout(resolve, 2));
        rig.clock.advance(1000);
      }
      expect(rig.reasons('refused')).to.deep.equal(['timeout']);
      await connection.closed();
    });

    it('timeout: less, down to two seconds, the more connections are silent', async () => {
      await rig.close();
      make({ limits: { unroutedConnections: 4 } });
      for (let count = 0; count < 4; count++) await rig.dial();
      rig.clock.advance(5999);
      expect(rig.reasons('refused')).to.deep.equal([]);
      // The fourth found the table three quarters full: the middle between 10 s and 2 s.
      rig.clock.advance(1);
      expect(rig.reasons('refused')).to.deep.equal(['timeout']);
      rig.clock.advance(4000);
      expect(rig.reasons('refused')).to.have.length(4);
    });
  });

  describe('a session', () => {
    it('begins for TLS when its ClientHello is complete, in whatever order the datagrams come', async () => {
      const client = rig.client();
      const hello = record(2500);
      client.send({ sequence: 3, payload: hello.subarray(2000) });
      client.send({ sequence: 2, payload: hello.subarray(1000, 2000) });
      client.send({ sequence: 2, payload: hello.subarray(1000, 2000) });
      expect(rig.sessions).to.deep.equal([]);
      expect(rig.engine.halfOpen.sessions).to.equal(1);
      client.send({ sequence: 1, payload: hello.subarray(0, 1000) });
      expect(rig.sessions).to.have.length(1);
      await settle();
      expect(readAll(client.stream)).to.deep.equal(hello);
      expect(rig.events.map(({ type }) => type)).to.deep.equal(['session']);
    });

    it('answers with what TLS wrote in one tick, in as many datagrams as it earned', async () => {
      const client = rig.client();
      client.hello();
      client.request();
      client.request();
      const flight = record(5000, 0x77);
      client.stream.write(flight.subarray(0, 100));
      client.stream.write(flight.subarray(100));
      await settle();
      const answers = client.answers();
      expect(answers.map(({ sequence, remaining }) => [sequence, remaining])).to.deep.equal([
        [1, 5005 - 1136],
        [2, 5005 - 2 * 1136],
        [3, 5005 - 3 * 1136],
      ]);
      expect(answers[0]).to.include({ acknowledged: 1, lifetimeMs: 10_000 });
      expect(new Set(answers.map(({ instance }) => instance.toString('hex'))).size).to.equal(1);
      client.request(3);
      client.request(3);
      client.request(3);
      const later = client.answers();
      expect(later.map(({ remaining }) => remaining)).to.deep.equal([5005 - 4 * 1136, 0]);
      expect(Buffer.concat([...answers, ...later].map(({ payload }) => payload))).to.deep.equal(flight);
    });

    it('sends its flight once more when it has earned the whole of it twice, and never again', async () => {
      const client = rig.client();
      client.hello();
      client.request();
      client.stream.write(record(1500));
      await settle();
      expect(client.answers().map(({ sequence }) => sequence)).to.deep.equal([1, 2]);
      client.request();
      expect(client.answers()).to.deep.equal([]);
      client.request();
      expect(client.answers().map(({ sequence }) => sequence)).to.deep.equal([1, 2]);
      for (let count = 0; count < 20; count++) client.hello();
      await settle();
      expect(client.answers()).to.deep.equal([]);
    });

    it('repeats what it said, byte by byte, and not what the client says it has', async () => {
      const client = rig.client();
      client.hello();
      for (let count = 0; count < 2; count++) client.request();
      client.stream.write(record(2500));
      await settle();
      const flight = client.answers();
      expect(flight).to.have.length(3);
      client.request(1);
      client.request(1);
      expect(client.answers()).to.deep.equal(flight.slice(1));
    });

    it('waits ten seconds in a table half full, falling to two in a full one', async () => {
      make({ limits: { halfOpenSessions: 100 } });
      const lifetimes: number[] = [];
      for (let count = 0; count < 100; count++) {
        const client = rig.client();
        client.hello();
        client.stream.write('x');
        await settle();
        lifetimes.push(client.answers()[0]?.lifetimeMs ?? 0);
      }
      expect(new Set(lifetimes.slice(0, 51))).to.deep.equal(new Set([10_000]));
      expect(lifetimes[75]).to.equal(6000);
      expect(lifetimes[99]).to.equal(2160);
      for (let index = 51; index < 100; index++) {
        expect(lifetimes[index]).to.be.below(lifetimes[index - 1] as number);
      }
      expect(rig.engine.sessionHandshakeMs()).to.equal(2000);
      rig.clock.advance(2160 + 250);
      expect(rig.engine.halfOpen.sessions).to.equal(99);
      rig.clock.advance(7840);
      expect(rig.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
      expect(rig.engine.sessionHandshakeMs()).to.equal(30_000);
    });

    it('lives shorter in a table that is full by bytes as well', async () => {
      make({ limits: { halfOpenBytes: 400 * 1024 } });
      const lifetimes: number[] = [];
      for (let count = 0; count < 3; count++) {
        const client = rig.client();
        client.hello();
        client.stream.write('x');
        await settle();
        lifetimes.push(client.answers()[0]?.lifetimeMs ?? 0);
      }
      expect(lifetimes.slice(0, 2)).to.deep.equal([10_000, 10_000]);
      expect(lifetimes[2]).to.be.within(9600, 9700);
    });

    it('tells in each answer how long it still waits', async () => {
      const client = rig.client();
      client.hello();
      client.stream.write(record(3000));
      await settle();
      rig.clock.advance(3000.5);
      client.request();
      rig.clock.advance(6999);
      client.request();
      expect(client.answers().map(({ lifetimeMs }) => lifetimeMs)).to.deep.equal([10_000, 6999, 1]);
    });

    it('expires and leaves nothing: no entry, no byte, no timer, no stream', async () => {
      const clients = Array.from({ length: 50 }, () => rig.client());
      const failures: unknown[] = [];
      for (const client of clients) {
        client.hello();
        client.stream.on('error', (error) => failures.push(error));
        client.stream.write(record(5000));
      }
      // One whose ClientHello never became complete.
      rig.client().send({ sequence: 1, payload: record(2000).subarray(0, 500) });
      await settle();
      expect(rig.engine.halfOpen.sessions).to.equal(51);
      rig.clock.advance(10_250);
      await settle();
      expect(rig.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
      expect(rig.clock.pending).to.equal(0);
      expect(rig.events.filter(({ type }) => type === 'expired')).to.have.length(51);
      expect(failures).to.have.length(50);
      for (const error of failures) expect(error).to.have.property('code', 'ERR_TURBO_SESSION_EXPIRED');
      for (const { destroyed } of rig.sessions) expect(destroyed).to.equal(true);
      const connection = await rig.dial(clients[0]?.tombstone());
      expect((await connection.reply()).reply.reason).to.equal('unknown-session');
    });

    it('is not held back by the sequence number of a request', () => {
      const client = rig.client();
      client.hello();
      for (let count = 0; count < 200; count++) client.request();
      expect(rig.reasons('dropped')).to.deep.equal([]);
      expect(rig.engine.halfOpen.sessions).to.equal(1);
    });
  });

  describe('a full table', () => {
    it('refuses the new and never evicts the waiting', async () => {
      make({ limits: { halfOpenSessions: 8 } });
      const first = Array.from({ length: 8 }, () => rig.client());
      const instances: Buffer[] = [];
      for (const client of first) {
        client.hello();
        instances.push(await client.learnInstance());
      }
      for (let count = 0; count < 500; count++) rig.client().hello();
      expect(rig.engine.drops.get('table-full')).to.equal(500);
      expect(rig.engine.halfOpen.sessions).to.equal(8);
      for (const [index, client] of first.entries()) {
        const instance = instances[index] as Buffer;
        const connection = await rig.dial(client.tombstone({ instance, serverSequence: 1, clientSequence: 1 }));
        expect((await connection.reply()).reply.accepted, `session ${index}`).to.equal(true);
      }
    });

    it('has room again when one was claimed', async () => {
      make({ limits: { halfOpenSessions: 1 } });
      await claimed();
      rig.client().hello();
      expect(rig.engine.halfOpen.sessions).to.equal(1);
      expect(rig.reasons('dropped')).to.deep.equal([]);
    });
  });

  describe('a claim', () => {
    it('binds TCP: the Reply, then the stream behind the last datagram that the client has', async () => {
      const client = rig.client();
      client.hello();
      const flight = record(5000, 0x66);
      client.stream.write(flight);
      await settle();
      const [answer] = client.answers();
      if (!answer) throw new Error('no answer');
      const { instance, payload } = answer;
      const more = Buffer.from('the client goes on');
      const claim = client.tombstone({ instance, serverSequence: 1, clientSequence: 1 });
      const connection = await rig.dial(Buffer.concat([claim, more]));
      const { reply } = await connection.reply();
      expect(reply).to.deep.equal({ accepted: true, reason: '' });
      await until(() => connection.received.length >= 8 + flight.length - payload.length);
      const { rest } = await connection.reply();
      expect(Buffer.concat([payload, rest])).to.deep.equal(flight);
      const got: Buffer[] = [];
      client.stream.on('data', (chunk: Buffer) => got.push(chunk));
      await until(() => Buffer.concat(got).length >= record().length + more.length);
      expect(Buffer.concat(got)).to.deep.equal(Buffer.concat([record(), more]));
    });

    it('skips what the client repeats of what UDP has brought already', async () => {
      const client = rig.client();
      const hello = record(1500);
      client.send({ sequence: 1, payload: hello.subarray(0, 1000) });
      client.send({ sequence: 2, payload: hello.subarray(1000) });
      const instance = await client.learnInstance();
      const rest = Buffer.from('behind the hello');
      // It has heard of the first datagram alone, and repeats the second.
      const claim = client.tombstone({ instance, serverSequence: 1, clientSequence: 1 });
      const connection = await rig.dial(claim);
      for (const byte of Buffer.concat([hello.subarray(1000, 1003), hello.subarray(1003), rest])) {
        connection.socket.write(Buffer.from([byte]));
      }
      const got: Buffer[] = [];
      client.stream.on('data', (chunk: Buffer) => got.push(chunk));
      await until(() => Buffer.concat(got).length >= hello.length + rest.length);
      expect(Buffer.concat(got)).to.deep.equal(Buffer.concat([hello, rest]));
    });

    it('takes no datagram afterwards', async () => {
      const { client } = await claimed();
      await settle();
      readAll(client.stream);
      client.send({ sequence: 2, payload: Buffer.from('too late') });
      await settle();
      expect(readAll(client.stream)).to.have.length(0);
      expect(rig.reasons('dropped')).to.deep.equal(['claimed']);
    });

    it('is possible until the last moment, and not after', async () => {
      const early = rig.client();
      const late = rig.client();
      early.hello();
      late.hello();
      const instance = await early.learnInstance();
      const claim = early.tombstone({ instance, serverSequence: 1, clientSequence: 1 });
      const lateClaim = late.tombstone({ instance: await late.learnInstance() });
      rig.clock.advance(9999);
      expect((await (await rig.dial(claim)).reply()).reply.accepted).to.equal(true);
      rig.clock.advance(2);
      expect((await (await rig.dial(lateClaim)).reply()).reply.reason).to.equal('unknown-session');
    });

    it('of a session whose TLS ended gets its last bytes and FIN, and then has two seconds to leave', async () => {
      const client = rig.client();
      client.hello();
      const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);
      client.stream.end(alert);
      client.stream.destroy();
      await settle();
      const [answer] = client.answers();
      expect(answer?.payload).to.deep.equal(alert);
      const instance = answer?.instance as Buffer;
      const connection = await rig.dial(client.tombstone({ instance, clientSequence: 1 }));
      await until(() => connection.ended);
      expect((await connection.reply()).rest).to.deep.equal(alert);
      rig.clock.advance(1999);
      expect(rig.openConnections).to.equal(1);
      rig.clock.advance(1);
      expect(rig.openConnections).to.equal(0);
    });

    it('tells how long the session waited', async () => {
      const client = rig.client();
      client.hello();
      const instance = await client.learnInstance();
      rig.clock.advance(1234);
      await (await rig.dial(client.tombstone({ instance }))).reply();
      const bound = rig.events.find(({ type }) => type === 'bound');
      expect(bound).to.deep.equal({ type: 'bound', connectionId: client.connectionId, waitedMs: 1234 });
    });
  });

  describe('does not repeat what the reference implementation got wrong:', () => {
    it('an ID table without bound or expiry', () => {
      for (let count = 0; count < 3000; count++) rig.client().hello();
      expect(rig.engine.halfOpen.sessions).to.equal(1024);
      expect(rig.engine.halfOpen.bytes).to.be.at.most(128 * 1024 * 1024);
      rig.clock.advance(10_250);
      expect(rig.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
    });

    it('an entry made by a tombstone alone', async () => {
      const client = rig.client();
      const connection = await rig.dial(client.tombstone());
      expect((await connection.reply()).reply.reason).to.equal('unknown-session');
      expect(rig.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
      // Nor is the ID spoilt: its owner's datagrams open the session.
      client.hello();
      expect(rig.sessions).to.have.length(1);
    });

    it("a second tombstone that replaces the first one's TCP link", async () => {
      const { client, claim, connection } = await claimed();
      const second = await rig.dial(claim);
      expect((await second.reply()).reply).to.deep.equal({ accepted: false, reason: 'claimed' });
      client.stream.write('for the first');
      await until(() => connection.received.includes('for the first'));
      expect((await second.reply()).rest).to.have.length(0);
      second.socket.destroy();
      connection.socket.write('from the first');
      await until(() => readAll(client.stream).includes('from the first'));
    });

    it('one slow TCP peer that stalls all others', async () => {
      const slow = rig.client();
      slow.hello();
      const instance = await slow.learnInstance();
      const claim = slow.tombstone({ instance, serverSequence: 1, clientSequence: 1 });
      const stalled = await rig.dial(claim.subarray(0, 20));
      for (let count = 0; count < 20; count++) await claimed();
      expect(rig.engine.unrouted).to.equal(1);
      stalled.socket.write(claim.subarray(20));
      expect((await stalled.reply()).reply.accepted).to.equal(true);
    });

    it('one tombstone linked per poll batch', async () => {
      const clients = Array.from({ length: 50 }, () => rig.client());
      const claims: Buffer[] = [];
      for (const client of clients) {
        client.hello();
        claims.push(client.tombstone({ instance: await client.learnInstance(), serverSequence: 1, clientSequence: 1 }));
      }
      const connections = [];
      for (const _ of claims) connections.push(await rig.dial());
      for (const [index, { socket }] of connections.entries()) socket.write(claims[index] as Buffer);
      const replies = await Promise.all(connections.map((connection) => connection.reply()));
      expect(replies.every(({ reply }) => reply.accepted)).to.equal(true);
      expect(rig.engine.halfOpen.sessions).to.equal(0);
    });

    it('a busy wait for the last byte of the tombstone', async () => {
      const client = rig.client();
      client.hello();
      const instance = await client.learnInstance();
      const claim = client.tombstone({ instance, serverSequence: 1, clientSequence: 1 });
      const connection = await rig.dial(claim.subarray(0, -1));
      await until(() => rig.engine.unrouted === 1);
      await settle();
      // Nothing is scheduled but the sweep, and the end of the wait for first bytes.
      expect(rig.clock.pending).to.equal(2);
      expect(process.getActiveResourcesInfo()).not.to.include('Immediate');
      connection.socket.write(claim.subarray(-1));
      expect((await connection.reply()).reply.accepted).to.equal(true);
    });

    it('a sequence number that wraps', async () => {
      const client = rig.client();
      client.hello();
      client.stream.write(Buffer.alloc(48 * 1024));
      for (let count = 0; count < 300; count++) client.request();
      await settle();
      const sequences = client.answers().map(({ sequence }) => sequence);
      const flight = Array.from({ length: 15 }, (_, index) => index + 1);
      expect(sequences).to.deep.equal([...flight, ...flight]);
      for (const sequence of [65, 255, 256, 257, 65_535, 65_536, 65_537, 0xffff_ffff]) {
        client.send({ sequence, payload: record() });
      }
      expect(rig.reasons('dropped')).to.deep.equal(new Array(8).fill('malformed'));
    });
    // "No fallback" is a matter of both ends: test/engine/turbo-listener.test.ts and the compliance suite.
  });

  describe('ends', () => {
    it('when it is closed: every session, every connection, its socket, every timer', async () => {
      rig.client().hello();
      const connection = await rig.dial();
      let completed = false;
      rig.engine.events$.subscribe({ complete: () => (completed = true) });
      rig.engine.close();
      expect(completed).to.equal(true);
      expect(rig.udp.closed).to.equal(true);
      expect(rig.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
      expect(rig.engine.unrouted).to.equal(0);
      expect(rig.clock.pending).to.equal(0);
      await settle();
      expect(rig.sessions[0]?.destroyed).to.equal(true);
      await connection.closed();
      rig.engine.close();
    });

    it('gently when it drains: what waits may still be claimed', async () => {
      const client = rig.client();
      client.hello();
      rig.engine.drain();
      const instance = await client.learnInstance();
      const connection = await rig.dial(client.tombstone({ instance, serverSequence: 1, clientSequence: 1 }));
      expect((await connection.reply()).reply.accepted).to.equal(true);
    });

    it('does not end with an error of its UDP socket: it reports it', () => {
      const error = new Error('recvmsg');
      rig.udp.emit('error', error);
      expect(rig.events).to.deep.equal([{ type: 'udp-error', error }]);
    });
  });

  it('routes a connection whose first bytes wait in several pieces', async () => {
    const client = rig.client();
    client.hello();
    const instance = await client.learnInstance();
    const claim = client.tombstone({ instance, serverSequence: 1, clientSequence: 1 });
    rig.hold = true;
    const connection = await rig.dial();
    const [held] = rig.held as [TcpSocket];
    for (const piece of [claim.subarray(0, 2), claim.subarray(2, 30), claim.subarray(30)]) {
      const before = held.readableLength;
      connection.socket.write(piece);
      await until(() => held.readableLength === before + piece.length);
    }
    rig.engine.handleConnection(held);
    expect((await connection.reply()).reply.accepted).to.equal(true);
  });

  it('looks at every protocol and hands it on with all of its bytes', async () => {
    const firsts = {
      tls: record(),
      'pg-ssl-request': Buffer.from('0000000804d2162f', 'hex'),
      'pg-gssenc-request': Buffer.from('0000000804d21630', 'hex'),
      'pg-cancel-request': Buffer.from('0000001004d2162e0000053900000001', 'hex'),
      'proxy-v1': Buffer.from('PROXY UNKNOWN\r\n'),
      'proxy-v2': Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
    };
    for (const [protocol, bytes] of Object.entries(firsts)) {
      const connection = await rig.dial();
      for (const byte of bytes) {
        connection.socket.write(Buffer.from([byte]));
        await settle();
      }
      await until(() => rig.plain.at(-1)?.protocol === protocol);
      const { socket } = rig.plain.at(-1) as (typeof rig.plain)[0];
      await until(() => socket.readableLength === bytes.length);
      expect(readAll(socket)).to.deep.equal(bytes);
    }
    expect(rig.events).to.deep.equal([{ type: 'plain' }]);
  });
});
