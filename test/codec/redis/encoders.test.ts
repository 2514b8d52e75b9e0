import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  type Argument,
  defaultRedisLimits,
  encodeCommand,
  Push,
  RedisServerError,
  type Reply,
  ReplyEncoder,
  RequestEncoder,
} from '../../../src/codec/redis/index.js';
import { holds } from '../../support/property.js';
import { decodeReplies, decodeRequests, expectError, plain, raw, splitEvery } from './resp.js';
import { vectors } from './vectors.js';

function latin1(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('latin1');
}

/** What an encoder writes. */
function encoded(protocol: 2 | 3, write: (encoder: ReplyEncoder) => void): string {
  const encoder = new ReplyEncoder({ protocol });
  write(encoder);
  return latin1(encoder.take());
}

describe('codec/redis/request-encoder', () => {
  const commands: [string, Argument[], string][] = [
    ['strings', ['LLEN', 'mylist'], '*2\r\n$4\r\nLLEN\r\n$6\r\nmylist\r\n'],
    ['an empty string', ['ECHO', ''], '*2\r\n$4\r\nECHO\r\n$0\r\n\r\n'],
    ['text that is not ASCII', ['ECHO', 'é€'], '*2\r\n$4\r\nECHO\r\n$5\r\n\xc3\xa9\xe2\x82\xac\r\n'],
    ['half of a surrogate pair', ['ECHO', '\ud83d'], '*2\r\n$4\r\nECHO\r\n$3\r\n\xef\xbf\xbd\r\n'],
    ['a Buffer', ['ECHO', raw('\xff\r\n')], '*2\r\n$4\r\nECHO\r\n$3\r\n\xff\r\n\r\n'],
    ['a Uint8Array', ['ECHO', new Uint8Array([0, 255])], '*2\r\n$4\r\nECHO\r\n$2\r\n\x00\xff\r\n'],
    ['numbers', ['A', 1, -1.5, 1e21, -0], '*5\r\n$1\r\nA\r\n$1\r\n1\r\n$4\r\n-1.5\r\n$5\r\n1e+21\r\n$1\r\n0\r\n'],
    ['infinities', ['A', Infinity, -Infinity], '*3\r\n$1\r\nA\r\n$3\r\ninf\r\n$4\r\n-inf\r\n'],
    ['a bigint', ['A', -(2n ** 63n)], '*2\r\n$1\r\nA\r\n$20\r\n-9223372036854775808\r\n'],
  ];

  for (const [name, args, bytes] of commands) {
    it(name, () => {
      expect(latin1(encodeCommand(args))).to.equal(bytes);
    });
  }

  it('takes commands in their order, and gives each once', () => {
    const encoder = new RequestEncoder();
    for (let index = 0; index < 3; index++) encoder.add(['ECHO', index]);
    expect(encoder.bytes).to.equal(3 * 21);
    const first = encoder.take();
    expect(latin1(first)).to.equal([0, 1, 2].map((index) => `*2\r\n$4\r\nECHO\r\n$1\r\n${index}\r\n`).join(''));
    expect(encoder.bytes).to.equal(0);
    expect(encoder.take()).to.deep.equal([]);
    encoder.add(['PING']);
    expect(latin1(encoder.take())).to.equal('*1\r\n$4\r\nPING\r\n');
    expect(latin1(first)).to.match(/^\*2/);
  });

  it('passes large Buffers on, and copies small ones', () => {
    const large = Buffer.concat([Buffer.alloc(10, 'w'), Buffer.alloc(4096, 'x')]).subarray(10);
    const small = Buffer.alloc(100, 'y');
    const chunks = encodeCommand(['SET', large, small, large]);
    small.fill('z');
    expect(
      chunks.filter((chunk) => chunk.buffer === large.buffer && chunk.byteOffset === large.byteOffset),
    ).to.have.length(2);
    const [args] = decodeRequests(chunks);
    expect(args).to.deep.equal([Buffer.from('SET'), large, Buffer.alloc(100, 'y'), large]);
  });

  it('large strings, and many small ones', () => {
    for (const length of [4095, 4096, 8190, 8192, 100_000]) {
      const text = 'é'.repeat(length / 2);
      const args = ['SET', text, ...new Array(500).fill('abcdefghi'), text];
      expect(decodeRequests(encodeCommand(args), { authenticated: true })).to.deep.equal([
        args.map((arg) => Buffer.from(arg)),
      ]);
    }
  });

  const refused: [string, unknown[]][] = [
    ['undefined', ['GET', undefined]],
    ['null', ['GET', null]],
    ['an object', ['GET', {}]],
    ['an array', ['GET', ['a']]],
    ['a Date', ['GET', new Date()]],
    ['a boolean', ['SET', 'a', true]],
    ['a function', ['SET', 'a', () => {}]],
    ['a symbol', ['SET', 'a', Symbol('a')]],
    ['not a number', ['SET', 'a', Number.NaN]],
    ['an array of numbers that are no bytes', ['SET', new Uint16Array(2)]],
    ['a hole', new Array(2)],
    ['nothing at all', []],
  ];

  for (const [name, args] of refused) {
    it(`refuses ${name}, and encodes nothing of the command`, () => {
      const encoder = new RequestEncoder();
      encoder.add(['PING']);
      expectError(() => encoder.add(args as Argument[]), 'ERR_REDIS_BAD_VALUE');
      encoder.add(['QUIT']);
      expect(latin1(encoder.take())).to.equal('*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n');
    });
  }

  it('tells no value in its error', () => {
    try {
      encodeCommand(['AUTH', { password: 'hunter2' } as unknown as string]);
      expect.fail('no error');
    } catch (error) {
      expect((error as Error).message)
        .to.match(/argument 1 is an object/)
        .and.not.match(/hunter2/);
    }
  });

  it('refuses what the server would, before anything is sent', () => {
    const limits = { ...defaultRedisLimits, bulkBytes: 10, requestArguments: 3 };
    const encoder = new RequestEncoder({ limits });
    encoder.add(['ECHO', 'é'.repeat(5)]);
    for (const long of ['é'.repeat(5).concat('a'), 'a'.repeat(11), Buffer.alloc(11)]) {
      expectError(() => encoder.add(['ECHO', long]), 'ERR_REDIS_TOO_LONG');
    }
    expectError(() => encoder.add(['A', 'B', 'C', 'D']), 'ERR_REDIS_TOO_LONG');
    expect(decodeRequests(encoder.take())).to.have.length(1);
  });

  it('and RequestDecoder are each other’s opposite, however the bytes are split', () => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 6000 }),
      fc.bigInt(),
      fc.integer(),
    );
    const command = fc.array(argument, { minLength: 1, maxLength: 20 });
    holds(
      fc.property(fc.array(command, { maxLength: 5 }), fc.integer({ min: 1, max: 5000 }), (requests, size) => {
        const encoder = new RequestEncoder();
        for (const args of requests) encoder.add(args);
        const decoded = decodeRequests(splitEvery(Buffer.concat(encoder.take()), size), { authenticated: true });
        const expected = requests.map((args) =>
          args.map((arg) => (arg instanceof Uint8Array ? Buffer.from(arg) : Buffer.from(String(arg)))),
        );
        expect(decoded).to.deep.equal(expected);
      }),
    );
  });
});

