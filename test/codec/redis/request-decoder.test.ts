import { expect } from 'chai';
import { defaultRedisLimits, type RedisLimits, RequestDecoder } from '../../../src/codec/redis/index.js';
import { decodeRequests, expectError, raw, readOut, splitAt, splitEvery } from './resp.js';

const authenticated = { authenticated: true };

function withLimits(limits: Partial<RedisLimits>): { limits: RedisLimits; authenticated: true } {
  return { limits: { ...defaultRedisLimits, ...limits }, authenticated: true };
}

function words(requests: Buffer[][]): string[][] {
  return requests.map((args) => args.map((arg) => arg.toString('latin1')));
}

describe('codec/redis/request-decoder', () => {
  const valid: [string, string, string[][]][] = [
    ['a command', '*2\r\n$4\r\nLLEN\r\n$6\r\nmylist\r\n', [['LLEN', 'mylist']]],
    ['an empty argument', '*2\r\n$4\r\nECHO\r\n$0\r\n\r\n', [['ECHO', '']]],
    ['binary arguments', '*2\r\n$4\r\nECHO\r\n$4\r\n\xff\x00\r\n\r\n', [['ECHO', '\xff\x00\r\n']]],
    ['a command of nothing, which is passed over', '*0\r\n*1\r\n$4\r\nPING\r\n', [['PING']]],
    ['commands in one flight', '*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n', [['PING'], ['QUIT']]],
    ['an inline command', 'PING\r\n', [['PING']]],
    ['an inline command with LF alone', 'GET k\n', [['GET', 'k']]],
    ['an inline command with blanks', '  GET \t k  \r\n', [['GET', 'k']]],
    ['empty lines, which are passed over', '\r\n\n \r\nPING\r\n', [['PING']]],
    ['inline beside arrays', 'PING\r\n*1\r\n$4\r\nQUIT\r\nPING\r\n', [['PING'], ['QUIT'], ['PING']]],
    [
      'double quotes',
      'SET "a b" "\\x00\\xfF\\n\\r\\t\\b\\a\\"\\\\\\q\\xg"\r\n',
      [['SET', 'a b', '\x00\xff\n\r\t\b\x07"\\qxg']],
    ],
    ['single quotes', "SET 'a b' '\\n\\'\"'\r\n", [['SET', 'a b', '\\n\'"']]],
    ['empty quotes', 'SET "" \'\'\r\n', [['SET', '', '']]],
    ['quotes that begin within a word', 'SET k"a b"\r\n', [['SET', 'ka b']]],
    ['bytes that are not ASCII', 'GET \xc3\xa0\xa0 \xa0\x85\r\n', [['GET', '\xc3\xa0\xa0', '\xa0\x85']]],
  ];

  for (const [name, bytes, expected] of valid) {
    it(`${name}: whole, and at every split point`, () => {
      expect(words(decodeRequests(raw(bytes)))).to.deep.equal(expected);
      for (let at = 0; at <= bytes.length; at++) {
        expect(words(decodeRequests(splitAt(raw(bytes), at))), `split at ${at}`).to.deep.equal(expected);
      }
      for (let size = 1; size < 8; size++)
        expect(words(decodeRequests(splitEvery(raw(bytes), size)))).to.deep.equal(expected);
    });

    it(`${name}: nothing of a part`, () => {
      for (let length = 0; length < bytes.length; length++) {
        const some = words(decodeRequests(raw(bytes).subarray(0, length)));
        expect(some, `${length} bytes`).to.deep.equal(expected.slice(0, some.length));
        expect(some.length, `${length} bytes`).to.be.below(expected.length);
      }
    });
  }

  const invalid: [string, RegExp][] = [
    ['*-1\r\n', /length/],
    ['*+1\r\n', /length/],
    ['*01\r\n', /length/],
    ['*a\r\n', /length/],
    ['*\r\n', /length/],
    ['*1\n', /CR LF/],
    ['*1\r\n+PING\r\n', /bulk string/],
    ['*1\r\n*1\r\n', /bulk string/],
    ['*1\r\n:', /bulk string/],
    ['*1\r\n$-1\r\n', /length/],
    ['*1\r\n$04\r\nPING\r\n', /length/],
    ['*1\r\n$4\r\nPING!\n', /its length says/],
    ['GET "a\r\n', /quotes/],
    ['GET "a"b\r\n', /quotes/],
    ["GET 'a\r\n", /quotes/],
    ["GET 'a'b\r\n", /quotes/],
    ['GET "a\\\r\n', /quotes/],
    ['POST / HTTP/1.1\r\n', /HTTP/],
    ['post x\r\n', /HTTP/],
    ['GET / HTTP/1.1\r\n', /HTTP/],
    ['Host: example.test\r\n', /HTTP/],
    ['\x16\x03\x01\x02\x00', /TLS/],
    ['\x15', /TLS/],
    ['\x00\x00\x00\x08\x04\xd2\x16\x2f', /0x00/],
    ['\xff', /0xff/],
  ];

  for (const [bytes, message] of invalid) {
    it(`${JSON.stringify(bytes)} is refused at every split, and by every further call`, () => {
      for (let at = 0; at <= bytes.length; at++) {
        const decoder = new RequestDecoder();
        expectError(() => readOut(decoder, splitAt(raw(bytes), at)), 'ERR_REDIS_PROTOCOL', message);
        decoder.push(raw('PING\r\n'));
        expectError(() => decoder.next(), 'ERR_REDIS_PROTOCOL', message);
      }
    });
  }

  describe('limits before login', () => {
    it('are ten arguments of 16 KiB (CVE-2021-32675)', () => {
      const long = 'x'.repeat(16 * 1024);
      const most = `*10\r\n$4\r\nAUTH\r\n${`$${long.length}\r\n${long}\r\n`.repeat(9)}`;
      expect(decodeRequests(raw(most))).to.have.length(1);
      expectError(() => decodeRequests(raw('*11\r\n')), 'ERR_REDIS_TOO_LONG', /unauthenticatedArguments/);
      expectError(() => decodeRequests(raw('*1\r\n$16385\r\n')), 'ERR_REDIS_TOO_LONG', /unauthenticatedBytes/);
      expectError(() => decodeRequests(raw('1 2 3 4 5 6 7 8 9 0 1\r\n')), 'ERR_REDIS_TOO_LONG');
      expectError(() => decodeRequests(raw('x'.repeat(16_385))), 'ERR_REDIS_TOO_LONG');
      expectError(() => decodeRequests(splitEvery(raw('x'.repeat(16_385)), 64)), 'ERR_REDIS_TOO_LONG');
    });

    it('end with the login, for what came in the same flight too', () => {
      const decoder = new RequestDecoder();
      const mset = `*21\r\n$4\r\nMSET\r\n${'$1\r\na\r\n'.repeat(20)}`;
      decoder.push(raw(`*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n${mset}`));
      expect(decoder.next()?.[0]?.toString()).to.equal('AUTH');
      decoder.loginDone();
      expect(decoder.next()).to.have.length(21);
    });

    it('do not hold where no login is needed', () => {
      expect(decodeRequests(raw(`*11\r\n${'$1\r\na\r\n'.repeat(11)}`), authenticated)).to.have.length(1);
    });
  });

  describe('limits', () => {
    it('of arguments, lengths and lines', () => {
      expectError(() => decodeRequests(raw('*1048577\r\n'), authenticated), 'ERR_REDIS_TOO_LONG', /requestArguments/);
      expectError(
        () => decodeRequests(raw('*1\r\n$6\r\n'), withLimits({ bulkBytes: 5 })),
        'ERR_REDIS_TOO_LONG',
        /bulkBytes/,
      );
      expectError(() => decodeRequests(raw('x'.repeat(65_537)), authenticated), 'ERR_REDIS_TOO_LONG');
      expectError(() => decodeRequests(raw(`*${'0'.repeat(100)}`), authenticated), 'ERR_REDIS_TOO_LONG');
      expectError(() => decodeRequests(raw(`*1\r\n$${'0'.repeat(100)}`), authenticated), 'ERR_REDIS_TOO_LONG');
    });

    it('of one command, whatever it is made of; the next has its own', () => {
      const options = withLimits({ requestBytes: 2000 });
      const command = raw('*2\r\n$4\r\nECHO\r\n$1000\r\n'.concat('x'.repeat(1000), '\r\n'));
      expect(decodeRequests(Buffer.concat(new Array(10).fill(command)), options)).to.have.length(10);
      expectError(
        () => decodeRequests(raw('*2\r\n$4\r\nECHO\r\n$2000\r\n'), options),
        'ERR_REDIS_TOO_LONG',
        /requestBytes/,
      );
      expectError(() => decodeRequests(raw('*11\r\n'), options), 'ERR_REDIS_TOO_LONG', /requestBytes/);
    });
  });

  it('memory grows with what came, not with what was announced', () => {
    const decoders: RequestDecoder[] = [];
    const before = process.memoryUsage();
    for (const lie of ['*1000000\r\n', '*1000000\r\n$200000000\r\nx']) {
      for (let count = 0; count < 500; count++) {
        const decoder = new RequestDecoder(authenticated);
        decoder.push(raw(lie));
        expect(decoder.next()).to.equal(undefined);
        decoders.push(decoder);
      }
    }
    const after = process.memoryUsage();
    expect(decoders).to.have.length(1000);
    expect(after.heapUsed + after.external - before.heapUsed - before.external).to.be.below(16 * 1024 * 1024);
  });

  it('arguments are not changed by what comes later', () => {
    const one = raw(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000\r\n${'v'.repeat(3000)}\r\n`);
    for (const size of [1, 64, 1000]) {
      const all = decodeRequests(splitEvery(Buffer.concat([one, one, one]), size));
      for (const args of all) expect(words([args])).to.deep.equal([['SET', 'k', 'v'.repeat(3000)]]);
    }
  });

  it('counts the bytes that are not decoded', () => {
    const decoder = new RequestDecoder();
    decoder.push(raw('PING\r\nPI'));
    expect(decoder.buffered).to.equal(8);
    expect(decoder.next()).to.have.length(1);
    expect(decoder.buffered).to.equal(2);
  });
});
