/**
 * Matrix item 1: whatever bytes come, nothing throws, and memory does not grow. More than half of the datagrams are valid
 * ones with one thing changed and the check made right again, so that they pass the first gate.
 *
 * TURBOTLS_COUNT sets how many datagrams, TURBOTLS_SEED which.
 */
import { expect } from 'chai';
import { TurboError } from '../../src/errors.js';
import { type Datagram, decodeDatagram } from '../../src/wire/datagram.js';
import { detectFirstBytes } from '../../src/wire/first-bytes.js';
import { decodeReply, decodeTombstone } from '../../src/wire/frame.js';
import { Random } from '../simulator/random.js';
import {
  bytesField,
  checked,
  clientDatagram,
  framed,
  hex,
  serverDatagram,
  tombstone,
  varintField,
  withoutCheck,
} from '../support/bytes.js';
import { EngineRig, type RigClient, record, settle } from '../support/engine-rig.js';
import { memoryInUse } from '../support/garbage.js';
import { FuzzSource, GROWTH_MAX, TIMEOUT_MS } from './fuzzing.js';
import { announceSeed, byForm, seed } from './support.js';

const COUNT = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 60_000, long: 5_000_000 }));
/** Datagrams between two pauses, in which TLS writes and sessions expire. */
const BATCH = 2000;

/** The fields of a datagram, cut where each begins. */
function fieldsOf(body: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const start = at;
    const isBytes = ((body[at++] as number) & 7) === 2;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (isBytes) at += value;
    fields.push(body.subarray(start, at));
  }
  return fields;
}

/** Ways to change a valid datagram; the check is made right afterwards. */
const MUTATIONS: ((fields: Buffer[], random: Random) => Buffer[])[] = [
  (fields) => fields,
  (fields, random) => fields.toSpliced(random.int(fields.length), 1),
  (fields, random) => fields.toSpliced(random.int(fields.length), 0, random.pick(fields)),
  (fields, random) => random.shuffle(fields),
  (fields, random) => fields.toSpliced(random.int(fields.length + 1), 0, anyField(random)),
  (fields, random) => fields.with(random.int(fields.length), anyField(random)),
  // One byte of one field, its tag and length among them.
  (fields, random) => {
    const index = random.int(fields.length);
    const field = Buffer.from(fields[index] as Buffer);
    field[random.int(Math.min(field.length, 8))] = random.int(256);
    return fields.with(index, field);
  },
  // One bit anywhere.
  (fields, random) => {
    const index = random.int(fields.length);
    const field = Buffer.from(fields[index] as Buffer);
    const at = random.int(field.length);
    field[at] = (field[at] as number) ^ (1 << random.int(8));
    return fields.with(index, field);
  },
  // Cut short, or with something behind it.
  (fields, random) => {
    const body = Buffer.concat(fields);
    return [body.subarray(0, random.int(body.length + 1))];
  },
  (fields, random) => [...fields, random.bytes(1 + random.int(20))],
  // Numbers at their edges.
  (fields, random) => {
    const number = 2 + random.int(8);
    const value = random.pick([
      0,
      1,
      2,
      16,
      17,
      63,
      64,
      65,
      127,
      128,
      255,
      256,
      65_535,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53,
    ]);
    return fields.map((field) =>
      (field[0] as number) >> 3 === number ? varintField(number, value, 1 + random.int(10)) : field,
    );
  },
];

function anyField(random: Random): Buffer {
  const number = random.int(40);
  switch (random.int(3)) {
    case 0:
      return varintField(number, random.int(2 ** random.int(40)), 1 + random.int(6));
    case 1:
      return bytesField(number, random.bytes(random.int(40)));
    default:
      return random.bytes(1 + random.int(12));
  }
}

/** Datagrams of clients, or of the server. */
class DatagramSource extends FuzzSource<RigClient> {
  protected makeStructured(client: RigClient): Buffer {
    const { random } = this;
    const valid = random.chance(0.9) ? this.#clientDatagram(client) : this.#serverDatagram(client);
    if (random.chance(0.2)) return valid;
    let fields = random
      .pick(MUTATIONS)(fieldsOf(withoutCheck(valid)), random)
      .filter(({ length }) => length > 0);
    if (random.chance(0.2) && fields.length > 0) fields = random.pick(MUTATIONS)(fields, random);
    return checked(...fields);
  }

