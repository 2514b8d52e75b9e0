/**
 * The same bytes through our decoder and through those of @redis/client and ioredis; the same commands to a redis-server
 * directly and through a proxy that decodes and encodes all that passes.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import {
  Push,
  type Reply,
  ReplyDecoder,
  ReplyEncoder,
  RequestDecoder,
  RequestEncoder,
} from '../../../src/codec/redis/index.js';
import { type RedisServer, requirePart, startRedis } from '../../servers/index.js';
import { Random } from '../../simulator/random.js';
import { decodeReplies, raw, splitEvery } from './resp.js';
import { decodeTheirs, theirNames } from './theirs.js';
import { vectors } from './vectors.js';

const seed = process.env.TURBOTLS_SEED ?? String(Math.floor(Math.random() * 2 ** 32));

/** Values as both sides have them: errors by their text, pushes as arrays, all integers as text. */
function common(value: unknown): unknown {
  if (value instanceof Error) return { error: value.message };
  if (value instanceof Push) return [value.kind, ...value.data].map(common);
  if (Buffer.isBuffer(value)) return value.toString();
  if (value instanceof Map) return { map: [...value].map(([key, item]) => [common(key), common(item)]) };
  if (value instanceof Set) return { set: [...value].map(common) };
  if (Array.isArray(value)) return value.map(common);
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'number' ? String(value) : value;
}

/** What theirs do not know, or lose: attributes, streams, integers of over 15 digits, other words for infinity and not a number. */
const theirGaps =
  /^(attribute|streamed|integer, the (first|largest|smallest)|double, not a number, before|integer, minus)/;

describe('codec/redis, beside other decoders', () => {
  for (const name of theirNames) {
    const shared = vectors.filter(({ name }) => !theirGaps.test(name));

    for (const { name: what, bytes } of shared) {
      it(`${name}: ${what}`, () => {
        expect(decodeReplies(raw(bytes)).map(common)).to.deep.equal(decodeTheirs(name, [raw(bytes)]).map(common));
      });
    }

    it(`${name}: random replies, in chunks of every size up to 64`, () => {
      const random = new Random(`${seed} replies`);
      for (let size = 1; size <= 64; size++) {
        const bytes = raw(Array.from({ length: 20 }, () => randomReply(random, 4)).join(''));
        const chunks = splitEvery(bytes, size);
        const expected = decodeTheirs(name, [bytes]).map(common);
        expect(decodeReplies(chunks).map(common), `TURBOTLS_SEED=${seed}, ${size} bytes`).to.deep.equal(expected);
      }
    });
  }
});

function randomReply(random: Random, depth: number): string {
  const text = 'abc déf\t'.repeat(random.int(4));
  const many = depth > 0 ? 12 : 8;
  switch (random.int(many)) {
    case 0:
      return `+${raw(text).toString('latin1')}\r\n`;
    case 1:
      return `-ERR ${text}\r\n`;
    case 2:
      return `:${random.chance(0.5) ? '-' : ''}${1 + random.int(2 ** random.int(40))}\r\n`;
    case 3:
      return random.pick(['$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', '#f\r\n', '$0\r\n\r\n']);
    case 4:
      return `,${random.pick(['inf', '-inf', 'nan', '1', '-2.5', '1e10', '0.03125'])}\r\n`;
    case 5:
      return `(${random.chance(0.5) ? '-' : ''}${1 + random.int(1e9)}${'0'.repeat(random.int(30))}\r\n`;
    case 6:
      return `=${text.length + 4}\r\ntxt:${text}\r\n`;
    case 7: {
      const bytes = `${text}\r\n`.repeat(random.int(10));
      return `$${bytes.length}\r\n${bytes}\r\n`;
    }
    case 8:
    case 9:
      return aggregate(random, depth, '*', 1);
    case 10:
      return aggregate(random, depth, '~', 1);
    default:
      return aggregate(random, depth, '%', 2);
  }
}

function aggregate(random: Random, depth: number, type: string, each: number): string {
  const count = random.int(5);
  return `${type}${count}\r\n${Array.from({ length: count * each }, () => randomReply(random, depth - 1)).join('')}`;
}

