/**
 * Matrix item 2, PostgreSQL: whatever bytes come, the decoders give messages or a coded error, in memory that does not
 * grow. More than half of the streams are valid messages with one thing changed, the length made right again or wrong
 * on purpose, so that they get past the framing.
 *
 * TURBOTLS_COUNT sets how many streams of each side, TURBOTLS_SEED which.
 */
import { expect } from 'chai';
import { DataRow } from '../../src/codec/pg/data-row.js';
import { BackendDecoder, FrontendDecoder } from '../../src/codec/pg/decoder.js';
import { BackendEncoder, FrontendEncoder } from '../../src/codec/pg/encoder.js';
import { PgError } from '../../src/codec/pg/errors.js';
import { defaultPgLimits } from '../../src/codec/pg/limits.js';
import { decodePasswordMessage, decodeSASLInitialResponse } from '../../src/codec/pg/message/authentication.js';
import type { BackendMessage, FrontendMessage } from '../../src/codec/pg/messages.js';
import { backendVectors, frontendVectors, listed, passwordVectors, startupVectors } from '../codec/pg/vectors.js';
import { framed, int16, int32, plain, rowBody } from '../codec/pg/wire.js';
import { Random } from '../simulator/random.js';
import { memoryInUse } from '../support/garbage.js';
import { FuzzSource, GROWTH_MAX, TIMEOUT_MS } from './fuzzing.js';
import { announceSeed, byForm, seed } from './support.js';

const COUNT = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 20_000, long: 5_000_000 }));
const LIMITS = { ...defaultPgLimits, loginMessageBytes: 2000, messageBytes: 20_000 };

type Message = BackendMessage | FrontendMessage;
type Side = 'backend' | 'frontend';

interface Frame {
  type: string;
  body: Buffer;
  /** How far the length is from the truth. */
  lie: number;
}

const bytesOf = (vectors: Parameters<typeof listed<Message>>[0]) => listed<Message>(vectors).map(({ bytes }) => bytes);
const STARTUP_FRAMES = bytesOf(startupVectors);
const FRAMES: Readonly<Record<Side, Buffer[]>> = {
  backend: bytesOf(backendVectors),
  frontend: [...bytesOf(frontendVectors), ...bytesOf(passwordVectors)],
};
const NOISE = new Random(`${seed} pg noise`).bytes(8192);
const TEXT = Buffer.alloc(8192, 'text, some of it Ελλάδα, ');
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, -0x8000_0000, -1, -2, 4, 5];

/** Ways to change the body of a valid message. */
const MUTATIONS: ((body: Buffer, random: Random) => Buffer)[] = [
  (body, random) => body.subarray(0, random.int(body.length + 1)),
  (body, random) => Buffer.concat([body, random.bytes(1 + random.int(8))]),
  (body, random) => changed(body, random, (copy, at) => copy.writeUInt8(random.int(256), at)),
  (body, random) => changed(body, random, (copy, at) => copy.writeUInt8(copy.readUInt8(at) ^ (1 << random.int(8)), at)),
  // Numbers at their edges, anywhere.
  (body, random) => changed(body, random, (copy, at) => int16(random.pick(EDGES)).copy(copy, at)),
  (body, random) => changed(body, random, (copy, at) => int32(random.pick(EDGES)).copy(copy, at)),
  // A string without its end, or with one too early.
  (body, random) =>
    changed(body, random, (copy, at) => copy.subarray(at, at + random.int(20)).fill(random.pick([0, 0x61]))),
  // A part twice, or left out.
  (body, random) => {
    const [from, to] = [random.int(body.length + 1), random.int(body.length + 1)];
    return Buffer.concat([body.subarray(0, from), body.subarray(to)]);
  },
];

function changed(body: Buffer, random: Random, change: (copy: Buffer, at: number) => void): Buffer {
  const copy = Buffer.from(body);
  if (copy.length > 0) change(copy, random.int(copy.length));
  return copy;
}

function frameOf(bytes: Buffer): Frame {
  return { type: bytes.toString('latin1', 0, 1), body: bytes.subarray(5), lie: 0 };
}

