/**
 * The same commands by ioredis and by this client, over RESP2: the same values. Over RESP3 the same in the shapes of
 * RESP3: a Map for pairs, a Set for sets, a number for a double, arrays of pairs for members with scores.
 */
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Argument, Reply } from '../../../../src/codec/redis/index.js';
import { closeAll, connect, redisServer, SERVER_TIMEOUT_MS, urlOf } from './support.js';

const BYTES = Buffer.from([0, 0xff, 0x0d, 0x0a, 0x80]);

/** Commands as text; arguments without spaces. */
const TEXTS = [
  'PING; PING hello; ECHO ü€😀; TYPE none; EXISTS a b',
  // Strings
  'SET a 1; GET a; GET none; SET a 2 NX; SET a 3 GET; INCR a; INCRBY a -10; DECR a; INCRBYFLOAT f 10.5; APPEND a x',
  'STRLEN a; INCR a; GETRANGE a 0 1; SETRANGE a 2 zz; MSET m1 1 m2 2; MGET m1 none m2; MSETNX m1 1 m3 3; GETSET m1 new',
  'GETDEL m2; GETEX m1; SETNX m1 1; SET big 9223372036854775806; INCR big; INCR big; LCS a m1; SUBSTR a 0 1',
  'SETBIT bits 7 1; GETBIT bits 7; BITCOUNT bits; BITPOS bits 1; BITFIELD bits GET u4 0 GET i8 0; BITOP NOT nb bits',
  // Keys
  'EXPIRE a 1000; TTL a; PERSIST a; TTL a; TTL none; PEXPIRE a 100000; TYPE a; RENAME a aa; RENAME none x; COPY aa a',
  'DEL aa none; UNLINK nb; OBJECT ENCODING big; TOUCH big none; DBSIZE; KEYS m?; EXPIRETIME big',
  // Lists
  'RPUSH l 1 2 3; LPUSH l 0; LRANGE l 0 -1; LLEN l; LINDEX l 9; LPOP l; LPOP l 2; LPOP none; LPOP none 2; RPUSH l a b a',
  'LPOS l a COUNT 0; LREM l 0 a; LSET l 0 z; LSET l 99 z; LINSERT l BEFORE z y; LMPOP 1 l LEFT; LMOVE l l2 LEFT RIGHT',
  'BLPOP l2 1; BLPOP none 0.01; LTRIM l 1 0; EXISTS l',
  // Hashes
  'HSET h a 1 b 2; HGET h a; HGET h x; HMGET h a x; HKEYS h; HVALS h; HGETALL h; HGETALL none; HINCRBY h a 5',
  'HINCRBYFLOAT h a 0.5; HLEN h; HDEL h b; HEXISTS h a; HSTRLEN h a; HRANDFIELD h; HRANDFIELD h 1 WITHVALUES; HSCAN h 0',
  // Sets
  'SADD s 1 2 3; SMEMBERS s; SMEMBERS none; SISMEMBER s 1; SMISMEMBER s 1 9; SCARD s; SADD t 3 4; SINTER s t; SDIFF s t',
  'SUNION s t; SINTERCARD 2 s t; SREM s 1',
  // Sorted sets
  'ZADD z 1 a 2.5 b inf c; ZSCORE z b; ZSCORE z c; ZSCORE z x; ZMSCORE z a x; ZRANGE z 0 -1; ZRANGE z 0 -1 WITHSCORES',
  'ZRANGEBYSCORE z -inf (2.5; ZRANK z b; ZRANK z x; ZINCRBY z 0.1 a; ZCOUNT z 1 3; ZPOPMIN z; ZPOPMAX z 2; ZPOPMIN z',
  'ZCARD z; ZADD z 1 a; ZADD z INCR 2 a; ZRANDMEMBER z 1 WITHSCORES; BZPOPMIN z 1; ZDIFF 1 z WITHSCORES',
  // Streams, geography, counting
  'XADD x 1-1 f v; XADD x 1-2 g w h y; XLEN x; XRANGE x - +; XADD x 1-1 f v; XREAD COUNT 1 STREAMS x 0; XREAD STREAMS x $',
  'XGROUP CREATE x g 0; XREADGROUP GROUP g me STREAMS x >; XPENDING x g; XACK x g 1-1; XINFO STREAM x; XINFO GROUPS x',
  'XDEL x 1-1; GEOADD geo 13.361389 38.115556 P 15.087269 37.502669 C; GEODIST geo P C km; GEOPOS geo P x',
  'GEOSEARCH geo FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHDIST; PFADD hll a b; PFCOUNT hll',
  // Every type, and errors
  'DEBUG PROTOCOL STRING; DEBUG PROTOCOL INTEGER; DEBUG PROTOCOL DOUBLE; DEBUG PROTOCOL NULL; DEBUG PROTOCOL ARRAY',
  'DEBUG PROTOCOL SET; DEBUG PROTOCOL MAP; DEBUG PROTOCOL BIGNUM; DEBUG PROTOCOL TRUE; DEBUG PROTOCOL FALSE',
  'DEBUG PROTOCOL VERBATIM; GET; NONSENSE a; LPUSH big 1; SET a 1 XX NX; EXPIRE a soon; OBJECT NOPE a; COMMAND COUNT',
  'COMMAND GETKEYS MSET a 1; CONFIG GET maxmemory; MEMORY USAGE none; WAIT 0 0; SCRIPT EXISTS x',
];