describe('codec/redis, with a redis-server', function () {
  this.timeout(60_000);
  let server: RedisServer;
  let proxy: RedisProxy;

  before(async function () {
    requirePart(this, 'redis-server');
    server = await startRedis();
    proxy = await RedisProxy.start(server);
  });
  after(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  const commands: (string | number | Buffer)[][] = [
    ['PING'],
    ['SET', 'k', 'é€'],
    ['GET', 'k'],
    ['GET', 'no such key'],
    ['SET', 'binary', Buffer.from([0, 255, 13, 10])],
    ['STRLEN', 'binary'],
    ['INCRBY', 'n', 9_007_199_254_740],
    ['RPUSH', 'list', ...new Array(200).fill('element')],
    ['LRANGE', 'list', 0, -1],
    ['HSET', 'hash', 'a', 1, 'b', 2],
    ['HGETALL', 'hash'],
    ['SADD', 'set', 'a'],
    ['SMEMBERS', 'set'],
    ['ZADD', 'scores', 1.5, 'a', Infinity, 'b'],
    ['ZRANGE', 'scores', 0, -1, 'WITHSCORES'],
    ['LPUSH', 'k', 'a'],
    ['NO SUCH COMMAND'],
    ['EVAL', "return {1, {2, 'three', {ok='four'}, {err='ERR five'}}, false}", 0],
    ['EVAL', 'redis.setresp(3); return {map={a=1}, double=1.5}', 0],
    ['COMMAND', 'COUNT'],
    ['COMMAND', 'INFO', 'get', 'set'],
    ['XADD', 'stream', '1-1', 'field', 'value'],
    ['XRANGE', 'stream', '-', '+'],
    ['MULTI'],
    ['SET', 'k', 'v'],
    ['LPUSH', 'k', 'a'],
    ['EXEC'],
    ['SET', 'large', Buffer.alloc(300_000, 'large ')],
    ['GET', 'large'],
    ['DEBUG', 'PROTOCOL', 'string'],
    ['DEBUG', 'PROTOCOL', 'integer'],
    ['DEBUG', 'PROTOCOL', 'double'],
    ['DEBUG', 'PROTOCOL', 'null'],
    ['DEBUG', 'PROTOCOL', 'array'],
    ['DEBUG', 'PROTOCOL', 'set'],
    ['DEBUG', 'PROTOCOL', 'map'],
    ['DEBUG', 'PROTOCOL', 'bignum'],
    ['DEBUG', 'PROTOCOL', 'verbatim'],
    ['DEBUG', 'PROTOCOL', 'true'],
    ['DEBUG', 'PROTOCOL', 'false'],
  ];

  for (const protocol of [2, 3]) {
    it(`decodes what RESP${protocol} commands give, as others do, however it is split`, async () => {
      const all = [['HELLO', protocol], ['FLUSHALL'], ...commands];
      const bytes = await converse(server, all);
      const ours = decodeReplies(bytes);
      expect(ours).to.have.length(all.length);
      for (const name of theirNames) expect(ours.map(common)).to.deep.equal(decodeTheirs(name, [bytes]).map(common));
      for (const size of [1, 7, 64, 4096]) {
        expect(decodeReplies(splitEvery(bytes, size)).map(common)).to.deep.equal(ours.map(common));
      }
    });
  }

  it('decodes attributes and pushes of RESP3', async () => {
    const bytes = await converse(server, [
      ['HELLO', 3],
      ['DEBUG', 'PROTOCOL', 'attrib'],
      ['SUBSCRIBE', 'channel'],
    ]);
    const decoder = new ReplyDecoder();
    decoder.push(bytes);
    expect(decoder.next()).to.be.instanceOf(Map);
    expect(decoder.next()).to.equal('Some real reply following the attribute');
    expect(decoder.attributes?.get('key-popularity')).to.deep.equal(['key:123', 90]);
    expect(decoder.next()).to.deep.equal(new Push('subscribe', ['channel', 1]));
  });

  for (const protocol of [2, 3] as const) {
    it(`passes a client that speaks RESP${protocol} through, both ways`, async () => {
      const direct = await callAll(server.port, protocol);
      const before = proxy.commands;
      expect(await callAll(proxy.port, protocol)).to.deep.equal(direct);
      expect(proxy.commands - before).to.be.above(commands.length);
    });
  }

  /** What ioredis gives of all commands, and of a subscription. */
  async function callAll(port: number, protocol: 2 | 3): Promise<unknown[]> {
    const { host } = server;
    const redis = new Redis({ host, port, protocol, enableReadyCheck: false, retryStrategy: () => null });
    redis.on('error', () => {});
    try {
      await redis.flushall();
      const settled = await Promise.allSettled(commands.map(([name, ...args]) => redis.call(String(name), ...args)));
      const outcomes = settled.map((outcome) => ('value' in outcome ? outcome.value : outcome.reason.message));
      return [...outcomes, await subscribed(redis)];
    } finally {
      redis.disconnect();
    }
  }
});

/** One message, by a subscription of its own. */
async function subscribed(redis: Redis): Promise<unknown> {
  const subscriber = redis.duplicate();
  try {
    await subscriber.subscribe('channel');
    const message = once(subscriber, 'message');
    await redis.publish('channel', 'hello');
    return await message;
  } finally {
    subscriber.disconnect();
  }
}

/** Sends all commands in one flight, then QUIT, and gives all that comes before the answer to that. */
async function converse({ host, port }: RedisServer, commands: (string | number | Buffer)[][]): Promise<Buffer> {
  const socket = connect(port, host);
  const encoder = new RequestEncoder();
  for (const command of [...commands, ['QUIT']]) encoder.add(command);
  for (const chunk of encoder.take()) socket.write(chunk);
  const chunks: Buffer[] = await socket.toArray();
  const bytes = Buffer.concat(chunks);
  const end = bytes.lastIndexOf('+OK\r\n');
  return bytes.subarray(0, end);
}

/** Stands before a redis-server: decodes and encodes again all requests and replies. */
class RedisProxy {
  commands = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(redis: RedisServer) {
    this.#server = createServer((client) => this.#serve(client, connect(redis.port, redis.host)));
  }

  static async start(redis: RedisServer): Promise<RedisProxy> {
    const proxy = new RedisProxy(redis);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(client: Socket, redis: Socket): void {
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
    const requests = { decoder: new RequestDecoder({ authenticated: true }), encoder: new RequestEncoder() };
    const replies = {
      decoder: new ReplyDecoder({ blobs: 'buffer', pushBlobs: 'buffer' }),
      encoder: new ReplyEncoder(),
    };
    client.on('data', (chunk) => {
      requests.decoder.push(chunk);
      for (let args = requests.decoder.next(); args; args = requests.decoder.next()) {
        this.commands++;
        if (String(args[0]).toLowerCase() === 'hello') replies.encoder.protocol = Number(args[1]) === 3 ? 3 : 2;
        requests.encoder.add(args);
      }
      for (const bytes of requests.encoder.take()) redis.write(bytes);
    });
    redis.on('data', (chunk) => {
      replies.decoder.push(chunk);
      for (
        let reply: Reply | Push | undefined = replies.decoder.next();
        reply !== undefined;
        reply = replies.decoder.next()
      ) {
        replies.encoder.reply(reply);
      }
      for (const bytes of replies.encoder.take()) client.write(bytes);
    });
  }
}