/** Streams of one side. */
class StreamSource extends FuzzSource<Side> {
  protected makeNoise(side: Side): Buffer {
    const { random } = this;
    const first = random.chance(0.5) ? this.#first(side) : Buffer.alloc(0);
    return Buffer.concat([first, random.bytes(random.int(300))]);
  }

  protected makeStructured(side: Side): Buffer {
    const { random } = this;
    const first = this.#first(side);
    const frames = Array.from({ length: 1 + random.int(6) }, () => this.#frame(side));
    const target = random.int(frames.length);
    if (random.chance(0.8)) frames[target] = this.#mutated(frames[target] as Frame);
    return Buffer.concat([first, ...frames.map(({ type, body, lie }) => framed(type, body, lie))]);
  }

  /** What comes before the messages. */
  #first(side: Side): Buffer {
    if (side === 'backend') return Buffer.alloc(0);
    const { random } = this;
    const bytes = random.pick(STARTUP_FRAMES);
    if (random.chance(0.8)) return STARTUP_FRAMES[0] as Buffer;
    return random.chance(0.5) ? bytes : framed('', random.pick(MUTATIONS)(bytes.subarray(4), random));
  }

  #frame(side: Side): Frame {
    const { random } = this;
    if (side === 'frontend' || random.chance(0.6)) return frameOf(random.pick(FRAMES[side]));
    const values = Array.from({ length: random.int(12) }, () => (random.chance(0.1) ? null : this.#value()));
    return { type: 'D', body: rowBody(values), lie: 0 };
  }

  /** A value of a row: text or noise, mostly short. */
  #value(): Buffer {
    const { random } = this;
    const start = random.int(NOISE.length / 2);
    return (random.chance(0.5) ? TEXT : NOISE).subarray(start, start + random.int(random.pick([4, 20, 200, 700])));
  }

  #mutated(frame: Frame): Frame {
    const { random } = this;
    if (random.chance(0.1)) return { ...frame, lie: random.pick([1, -1, 4, -4, random.int(5000), random.pick(EDGES)]) };
    if (random.chance(0.05)) return { ...frame, type: String.fromCharCode(random.int(256)) };
    return { ...frame, body: random.pick(MUTATIONS)(frame.body, random) };
  }
}

/** Everything that can be asked of a message: none of it throws but what says so, with a code. */
function examine(message: Message): void {
  if (message instanceof DataRow) {
    const texts = message.texts();
    const inOrder = texts.map((_, column) => message.text(column));
    const backwards = texts.map((_, column) => message.text(texts.length - 1 - column)).reverse();
    for (let column = 0; column < texts.length; column++) {
      const text = texts[column] as string | null;
      if (inOrder[column] !== text || backwards[column] !== text) expect.fail('the order changes a value');
      if ((message.bytes(column)?.toString() ?? null) !== text) expect.fail('a value differs from its bytes');
    }
  }
  if (message.name !== 'PasswordOrSASL') return;
  for (const decode of [decodePasswordMessage, decodeSASLInitialResponse]) coded(() => decode(message.body));
}

/** The code of what this throws; anything but a PgError of the two codes of a decoder is a failure. */
function coded(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    if (error.code !== 'ERR_PG_PROTOCOL' && error.code !== 'ERR_PG_MESSAGE_TOO_LONG') throw error;
    return error.code;
  }
}

interface AnyDecoder {
  push(chunk: Buffer): void;
  next(): Message | undefined;
  loginDone(): void;
  readonly buffered: number;
}

/** What a decoder makes of a stream in random chunks: its messages, and the code it failed with. */
function run(
  decoder: AnyDecoder,
  stream: Buffer,
  cut: () => number,
): { messages: Message[]; code: string | undefined } {
  const messages: Message[] = [];
  let pushed = 0;
  const code = coded(() => {
    while (pushed < stream.length) {
      const end = pushed + cut();
      decoder.push(Buffer.from(stream.subarray(pushed, end)));
      pushed = Math.min(end, stream.length);
      for (let message = decoder.next(); message !== undefined; message = decoder.next()) messages.push(message);
      if (decoder.buffered > pushed) expect.fail('it holds more than was pushed');
    }
  });
  if (code !== undefined) {
    decoder.push(stream);
    if (decoder.buffered > 0) expect.fail('it failed, and holds bytes');
    if (coded(() => decoder.next()) !== code) expect.fail('it failed, and not for good');
  }
  return { messages, code };
}