  #clientDatagram({ connectionId }: RigClient): Buffer {
    const { random } = this;
    const sequence = random.pick([0, 0, 1, 1, 1, 2, 3, random.int(65)]);
    const hello = random.chance(0.5) ? record(1 + random.int(900)) : random.bytes(1 + random.int(1000));
    const length = random.pick([400, 400, 1200, 395 + random.int(810)]);
    const acknowledged = random.pick([0, 0, 1, random.int(65)]);
    return clientDatagram({ connectionId, sequence, acknowledged, length, ...(sequence > 0 && { payload: hello }) });
  }

  #serverDatagram({ connectionId }: RigClient): Buffer {
    const { random } = this;
    const payload = random.bytes(1 + random.int(1000));
    return serverDatagram({ connectionId, sequence: 1 + random.int(64), payload, instance: random.bytes(8) });
  }

  protected makeNoise(client: RigClient): Buffer {
    const { random } = this;
    switch (random.int(5)) {
      case 0:
        return random.bytes(random.int(200));
      case 1:
        return Buffer.concat([hex('0a10'), random.bytes(16 + random.int(100)), hex('7a08'), random.bytes(8)]);
      case 2:
        return Buffer.alloc(random.int(1600), random.int(256));
      case 3: {
        const bytes = this.#clientDatagram(client);
        return bytes.subarray(0, random.int(bytes.length));
      }
      default: {
        const bytes = Buffer.from(this.#clientDatagram(client));
        for (let flips = 1 + random.int(4); flips > 0; flips--) bytes[random.int(bytes.length)] = random.int(256);
        return bytes;
      }
    }
  }
}

