/**
 * Matrix item 2, RESP: whatever bytes come, in whatever chunks, a decoder gives values or one of its own errors, the same
 * for every split, and memory does not grow. More than half of the inputs are valid ones with one thing changed.
 *
 * TURBOTLS_COUNT sets how many inputs, TURBOTLS_SEED which.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import {
  defaultRedisLimits,
  RedisError,
  ReplyDecoder,
  ReplyEncoder,
  RequestDecoder,
  RequestEncoder,
} from '../../src/codec/redis/index.js';
import { plain, raw, splitEvery } from '../codec/redis/resp.js';
import { invalid, vectors } from '../codec/redis/vectors.js';
import { Random } from '../simulator/random.js';
import { memoryInUse } from '../support/garbage.js';
import { GROWTH_MAX, TIMEOUT_MS } from './fuzzing.js';
import { announceSeed, byForm, seed } from './support.js';

const COUNT = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 30_000, long: 5_000_000 }));
const SPLITS_MAX = 64;

/** So low that inputs reach them. */
const limits = {
  ...defaultRedisLimits,
  bulkBytes: 2000,
  lineBytes: 300,
  depth: 8,
  aggregateElements: 100,
  replyBytes: 20_000,
  bigNumberDigits: 50,
  requestArguments: 50,
  requestBytes: 20_000,
  unauthenticatedBytes: 500,
};

interface Outcome {
  values: unknown[];
  /** The code of the error that ended it. */
  failure: string | undefined;
}

interface Decoder {
  push(chunk: Buffer): void;
  next(): unknown;
  readonly buffered: number;
}

function decode(decoder: Decoder, chunks: readonly Buffer[]): Outcome {
  const values: unknown[] = [];
  let pushed = 0;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      pushed += chunk.length;
      for (let value = decoder.next(); value !== undefined; value = decoder.next()) values.push(plain(value));
      if (decoder.buffered < 0 || decoder.buffered > pushed) throw new Error(`${decoder.buffered} bytes buffered`);
    }
    return { values, failure: undefined };
  } catch (error) {
    if (!(error instanceof RedisError)) throw error;
    return { values, failure: error.code };
  }
}

/** A valid sequence, with no more said of it than its bytes. */
type Source = (random: Random) => Buffer;

const replies: Source = (random) => {
  const parts = Array.from({ length: 1 + random.int(6) }, () => random.pick(vectors).bytes);
  const nested = random.chance(0.3) ? [`*${parts.length}\r\n`, ...parts] : parts;
  return raw(nested.join(''));
};

const requests: Source = (random) => {
  if (random.chance(0.2))
    return raw(random.pick(['PING\r\n', 'SET "a\\x00" \'b\'\n', '*0\r\n', '\r\n', 'GET  k \r\n']));
  const encoder = new RequestEncoder();
  for (let count = 1 + random.int(3); count > 0; count--) {
    encoder.add(Array.from({ length: 1 + random.int(12) }, () => random.bytes(random.int(random.pick([3, 30, 600])))));
  }
  return Buffer.concat(encoder.take());
};

const NUMBERS = [
  '0',
  '-1',
  '1',
  '2',
  '8',
  '9',
  '10',
  '11',
  '50',
  '51',
  '100',
  '101',
  '2000',
  '2001',
  '4294967296',
  '?',
];
NUMBERS.push('9007199254740993', '18446744073709551616', '-0', '+1', '01', '1e3', '');
const TYPES = '+-:$*_#,(!=%|~>;.';

/** Ways to change valid bytes. */
const MUTATIONS: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes) => bytes,
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, random.bytes(random.int(20))]),
  (bytes, random) => Buffer.concat([bytes, raw(random.pick(invalid)[0])]),
  // Another type, number or line.
  (bytes, random) => changeLine(bytes, random, (line) => random.pick([...TYPES]) + line.slice(1)),
  (bytes, random) => changeLine(bytes, random, (line) => line.charAt(0) + random.pick(NUMBERS)),
  (bytes, random) => changeLine(bytes, random, () => random.pick([...TYPES]) + random.pick(NUMBERS)),
  (bytes, random) => changeLine(bytes, random, (line) => `${line}\r\n${line}`),
  (bytes, random) => changeLine(bytes, random, (line) => line.repeat(1 + random.int(200))),
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    for (let changes = 1 + random.int(3); changes > 0; changes--) copy[random.int(copy.length)] = random.int(256);
    return copy;
  },
  (bytes, random) => {
    const at = random.int(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.int(3))]);
  },
  (bytes, random) =>
    raw(
      (random.pick(['*1\r\n', '*?\r\n', '%1\r\n+k\r\n', '|1\r\n', '$?\r\n']) as string).repeat(random.int(12)) +
        bytes.toString('latin1'),
    ),
];