describe('matrix 2: fuzz, PostgreSQL', () => {
  announceSeed();

  const { stackTraceLimit } = Error;
  before(() => {
    // Most streams end in an error: their stacks would take most of the time.
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  for (const side of ['backend', 'frontend'] as const) {
    it(`${COUNT.toLocaleString('en-US')} streams of a ${side}, whole and in pieces`, function () {
      this.timeout(TIMEOUT_MS);
      const random = new Random(`${seed} pg ${side}`);
      const source = new StreamSource(random);
      const outcomes = new Map<string, number>();
      const names = new Set<string>();
      const begin = performance.now();
      let before = 0;
      let decoded = 0;
      for (let count = 0; count < COUNT; count++) {
        if (count === Math.floor(COUNT / 10)) before = memoryInUse();
        const stream = source.next(side);
        const make = (): AnyDecoder =>
          side === 'backend' ? new BackendDecoder({ limits: LIMITS }) : new FrontendDecoder({ limits: LIMITS });
        const [whole, pieces] = [make(), make()];
        if (random.chance(0.5)) for (const decoder of [whole, pieces]) decoder.loginDone();
        const atOnce = run(whole, stream, () => stream.length);
        const longest = random.pick([8, 64, 64, 200, 1000]);
        const bySplits = run(pieces, stream, () => 1 + random.int(longest));
        // However the bytes were split, the same comes out.
        if (bySplits.code !== atOnce.code) expect.fail(`${bySplits.code} in pieces, ${atOnce.code} whole`);
        if (bySplits.messages.length !== atOnce.messages.length) expect.fail('other messages in pieces than whole');
        if (count % 100 === 0) expect(bySplits.messages.map(plain)).to.deep.equal(atOnce.messages.map(plain));
        for (const message of atOnce.messages) {
          examine(message);
          names.add(message.name);
        }
        if (count % 20 === 0) roundTrip(side, atOnce.messages);
        decoded += atOnce.messages.length;
        const outcome = atOnce.code ?? (whole.buffered > 0 ? 'incomplete' : 'whole');
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      const growth = memoryInUse() - before;
      const rate = COUNT / ((performance.now() - begin) / 1000);
      console.log(
        `      ${source.structured} structured, ${source.noise} noise: ${decoded} messages of ${names.size} kinds;`,
        `${rate.toFixed(0)}/s, heap ${(growth / 1024).toFixed(0)} KiB; ${JSON.stringify(Object.fromEntries(outcomes))}`,
      );
      expect(growth).to.be.below(GROWTH_MAX);
      expect(source.structured).to.be.above(source.noise);
      // It would prove nothing if all of it were refused at the door, or none.
      expect(decoded).to.be.above(COUNT);
      for (const outcome of ['whole', 'incomplete', 'ERR_PG_PROTOCOL', 'ERR_PG_MESSAGE_TOO_LONG']) {
        expect(outcomes.get(outcome), outcome).to.be.above(COUNT / 500);
      }
    });
  }
});

/** What was decoded can be sent on: encoded and decoded again it is the same. */
function roundTrip(side: Side, messages: readonly Message[]): void {
  const backend = side === 'backend';
  const stream = backend
    ? new BackendEncoder().writeAll(messages as BackendMessage[]).take()
    : new FrontendEncoder().writeAll(messages as FrontendMessage[]).take();
  const decoder = backend ? new BackendDecoder() : new FrontendDecoder();
  decoder.loginDone();
  const again = run(decoder, stream, () => stream.length);
  expect(again.code).to.equal(undefined);
  expect(again.messages.map(plain)).to.deep.equal(messages.map(plain));
}