describe('matrix 1: fuzz', () => {
  announceSeed();

  it(`${COUNT.toLocaleString('en-US')} datagrams through the decoder and through an engine with live sessions`, async function () {
    this.timeout(TIMEOUT_MS);
    const random = new Random(`${seed} datagrams`);
    const source = new DatagramSource(random);
    const rig = new EngineRig({ limits: { halfOpenSessions: 256 } });
    const outcomes = new Map<string, number>();
    const begin = performance.now();
    let before = 0;
    let decoded = 0;
    let sessions = 0;
    let answers = 0;
    for (let count = 0; count < COUNT; count += BATCH) {
      const clients = Array.from({ length: 40 }, () => rig.client());
      for (let index = 0; index < BATCH; index++) {
        const client = random.pick(clients);
        const bytes = source.next(client);
        const datagram: Datagram | string = decodeDatagram(bytes);
        if (typeof datagram !== 'string') decoded++;
        const from = random.chance(0.95) ? client.from : { ...client.from, port: random.int(65_536) };
        rig.engine.handleDatagram(bytes, from);
        if (random.chance(0.01)) {
          for (const stream of rig.sessions) if (!stream.destroyed) stream.write(random.bytes(random.int(3000)));
          await settle();
        }
      }
      sessions += rig.sessions.length;
      answers += rig.udp.take().length;
      rig.clock.advance(10_250);
      await settle();
      for (const event of rig.events) {
        const name = event.type === 'dropped' ? event.reason : event.type;
        outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
      }
      expect(rig.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
      rig.events.length = 0;
      rig.sessions.length = 0;
      // The first batches warm up: compiled code, hidden classes, buffers.
      if (count <= 5 * BATCH) before = memoryInUse();
    }
    const rate = COUNT / ((performance.now() - begin) / 1000);
    const growth = memoryInUse() - before;
    const { structured, noise } = source;
    console.log(
      `      ${structured} structured, ${noise} noise: ${decoded} valid, ${sessions} sessions, ${answers} answers;`,
      `${rate.toFixed(0)}/s, heap ${(growth / 1024).toFixed(0)} KiB;`,
      JSON.stringify(Object.fromEntries(outcomes)),
    );
    await rig.close();
    expect(growth).to.be.below(GROWTH_MAX);
    expect(structured).to.be.above(noise);
    // It would prove nothing if all of it were refused at the door.
    expect(decoded).to.be.above(COUNT / 20);
    expect(sessions).to.be.above(COUNT / 1000);
    expect(answers).to.be.above(COUNT / 1000);
    for (const reason of [
      'malformed',
      'corrupt',
      'too-short',
      'too-long',
      'wrong-side',
      'unknown-session',
      'foreign-address',
      'never-sent',
      'over-limit',
    ]) {
      expect(outcomes.get(reason), reason).to.be.above(0);
    }
  });

  it('first bytes, tombstones and Replies', function () {
    this.timeout(TIMEOUT_MS);
    const random = new Random(`${seed} frames`);
    const begin = performance.now();
    const counts = { refused: 0, incomplete: 0, whole: 0 };
    let before = 0;
    for (let count = 0; count < COUNT; count++) {
      if (count === Math.floor(COUNT / 10)) before = memoryInUse();
      const bytes = mutated(validFrame(random), random);
      const detected = detectFirstBytes(bytes);
      if (bytes.length >= 12) expect(detected).not.to.equal('undecided');
      for (const decode of [decodeTombstone, decodeReply]) {
        try {
          const frame = decode(bytes);
          counts[frame ? 'whole' : 'incomplete']++;
          if (frame) expect(frame.length).to.be.at.most(bytes.length);
        } catch (error) {
          if (!(error instanceof TurboError) || error.code !== 'ERR_TURBO_BAD_FRAME') throw error;
          counts.refused++;
        }
      }
    }
    const growth = memoryInUse() - before;
    const rate = COUNT / ((performance.now() - begin) / 1000);
    console.log(`      ${JSON.stringify(counts)}; ${rate.toFixed(0)}/s, heap ${(growth / 1024).toFixed(0)} KiB`);
    expect(growth).to.be.below(GROWTH_MAX);
    for (const [outcome, times] of Object.entries(counts)) expect(times, outcome).to.be.above(COUNT / 100);
  });

  it('the TCP side of an engine, in random segments', async function () {
    this.timeout(TIMEOUT_MS);
    const random = new Random(`${seed} tcp`);
    const rig = new EngineRig();
    const connections = byForm({ short: 300, long: 20_000 });
    for (let count = 0; count < connections; count++) {
      const client = rig.client();
      client.hello();
      const claim = random.chance(0.5) ? client.tombstone({ clientSequence: random.int(3) }) : validFrame(random);
      const bytes = mutated(Buffer.concat([claim, record()]), random);
      const connection = await rig.dial();
      for (let at = 0; at < bytes.length && !connection.socket.destroyed; ) {
        const end = at + 1 + random.int(80);
        connection.socket.write(bytes.subarray(at, end));
        at = end;
        if (random.chance(0.3)) await settle();
      }
      if (random.chance(0.5)) connection.socket.end();
      else connection.socket.destroy();
      if (count % 100 === 99) {
        await settle();
        rig.clock.advance(10_250);
        for (const { socket } of rig.plain.splice(0)) socket.destroy();
        rig.sessions.length = 0;
      }
    }
    await settle();
    rig.clock.advance(20_500);
    expect(rig.engine.unrouted).to.equal(0);
    expect(rig.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
    for (const { socket } of rig.plain) socket.destroy();
    await rig.close();
    expect(rig.clock.pending).to.equal(0);
  });
});

/** Something that one of the parsers takes. */
function validFrame(random: Random): Buffer {
  const secret = random.bytes(32);
  switch (random.int(5)) {
    case 0:
      return framed(Buffer.concat([varintField(1, 1 + random.int(2)), bytesField(2, Buffer.from('claimed'))]));
    case 1:
      return random.pick([
        hex('00000008 04d2162f'),
        hex('00000008 04d21630'),
        Buffer.concat([hex('000000'), Buffer.from([random.int(256)]), hex('04d2162e'), random.bytes(random.int(20))]),
        Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'),
        hex('0d0a0d0a000d0a515549540a 21 11 000c'),
        record(),
      ]);
    default:
      return tombstone({
        secret,
        instance: random.bytes(8),
        serverSequence: random.int(70),
        clientSequence: random.int(70),
      });
  }
}

function mutated(valid: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(valid);
  switch (random.int(6)) {
    case 0:
      return random.bytes(random.int(40));
    case 1:
      return bytes.subarray(0, random.int(bytes.length + 1));
    case 2:
      bytes[random.int(Math.min(bytes.length, 16))] = random.int(256);
      return bytes;
    case 3:
      for (let changes = 1 + random.int(5); changes > 0; changes--) bytes[random.int(bytes.length)] = random.int(256);
      return bytes;
    case 4: {
      const at = random.int(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.int(20)), bytes.subarray(at)]);
    }
    default:
      return Buffer.concat([bytes, random.bytes(random.int(300))]);
  }
}