describe('codec/redis/reply-encoder', () => {
  const types: [string, (encoder: ReplyEncoder) => void, string, string | undefined][] = [
    ['simpleString', (to) => to.simpleString('OK'), '+OK\r\n', '+OK\r\n'],
    ['error', (to) => to.error('ERR no'), '-ERR no\r\n', '-ERR no\r\n'],
    ['error with line ends', (to) => to.error('ERR a\r\nb'), '!8\r\nERR a\r\nb\r\n', '-ERR a  b\r\n'],
    ['bulkError', (to) => to.bulkError('ERR é'), '!6\r\nERR \xc3\xa9\r\n', '-ERR \xc3\xa9\r\n'],
    ['integer', (to) => to.integer(-5), ':-5\r\n', ':-5\r\n'],
    ['integer of 64 bits', (to) => to.integer(2n ** 63n - 1n), ':9223372036854775807\r\n', ':9223372036854775807\r\n'],
    ['bulkString', (to) => to.bulkString('é'), '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
    ['bulkString of bytes', (to) => to.bulkString(raw('\xff')), '$1\r\n\xff\r\n', '$1\r\n\xff\r\n'],
    ['verbatimString', (to) => to.verbatimString('txt', 'a'), '=5\r\ntxt:a\r\n', '$1\r\na\r\n'],
    ['null', (to) => to.null(), '_\r\n', '$-1\r\n'],
    ['true', (to) => to.boolean(true), '#t\r\n', ':1\r\n'],
    ['false', (to) => to.boolean(false), '#f\r\n', ':0\r\n'],
    ['double', (to) => to.double(-1.5e-7), ',-1.5e-7\r\n', '$7\r\n-1.5e-7\r\n'],
    ['double, whole', (to) => to.double(10), ',10\r\n', '$2\r\n10\r\n'],
    ['double, minus zero', (to) => to.double(-0), ',-0\r\n', '$2\r\n-0\r\n'],
    ['double, infinite', (to) => to.double(-Infinity), ',-inf\r\n', '$4\r\n-inf\r\n'],
    ['double, not a number', (to) => to.double(NaN), ',nan\r\n', '$3\r\nnan\r\n'],
    ['bigNumber', (to) => to.bigNumber(10n ** 20n), '(100000000000000000000\r\n', '$21\r\n100000000000000000000\r\n'],
    ['array', (to) => to.array(2), '*2\r\n', '*2\r\n'],
    ['map', (to) => to.map(2), '%2\r\n', '*4\r\n'],
    ['set', (to) => to.set(2), '~2\r\n', '*2\r\n'],
    ['push', (to) => to.push(2), '>2\r\n', '*2\r\n'],
    ['attribute', (to) => to.attribute(new Map<Reply, Reply>([['a', [1]]])), '|1\r\n$1\r\na\r\n*1\r\n:1\r\n', ''],
    ['begin', (to) => to.begin('array'), '*?\r\n', undefined],
    ['begin of a set', (to) => to.begin('set'), '~?\r\n', undefined],
    ['begin of a map', (to) => to.begin('map'), '%?\r\n', undefined],
    ['beginParts', (to) => to.beginParts(), '$?\r\n', undefined],
  ];

  for (const [name, write, three, two] of types) {
    it(name, () => {
      expect(encoded(3, write)).to.equal(three);
      if (two === undefined) expectError(() => encoded(2, write), 'ERR_REDIS_BAD_VALUE');
      else expect(encoded(2, write)).to.equal(two);
    });
  }

  it('streams', () => {
    const bytes = encoded(3, (to) => {
      to.begin('array');
      to.beginParts();
      to.part('ab');
      to.part('');
      to.part(raw('\xff'));
      to.endParts();
      to.end();
    });
    expect(bytes).to.equal('*?\r\n$?\r\n;2\r\nab\r\n;1\r\n\xff\r\n;0\r\n.\r\n');
  });

  it('refuses what would be other bytes than it says', () => {
    const wrong: ((encoder: ReplyEncoder) => void)[] = [
      (to) => to.simpleString('a\r\n-ERR'),
      (to) => to.simpleString('a\n'),
      (to) => to.integer(1.5),
      (to) => to.integer(2 ** 53),
      (to) => to.integer(2n ** 63n),
      (to) => to.verbatimString('text', 'a'),
      (to) => to.verbatimString('a:\n', 'a'),
      (to) => to.array(-1),
      (to) => to.map(0.5),
      (to) => to.reply(undefined as unknown as Reply),
      (to) => to.reply({} as unknown as Reply),
      (to) => to.reply([1, Symbol('a') as unknown as Reply]),
    ];
    for (const write of wrong) expectError(() => encoded(3, write), 'ERR_REDIS_BAD_VALUE');
  });

  it('encodes what a decoder gave, so that it decodes to the same', () => {
    for (const { name, value } of vectors) {
      const bytes = encoded(3, (to) => to.reply(value));
      expect(decodeReplies(raw(bytes)).map(plain), name).to.deep.equal([plain(value)]);
    }
  });

  it('encodes what is nested deeper than calls can be, and wider', () => {
    let deep: Reply = [];
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(encoded(3, (to) => to.reply(deep))).to.have.length(4 * 100_001);
    const wide = new Array(500_000).fill(1);
    expect(encoded(3, (to) => to.reply(wide))).to.have.length(9 + 4 * 500_000);
  });

  it('maps, sets and pushes as arrays for RESP2', () => {
    const value = [new Map<Reply, Reply>([['a', true]]), new Set<Reply>([null]), 1.5];
    expect(encoded(2, (to) => to.reply(value))).to.equal('*3\r\n*2\r\n$1\r\na\r\n:1\r\n*1\r\n$-1\r\n$3\r\n1.5\r\n');
    expect(encoded(2, (to) => to.reply(new Push('k', [1])))).to.equal('*2\r\n$1\r\nk\r\n:1\r\n');
  });

  it('and ReplyDecoder are each other’s opposite, however the bytes are split', () => {
    const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
      reply: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.string({ unit: 'binary' }).map((text) => wellFormed(text)),
        fc.integer(),
        fc.double(),
        fc.bigInt().filter((value) => value > 2n ** 63n || value < -(2n ** 63n)),
        fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
        fc.boolean(),
        fc.constant(null),
        fc.string({ unit: 'binary' }).map((text) => new RedisServerError(wellFormed(text))),
        fc.array(tie('reply'), { maxLength: 5 }),
        fc.array(fc.tuple(fc.string(), tie('reply')), { maxLength: 5 }).map((pairs) => new Map<Reply, Reply>(pairs)),
        fc.uniqueArray(fc.string(), { maxLength: 5 }).map((items) => new Set<Reply>(items)),
      ),
    }));
    holds(
      fc.property(fc.array(reply, { maxLength: 5 }), fc.integer({ min: 1, max: 100 }), (replies, size) => {
        const encoder = new ReplyEncoder({ protocol: 3 });
        for (const value of replies) encoder.reply(value);
        const decoded = decodeReplies(splitEvery(Buffer.concat(encoder.take()), size));
        expect(decoded.map(plain)).to.deep.equal(replies.map(plain));
      }),
      { numRuns: 500 },
    );
  });
});

/** Without the halves of surrogate pairs that UTF-8 cannot carry. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