function changeLine(bytes: Buffer, random: Random, change: (line: string) => string): Buffer {
  const lines = bytes.toString('latin1').split('\r\n');
  const index = random.int(lines.length);
  return raw(lines.with(index, change(lines[index] as string)).join('\r\n'));
}

function input(source: Source, random: Random): Buffer {
  if (random.chance(0.1)) return random.bytes(random.int(100));
  let bytes = source(random);
  for (let changes = random.int(3); changes > 0 && bytes.length > 0; changes--)
    bytes = random.pick(MUTATIONS)(bytes, random);
  return bytes;
}

function randomSplit(bytes: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + random.int(1 + random.pick([2, 10, 100]));
    chunks.push(Buffer.from(bytes.subarray(at, end)));
    at = Math.max(end, at);
  }
  return chunks;
}

const subjects: { name: string; source: Source; make: (random: Random) => () => Decoder }[] = [
  {
    name: 'replies',
    source: replies,
    make: (random) => {
      const blobs = random.pick(['string', 'buffer'] as const);
      return () => new ReplyDecoder({ limits, blobs });
    },
  },
  {
    name: 'requests',
    source: requests,
    make: (random) => {
      const authenticated = random.chance(0.7);
      return () => new RequestDecoder({ limits, authenticated });
    },
  },
];

describe('matrix 2: RESP fuzz', () => {
  announceSeed();

  for (const { name, source, make } of subjects) {
    it(`${COUNT.toLocaleString('en-US')} ${name}, whole, split at random and split evenly`, function () {
      this.timeout(TIMEOUT_MS);
      const random = new Random(`${seed} ${name}`);
      const outcomes = new Map<string, number>();
      const begin = performance.now();
      let before = 0;
      let values = 0;
      for (let count = 0; count < COUNT; count++) {
        if (count === Math.floor(COUNT / 5)) before = memoryInUse();
        const bytes = input(source, random);
        const decoder = make(random);
        const whole = decode(decoder(), [bytes]);
        for (const chunks of [randomSplit(bytes, random), splitEvery(bytes, 1 + random.int(SPLITS_MAX))]) {
          const split = decode(decoder(), chunks);
          if (isDeepStrictEqual(split, whole)) continue;
          const what = `TURBOTLS_SEED=${seed}, input ${count}: ${JSON.stringify(bytes.toString('latin1'))}`;
          expect(split, what).to.deep.equal(whole);
        }
        values += whole.values.length;
        const outcome = whole.failure ?? 'no error';
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      const growth = memoryInUse() - before;
      const rate = COUNT / ((performance.now() - begin) / 1000);
      console.log(
        `      ${values} values; ${JSON.stringify(Object.fromEntries(outcomes))};`,
        `${rate.toFixed(0)}/s, heap ${(growth / 1024).toFixed(0)} KiB`,
      );
      expect(growth).to.be.below(GROWTH_MAX);
      // It would prove nothing if all of it were refused at the door.
      expect(values).to.be.above(COUNT / 2);
      for (const outcome of ['no error', 'ERR_REDIS_PROTOCOL', 'ERR_REDIS_TOO_LONG']) {
        expect(outcomes.get(outcome), outcome).to.be.above(COUNT / 200);
      }
      if (name === 'replies') expect(outcomes.get('ERR_REDIS_TOO_DEEP')).to.be.above(0);
    });
  }

  it('what was decoded, encoded again', function () {
    this.timeout(TIMEOUT_MS);
    const random = new Random(`${seed} encoded`);
    const count = Math.floor(COUNT / 10);
    let values = 0;
    for (let index = 0; index < count; index++) {
      const decoder = new ReplyDecoder({ limits });
      decoder.push(input(replies, random));
      const encoder = new ReplyEncoder({ protocol: 3 });
      const expected: unknown[] = [];
      try {
        for (let value = decoder.next(); value !== undefined; value = decoder.next()) {
          encoder.reply(value);
          expected.push(plain(value));
        }
      } catch (error) {
        if (!(error instanceof RedisError) || error.code === 'ERR_REDIS_BAD_VALUE') throw error;
      }
      const again = decode(new ReplyDecoder(), encoder.take());
      expect(again, `TURBOTLS_SEED=${seed}, input ${index}`).to.deep.equal({ values: expected, failure: undefined });
      values += expected.length;
    }
    expect(values).to.be.above(count / 2);
  });
});