/** Every type that Lua can make. */
const SCRIPTS = [
  'return {1, "a", false, true, {2, {3}}, 3.9}',
  'return redis.error_reply("MY error")',
  'return redis.status_reply("FINE")',
  'return {}',
  'return redis.call("GET", "none")',
  'redis.setresp(3) return redis.call("HGETALL", "h")',
  'return {double=3.5}',
  'return {map={a=1}}',
  'return {big_number="123456789012345678901234567890"}',
  'redis.setresp(3) return true',
  'redis.setresp(3) return {set={a=true}}',
];

/** Run in this order from an empty server. */
const COMMANDS: readonly (readonly Argument[])[] = [
  ...TEXTS.flatMap((text) => text.split('; ')).map((text) => text.split(' ')),
  ...SCRIPTS.map((script) => ['EVAL', script, 0]),
  ['ECHO', ''],
  ['ECHO', BYTES],
  ['SET', 'bin', BYTES],
  ['GET', 'bin'],
  ['STRLEN', 'bin'],
];

describe('codec/redis/client: beside ioredis', function () {
  this.timeout(SERVER_TIMEOUT_MS);
  const server = redisServer();
  let peer: Redis;

  beforeEach(async () => {
    peer = new Redis({ port: server.it.port, host: '127.0.0.1', protocol: 2 });
    await peer.flushall();
  });
  afterEach(async () => {
    peer.disconnect();
    await closeAll();
  });

  async function byPeer(): Promise<unknown[]> {
    const values: unknown[] = [];
    for (const [name, ...args] of COMMANDS)
      values.push(await peer.callBuffer(String(name), ...args.map(asText)).catch(textOf));
    await peer.flushall();
    return values;
  }

  async function byClient(protocol: 2 | 3): Promise<unknown[]> {
    const client = await connect(urlOf(server.it), { protocol });
    const values: unknown[] = [];
    for (const command of COMMANDS) {
      values.push(await client.send(command, { blobs: 'buffer' }).catch(textOf));
    }
    return values;
  }

  it(`${COMMANDS.length} commands over RESP2: the same values`, async () => {
    expect(COMMANDS.length).to.be.greaterThan(100);
    const [theirs, ours] = [await byPeer(), await byClient(2)];
    for (const [at, command] of COMMANDS.entries()) {
      expect(plain(ours[at]), command.join(' ')).to.deep.equal(plain(theirs[at]));
    }
  });

  it('over RESP3: the same in the shapes of RESP3', async () => {
    const [theirs, ours] = [await byPeer(), await byClient(3)];
    const different: string[] = [];
    for (const [at, command] of COMMANDS.entries()) {
      const [their, our] = [flat(plain(theirs[at])), flat(plain(ours[at]))];
      if (JSON.stringify(their) !== JSON.stringify(our))
        different.push(`${command.join(' ')}: ${JSON.stringify(our)} for ${JSON.stringify(their)}`);
    }
    expect(different).to.deep.equal([]);
  });
});

function asText(value: Argument): string | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : String(value);
}

function textOf(error: Error): string {
  return `error: ${error.message}`;
}

/** As values that can be compared: bytes as text of one letter for each. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (value instanceof Error) return textOf(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...(value as Map<Reply, Reply>)].map((pair) => pair.map(plain));
  if (value instanceof Set) return [...(value as Set<Reply>)].map(plain);
  // ioredis rounds integers that are not safe.
  if (typeof value === 'bigint') return value === BigInt.asIntN(64, value) ? Number(value) : String(value);
  if (value !== null && typeof value === 'object') return Object.entries(value).map((pair) => pair.map(plain));
  return value;
}

/** What RESP2 makes of it: one array, all of it text. */
function flat(value: unknown): unknown {
  if (Array.isArray(value)) return value.flatMap((each) => flat(each));
  if (value === true) return '1';
  if (value === false) return '0';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (typeof value === 'string' && /^-?\d+\.\d+$/.test(value)) return String(Number(value)); // a double, written out
  return value === null ? null : String(value);
}
