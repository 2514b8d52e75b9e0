import { expect } from 'chai';
import {
  defaultRedisLimits,
  Push,
  type RedisLimits,
  type Reply,
  ReplyDecoder,
} from '../../../src/codec/redis/index.js';
import { decodeReplies, expectError, plain, raw, readOut, splitAt, splitEvery } from './resp.js';
import { invalid, vectors } from './vectors.js';

const KiB = 1024;
const MiB = 1024 * KiB;

function withLimits(limits: Partial<RedisLimits>): { limits: RedisLimits } {
  return { limits: { ...defaultRedisLimits, ...limits } };
}

describe('codec/redis/reply-decoder', () => {
  describe('values', () => {
    for (const { name, bytes, value } of vectors) {
      it(`${name}: whole, at every split point, and byte by byte`, () => {
        const whole = raw(bytes);
        const expected = [plain(value), 'next'];
        const all = Buffer.concat([whole, raw('+next\r\n')]);
        expect(decodeReplies(all).map(plain)).to.deep.equal(expected);
        for (let at = 0; at <= all.length; at++) {
          expect(decodeReplies(splitAt(all, at)).map(plain), `split at ${at}`).to.deep.equal(expected);
        }
        for (let size = 1; size < 8; size++)
          expect(decodeReplies(splitEvery(all, size)).map(plain)).to.deep.equal(expected);
      });

      it(`${name}: nothing of a part`, () => {
        const whole = raw(bytes);
        for (let length = 0; length < whole.length; length++) {
          const decoder = new ReplyDecoder();
          decoder.push(whole.subarray(0, length));
          expect(decoder.next(), `${length} bytes`).to.equal(undefined);
          expect(decoder.next(), `${length} bytes, again`).to.equal(undefined);
          decoder.push(whole.subarray(length));
          expect(plain(decoder.next())).to.deep.equal(plain(value));
          expect(decoder.buffered).to.equal(0);
        }
      });
    }

    it('all one behind another, in chunks of every size up to 64', () => {
      const all = raw(vectors.map(({ bytes }) => bytes).join(''));
      const expected = vectors.map(({ value }) => plain(value));
      for (let size = 1; size <= 64; size++) {
        expect(decodeReplies(splitEvery(all, size)).map(plain), `${size} bytes`).to.deep.equal(expected);
      }
    });

    it('all within one array, a push apart', () => {
      const parts = vectors.filter(({ value }) => !(value instanceof Push));
      const bytes = raw(`*${parts.length}\r\n${parts.map((part) => part.bytes).join('')}`);
      for (const size of [1, 3, 64, bytes.length]) {
        expect(decodeReplies(splitEvery(bytes, size)).map(plain)).to.deep.equal([
          parts.map(({ value }) => plain(value)),
        ]);
      }
    });

    it('strings of every length, that a chunk ends in', () => {
      for (const length of [1, 62, 63, 64, 65, 1021, 1022, 1023, 1024, 4093, 4094, 4095, 4096, 10_000, 100_000]) {
        const text = 'abcdefg'.repeat(length).slice(0, length);
        const bytes = raw(`$${length}\r\n${text}\r\n+${text.slice(0, 60_000)}\r\n`);
        for (const size of [7, 64, 1000, 65_536]) {
          const replies = decodeReplies(splitEvery(bytes, size));
          expect(replies, `${length} in ${size}`).to.deep.equal([text, text.slice(0, 60_000)]);
        }
      }
    });

    it('text in large chunks, ASCII and not', () => {
      const text = `${'a'.repeat(5000)}é€`;
      const length = Buffer.byteLength(text);
      const bytes = Buffer.from(`$3\r\nabc\r\n$${length}\r\n${text}\r\n+é\r\n`);
      for (const size of [length, bytes.length, 4096]) {
        expect(decodeReplies(splitEvery(bytes, size))).to.deep.equal(['abc', text, 'é']);
      }
    });

    it('an array with more elements than are allocated at once', () => {
      const count = 5000;
      const bytes = raw(`*${count}\r\n${':7\r\n'.repeat(count)}`);
      expect(decodeReplies(splitEvery(bytes, 1000))).to.deep.equal([new Array(count).fill(7)]);
    });
  });

  describe('buffers', () => {
    const bytes = raw('*4\r\n$2\r\n\xff\xfe\r\n+OK\r\n=5\r\ntxt:\xff\r\n$?\r\n;1\r\n\xff\r\n;0\r\n');
    const expected = [raw('\xff\xfe'), raw('OK'), raw('\xff'), raw('\xff')];

    it('in place of every string, map keys too', () => {
      for (const size of [1, 2, 64, 4096]) {
        expect(decodeReplies(splitEvery(bytes, size), { blobs: 'buffer' })).to.deep.equal([expected]);
      }
      const [map] = decodeReplies(raw('%1\r\n$1\r\n\xff\r\n:1\r\n'), { blobs: 'buffer' });
      expect([...(map as Map<Reply, Reply>)]).to.deep.equal([[raw('\xff'), 1]]);
    });

    it('that later chunks and replies do not change', () => {
      const long = raw(`$5000\r\n${'x'.repeat(5000)}\r\n`);
      for (const size of [1, 60, 3000]) {
        const replies = decodeReplies(splitEvery(Buffer.concat([bytes, long, bytes, long, bytes]), size), {
          blobs: 'buffer',
        });
        const [first, big] = replies;
        expect(first).to.deep.equal(expected);
        expect((big as Buffer).equals(Buffer.alloc(5000, 'x'))).to.equal(true);
        expect(replies[2]).to.deep.equal(expected);
        expect(replies[4]).to.deep.equal(expected);
      }
    });

    it('that keep at most twice their bytes alive, beside what Node pools', () => {
      const pool = Buffer.from('abc').buffer.byteLength; // from Node 26 on a little more than Buffer.poolSize
      const small = decodeReplies(raw(`$10\r\n0123456789\r\n$60000\r\n${'x'.repeat(60_000)}\r\n`), { blobs: 'buffer' });
      for (const reply of small as Buffer[]) {
        expect(reply.buffer.byteLength).to.be.at.most(Math.max(2 * reply.length, pool));
      }
    });

    it('from the reply on that was not begun when they were asked for', () => {
      const decoder = new ReplyDecoder();
      decoder.push(raw('*2\r\n$1\r\na\r\n'));
      expect(decoder.next()).to.equal(undefined);
      decoder.setBlobs('buffer');
      decoder.push(raw('$1\r\nb\r\n$1\r\nc\r\n'));
      expect(decoder.next()).to.deep.equal(['a', 'b']);
      expect(decoder.next()).to.deep.equal(Buffer.from('c'));
      decoder.setBlobs('string');
      decoder.push(raw('$1\r\nd\r\n'));
      expect(decoder.next()).to.equal('d');
    });

    it('within pushes where those are to have them, and nowhere else', () => {
      const push = '>2\r\n$1\r\nk\r\n$1\r\nv\r\n';
      const both = raw(`${push}$1\r\na\r\n${push}`);
      const asBuffers = new Push('k', [Buffer.from('v')]);
      const asStrings = new Push('k', ['v']);
      expect(decodeReplies(both, { blobs: 'buffer' })).to.deep.equal([asStrings, Buffer.from('a'), asStrings]);
      expect(decodeReplies(both, { pushBlobs: 'buffer' })).to.deep.equal([asBuffers, 'a', asBuffers]);
    });
  });

  describe('attributes', () => {
    it('are those of the reply that came last', () => {
      const decoder = new ReplyDecoder();
      decoder.push(raw('|1\r\n+a\r\n%1\r\n+b\r\n,0.5\r\n|1\r\n+c\r\n:1\r\n*1\r\n|1\r\n+d\r\n:2\r\n:3\r\n'));
      expect(decoder.next()).to.deep.equal([3]);
      expect(plain(decoder.attributes)).to.deep.equal(
        plain(
          new Map<Reply, Reply>([
            ['a', new Map([['b', 0.5]])],
            ['c', 1],
          ]),
        ),
      );
      decoder.push(raw(':1\r\n'));
      expect(decoder.next()).to.equal(1);
      expect(decoder.attributes).to.equal(undefined);
    });

    it('are not there before their reply is whole', () => {
      const decoder = new ReplyDecoder();
      decoder.push(raw('|1\r\n+a\r\n:1\r\n'));
      expect(decoder.next()).to.equal(undefined);
      expect(decoder.attributes).to.equal(undefined);
      decoder.push(raw('_\r\n'));
      expect(decoder.next()).to.equal(null);
      expect(decoder.attributes).to.deep.equal(new Map([['a', 1]]));
    });
  });

  describe('errors of the server', () => {
    it('have the whole text, and its first word as their code', () => {
      const [error] = decodeReplies(raw('-NOAUTH Authentication required.\r\n'));
      expect(error).to.include({
        name: 'RedisServerError',
        message: 'NOAUTH Authentication required.',
        code: 'NOAUTH',
      });
    });
  });

  describe('what is no RESP', () => {
    for (const [bytes, message] of invalid) {
      it(`${JSON.stringify(bytes)} is refused at every split, and by every further call`, () => {
        for (let at = 0; at <= bytes.length; at++) {
          const decoder = new ReplyDecoder();
          expectError(() => readOut(decoder, splitAt(raw(bytes), at)), 'ERR_REDIS_PROTOCOL', message);
          decoder.push(raw('+OK\r\n'));
          expectError(() => decoder.next(), 'ERR_REDIS_PROTOCOL', message);
        }
        expectError(() => decodeReplies(splitEvery(raw(bytes), 1)), 'ERR_REDIS_PROTOCOL', message);
      });
    }

    it('does not undo the replies before it', () => {
      const decoder = new ReplyDecoder();
      decoder.push(raw('+OK\r\nHTTP'));
      expect(decoder.next()).to.equal('OK');
      expectError(() => decoder.next(), 'ERR_REDIS_PROTOCOL');
    });
  });

  describe('limits', () => {
    it('of depth, for every kind of aggregate', () => {
      for (const open of ['*1\r\n', '*?\r\n', '~1\r\n', '%1\r\n:1\r\n', '|1\r\n:1\r\n', '*2\r\n:1\r\n']) {
        const { depth } = defaultRedisLimits;
        expect(decodeReplies(raw(open.repeat(depth)))).to.deep.equal([]);
        expectError(() => decodeReplies(raw(open.repeat(depth + 1))), 'ERR_REDIS_TOO_DEEP');
      }
      expect(decodeReplies(raw('*1\r\n*1\r\n:1\r\n'), withLimits({ depth: 2 }))).to.deep.equal([[[1]]]);
      expectError(() => decodeReplies(raw('*1\r\n*1\r\n:1\r\n'), withLimits({ depth: 1 })), 'ERR_REDIS_TOO_DEEP');
    });

    it('of depth, where aggregates stand beside one another', () => {
      const bytes = raw(`*1000\r\n${'*1\r\n*0\r\n'.repeat(1000)}`);
      expect(decodeReplies(bytes, withLimits({ depth: 3 }))).to.have.length(1);
    });

    it('of bulk strings, before they come', () => {
      const options = withLimits({ bulkBytes: 5 });
      expect(decodeReplies(raw('$5\r\nhello\r\n'), options)).to.deep.equal(['hello']);
      for (const bytes of ['$6\r\n', '=6\r\n', '$?\r\n;6\r\n', '$?\r\n;3\r\nabc\r\n;3\r\n']) {
        expectError(() => decodeReplies(raw(bytes), options), 'ERR_REDIS_TOO_LONG');
      }
      expectError(() => decodeReplies(raw(`$${256 * MiB + 1}\r\n`)), 'ERR_REDIS_TOO_LONG');
    });

    it('of strings, to what JavaScript can hold', () => {
      const options = { ...withLimits({ bulkBytes: 4096 * MiB, replyBytes: 8192 * MiB }) };
      expectError(() => decodeReplies(raw(`$${1024 * MiB}\r\n`), options), 'ERR_REDIS_TOO_LONG');
      expect(decodeReplies(raw(`$${1024 * MiB}\r\n`), { ...options, blobs: 'buffer' })).to.deep.equal([]);
    });

    it('of lines, whole or not', () => {
      const options = withLimits({ lineBytes: 100 });
      expect(decodeReplies(raw(`+${'a'.repeat(98)}\r\n`), options)).to.deep.equal(['a'.repeat(98)]);
      for (const type of '+-(,') {
        for (const bytes of [raw(`${type}${'1'.repeat(100)}\r\n`), raw(`${type}${'1'.repeat(100)}`)]) {
          expectError(() => decodeReplies(bytes, options), 'ERR_REDIS_TOO_LONG');
          expectError(() => decodeReplies(splitEvery(bytes, 7), options), 'ERR_REDIS_TOO_LONG');
        }
      }
      expectError(() => decodeReplies(raw('!101\r\n'), options), 'ERR_REDIS_TOO_LONG');
      // What is no text has short lines at most.
      for (const type of ':$*_#!=%|~>;.') {
        for (const bytes of [raw(`${type}${'0'.repeat(40)}`), raw(`${type}${'0'.repeat(40)}\r\n`)]) {
          expectError(() => decodeReplies(bytes), 'ERR_REDIS_TOO_LONG', /more than 32/);
          expectError(() => decodeReplies(splitEvery(bytes, 1)), 'ERR_REDIS_TOO_LONG', /more than 32/);
        }
      }
    });

    it('of big numbers', () => {
      const digits = '9'.repeat(10_000);
      expect(decodeReplies(raw(`(-${digits}\r\n`))).to.deep.equal([-BigInt(digits)]);
      expectError(() => decodeReplies(raw(`(-${digits}9\r\n`)), 'ERR_REDIS_TOO_LONG');
    });

    it('of elements, announced or streamed', () => {
      const options = withLimits({ aggregateElements: 4 });
      expect(decodeReplies(raw('*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n'), options)).to.deep.equal([[1, 1, 1, 1]]);
      expect(decodeReplies(raw('*?\r\n:1\r\n:1\r\n:1\r\n:1\r\n.\r\n'), options)).to.deep.equal([[1, 1, 1, 1]]);
      for (const bytes of ['*5\r\n', '~5\r\n', '>5\r\n', '%3\r\n', '|3\r\n', `*?\r\n${':1\r\n'.repeat(5)}`]) {
        expectError(() => decodeReplies(raw(bytes), options), 'ERR_REDIS_TOO_LONG');
      }
      expectError(() => decodeReplies(raw('%999999999999999\r\n')), 'ERR_REDIS_TOO_LONG');
    });

    it('of one reply, whatever it is made of; the next has its own', () => {
      const options = withLimits({ replyBytes: 10_000 });
      const endless = [
        ':1\r\n',
        '$0\r\n\r\n',
        '$9\r\n123456789\r\n',
        '-ERR\r\n',
        '*0\r\n',
        '%0\r\n',
        '+abc\r\n',
        '!1\r\na\r\n',
      ];
      for (const element of endless) {
        for (const blobs of ['string', 'buffer'] as const) {
          const decoder = new ReplyDecoder({ ...options, blobs });
          expectError(
            () => readOut(decoder, [raw(`*?\r\n${element.repeat(1000)}`)]),
            'ERR_REDIS_TOO_LONG',
            /replyBytes/,
          );
          const many = raw(`${element.repeat(1000)}`);
          expect(decodeReplies(many, { ...options, blobs })).to.have.length(1000);
        }
      }
      // Each kind has its own sum: by their places alone these would pass.
      for (const [count, element] of [
        [20, '-ERR\r\n'],
        [20, '!3\r\nERR\r\n'],
        [50, '%0\r\n'],
        [50, '*0\r\n'],
        [35, `+${'a'.repeat(300)}\r\n`],
        [35, `$300\r\n${'a'.repeat(300)}\r\n`],
      ] as const) {
        const bytes = raw(`*${count}\r\n${element.repeat(count)}`);
        expectError(() => decodeReplies(bytes, options), 'ERR_REDIS_TOO_LONG', /replyBytes/);
        expect(decodeReplies(bytes, withLimits({ replyBytes: 20_000 }))).to.have.length(1);
      }
      const blobs = raw(`*50\r\n${'$1\r\na\r\n'.repeat(50)}`);
      expect(decodeReplies(blobs, options)).to.have.length(1);
      expectError(() => decodeReplies(blobs, { ...options, blobs: 'buffer' }), 'ERR_REDIS_TOO_LONG', /replyBytes/);
      expectError(() => decodeReplies(raw('*300\r\n*300\r\n'), options), 'ERR_REDIS_TOO_LONG', /replyBytes/);
      expectError(
        () => decodeReplies(raw('|1\r\n:1\r\n:1\r\n'.repeat(100)), options),
        'ERR_REDIS_TOO_LONG',
        /replyBytes/,
      );
      expectError(() => decodeReplies(raw('$?\r\n;9999\r\n'), withLimits({ replyBytes: 9998 })), 'ERR_REDIS_TOO_LONG');
    });
  });

  describe('memory and work', () => {
    it('grow with what came, not with what was announced', () => {
      const lies = [
        '$268435456\r\nx',
        '*16000000\r\n:1\r\n',
        '%8000000\r\n',
        '~16000000\r\n',
        '>16000000\r\n',
        '|8000000\r\n',
      ];
      lies.push(
        '$?\r\n;268435456\r\nx',
        '=268435456\r\ntxt:',
        `${'*1000\r\n'.repeat(32)}$100000000\r\n`,
        '!65536\r\nx',
      );
      const decoders: ReplyDecoder[] = [];
      const before = process.memoryUsage();
      for (const lie of lies) {
        for (let count = 0; count < 100; count++) {
          const decoder = new ReplyDecoder();
          decoder.push(raw(lie));
          expect(decoder.next()).to.equal(undefined);
          decoders.push(decoder);
        }
      }
      const after = process.memoryUsage();
      const grown = after.heapUsed + after.external - before.heapUsed - before.external;
      expect(decoders).to.have.length(1000);
      // 100 of them hold 32 arrays of 1,000 places.
      expect(grown).to.be.below(100 * 32 * 8 * KiB + 16 * MiB);
    });

    it('look at each byte a few times at most, and copy it a few times at most', () => {
      const value = 'x'.repeat(200_000);
      const parts = [`$${value.length}\r\n${value}\r\n`, `*3000\r\n${'$5\r\nhello\r\n:12\r\n'.repeat(1500)}`];
      parts.push(`+${'y'.repeat(60_000)}\r\n`, '*1\r\n'.repeat(30), '*?\r\n', ':1\r\n'.repeat(3000));
      const bytes = raw(parts.join(''));
      for (const size of [1, 2, 64, 1000]) {
        const { chunks, reads } = counted(splitEvery(bytes, size));
        const allocated = countingAllocations(() => {
          expect(readOut(new ReplyDecoder(), chunks)).to.have.length(3);
        });
        expect(reads(), `reads in chunks of ${size}`).to.be.below(4 * bytes.length);
        expect(allocated, `bytes allocated in chunks of ${size}`).to.be.below(4 * bytes.length);
      }
    });

    it('are linear in the bytes: 8 MiB of every kind in chunks of 64', function () {
      this.timeout(60_000);
      const total = 8 * MiB;
      const kinds = {
        'one string': raw(`$${total}\r\n${'x'.repeat(total)}\r\n`),
        'one array': raw(`*${1 << 19}\r\n${'$10\r\n0123456789\r\n'.repeat(1 << 19)}`),
        'one streamed string': raw(`$?\r\n${';8\r\n01234567\r\n'.repeat(1 << 19)};0\r\n`),
        'one map': raw(`%${1 << 18}\r\n${'$10\r\n0123456789\r\n'.repeat(1 << 19)}`),
      };
      for (const [kind, bytes] of Object.entries(kinds)) {
        expect(decodeReplies(splitEvery(bytes, 64)), kind).to.have.length(1);
        const decoder = new ReplyDecoder();
        for (const chunk of splitEvery(bytes, 64)) decoder.push(chunk);
        expect(decoder.buffered, kind).to.equal(bytes.length);
        expect(decoder.next(), kind).to.not.equal(undefined);
        expect(decoder.buffered, kind).to.equal(0);
      }
    });

    it('end early where aggregates only open', () => {
      const bytes = raw('*1\r\n'.repeat(MiB / 4));
      expectError(() => decodeReplies(bytes), 'ERR_REDIS_TOO_DEEP');
    });
  });

  describe('chunks', () => {
    it('may be empty, and may wait', () => {
      const decoder = new ReplyDecoder();
      for (const text of ['', '+a', '', '\r', '\n', '', ':1\r\n$3\r\n', 'ab', '', 'c\r\n', '+b\r\n+c\r\n'])
        decoder.push(raw(text));
      expect(decoder.next()).to.equal('a');
      decoder.push(raw('+d\r\n'));
      expect([1, 2, 3, 4, 5].map(() => decoder.next())).to.deep.equal([1, 'abc', 'b', 'c', 'd']);
      expect(decoder.next()).to.equal(undefined);
      expect(decoder.buffered).to.equal(0);
    });

    it('are counted while they are not decoded', () => {
      const decoder = new ReplyDecoder();
      decoder.push(raw('+a\r\n$5\r\nab'));
      decoder.push(raw('c'));
      expect(decoder.buffered).to.equal(11);
      expect(decoder.next()).to.equal('a');
      expect(decoder.buffered).to.equal(7);
      expect(decoder.next()).to.equal(undefined);
      expect(decoder.buffered).to.equal(3);
    });
  });
});

/** Chunks that count how often a byte of theirs is read. */
function counted(chunks: Buffer[]): { chunks: Buffer[]; reads: () => number } {
  let reads = 0;
  const observed = chunks.map(
    (chunk) =>
      new Proxy(chunk, {
        get(target, key) {
          if (typeof key === 'string' && key.charCodeAt(0) <= 0x39) {
            reads++;
            return target[Number(key)];
          }
          const member: unknown = Reflect.get(target, key);
          if (typeof member !== 'function') return member;
          return (...args: unknown[]) => {
            // Methods that read end their arguments with a range, or take all.
            const [start, end] = args.slice(-2);
            reads += typeof start === 'number' && typeof end === 'number' ? end - start : target.length;
            return Reflect.apply(member, target, args);
          };
        },
      }),
  );
  return { chunks: observed, reads: () => reads };
}

function countingAllocations(run: () => void): number {
  const { allocUnsafeSlow } = Buffer;
  let bytes = 0;
  Buffer.allocUnsafeSlow = (size) => {
    bytes += size;
    return allocUnsafeSlow(size);
  };
  try {
    run();
  } finally {
    Buffer.allocUnsafeSlow = allocUnsafeSlow;
  }
  return bytes;
}
