/** Commands, pipelines, transactions; what is aborted, too late or too much; closing. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { RedisError, RedisServerError } from '../../../../src/codec/redis/index.js';
import { type Transport, tcpTransport } from '../../../../src/transport.js';
import {
  closeAll,
  connect,
  open,
  redisServer,
  rejection,
  SERVER_TIMEOUT_MS,
  serve,
  untilState,
  urlOf,
} from './support.js';

const MiB = 2 ** 20;

describe('codec/redis/client: commands', function () {
  this.timeout(SERVER_TIMEOUT_MS);
  const server = redisServer({ args: ['proto-max-bulk-len 512mb', 'timeout 0'] });
  afterEach(async () => {
    await closeAll();
    const client = await connect(urlOf(server.it));
    await client.command('FLUSHALL');
    await client.close();
  });

  it('give replies in the shapes of RESP3', async () => {
    const client = await connect(urlOf(server.it));
    expect(client.state).to.deep.equal({ name: 'ready', protocol: 3 });
    expect(await client.command('SET', 'k', 'ü')).to.equal('OK');
    expect(await client.command('GET', 'k')).to.equal('ü');
    expect(await client.send(['GET', 'k'], { blobs: 'buffer' })).to.deep.equal(Buffer.from('ü'));
    expect(await client.command('GET', 'none')).to.equal(null);
    expect(await client.command<number>('STRLEN', 'k')).to.equal(2);
    await client.command('HSET', 'h', 'a', 1);
    expect(await client.command('HGETALL', 'h')).to.deep.equal(new Map([['a', '1']]));
    await client.command('SADD', 's', 'x');
    expect(await client.command('SMEMBERS', 's')).to.deep.equal(new Set(['x']));
    await client.command('ZADD', 'z', 1.5, 'm');
    expect(await client.command('ZSCORE', 'z', 'm')).to.equal(1.5);
  });

  it('strings and bytes side by side: each reply in its own shape', async () => {
    const client = await connect(urlOf(server.it));
    await client.command('SET', 'k', 'v');
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, at) => client.send(['GET', 'k'], { blobs: at % 2 ? 'buffer' : 'string' })),
    );
    for (const [at, reply] of replies.entries()) expect(reply).to.deep.equal(at % 2 ? Buffer.from('v') : 'v');
  });

  it('over a Unix socket', async () => {
    const client = await connect(`unix://${server.it.socketPath}?db=1`);
    expect(await client.command('CLIENT', 'INFO')).to.match(/ db=1 /);
  });

  it('an error of the server rejects its own command alone', async () => {
    const client = await connect(urlOf(server.it));
    const [set, wrong, get] = await client.pipeline([
      ['SET', 'k', 'v'],
      ['LPUSH', 'k', 1],
      ['GET', 'k'],
    ]);
    expect([set, get]).to.deep.equal(['OK', 'v']);
    expect(wrong).to.be.instanceOf(RedisServerError).with.property('code', 'WRONGTYPE');
  });

  it('an argument that cannot be sent rejects its own command alone', async () => {
    const client = await connect(urlOf(server.it));
    const [bad, empty, good] = await client.pipeline([['SET', 'k', undefined as never], [], ['PING']]);
    expect(bad).to.be.instanceOf(RedisError).with.property('code', 'ERR_REDIS_BAD_VALUE');
    expect(empty).to.be.instanceOf(RedisError).with.property('code', 'ERR_REDIS_BAD_VALUE');
    expect(good).to.equal('PONG');
    const whole = client.transaction([
      ['INCR', 'k'],
      ['SET', 'k', {} as never],
    ]);
    expect((await rejection(whole)).code).to.equal('ERR_REDIS_BAD_VALUE');
    expect(await client.command('GET', 'k')).to.equal(null);
  });

  it('of one turn go out in one write', async () => {
    let writes = 0;
    const transport: Transport = async (address, options) => {
      const stream = await tcpTransport()(address, options);
      // What is written while it is corked goes to the kernel, or to TLS, in one.
      const uncork = stream.uncork.bind(stream);
      stream.uncork = () => {
        writes++;
        uncork();
      };
      return stream;
    };
    const client = await connect(urlOf(server.it), { transport });
    writes = 0;
    await Promise.all([
      client.command('SET', 'k', 1),
      client.command('INCR', 'k'),
      client.transaction([['INCR', 'k']]),
    ]);
    expect(writes).to.equal(1);
  });

  it('10,000 at once, each with its own reply', async () => {
    const client = open(urlOf(server.it));
    const replies = await Promise.all(Array.from({ length: 10_000 }, (_, at) => client.command('ECHO', `no ${at}`)));
    for (const [at, reply] of replies.entries()) if (reply !== `no ${at}`) expect.fail(`${at}: ${reply}`);
  });

  it('each has its own reply, whatever stands beside it', async () => {
    const client = await connect(urlOf(server.it));
    let number = 0;
    /** One way to ask, and what is to come of it. */
    const ways: Record<string, (text: string) => Promise<void>> = {
      text: async (text) => {
        expect(await client.command('ECHO', text)).to.equal(text);
      },
      bytes: async (text) => {
        const reply = await client.send(['ECHO', text], { blobs: 'buffer' });
        expect(reply).to.deep.equal(Buffer.from(text));
      },
      transaction: async (text) => {
        expect(await client.transaction([['ECHO', text], ['PING']])).to.deep.equal([text, 'PONG']);
      },
      refused: async (text) => {
        expect((await rejection(client.transaction([['NONSENSE', text]]))).code).to.equal('EXECABORT');
      },
      wrong: async (text) => {
        expect((await rejection(client.command('NONSENSE', text))).code).to.equal('ERR');
      },
      unsendable: async () => {
        expect((await rejection(client.command('ECHO', Number.NaN))).code).to.equal('ERR_REDIS_BAD_VALUE');
      },
      unsent: async (text) => {
        const abort = new AbortController();
        const reply = rejection(client.transaction([['ECHO', text]], { signal: abort.signal }));
        abort.abort();
        expect((await reply).name).to.equal('AbortError');
      },
      aborted: async (text) => {
        const abort = new AbortController();
        const reply = rejection(client.transaction([['ECHO', text]], { signal: abort.signal }));
        process.nextTick(() => abort.abort()); // sent, and not answered
        expect((await reply).name).to.equal('AbortError');
      },
    };
    const way = fc.constantFrom('pause', ...Object.keys(ways));
    const steps = fc.array(fc.tuple(way, fc.string({ unit: 'grapheme', maxLength: 300 })), { maxLength: 40 });
    const property = fc.asyncProperty(steps, async (each) => {
      const checks: (Promise<void> | undefined)[] = [];
      for (const [name, text] of each) {
        checks.push(ways[name]?.(`${number++} ${text}`));
        if (name === 'pause') await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all(checks);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it('large values both ways, and small ones behind them', async () => {
    const client = await connect(urlOf(server.it));
    const value = randomBytes(32 * MiB);
    const [set, get, ping] = await Promise.all([
      client.command('SET', 'large', value),
      client.send(['GET', 'large'], { blobs: 'buffer' }),
      client.command('PING'),
    ]);
    expect([set, ping]).to.deep.equal(['OK', 'PONG']);
    expect(value.equals(get as Buffer)).to.equal(true);
    const text = 'é'.repeat(4 * MiB);
    const [, back] = await client.pipeline([
      ['SET', 'text', text],
      ['GET', 'text'],
    ]);
    expect(back === text).to.equal(true);
  });

  it('a server that does not read: what cannot be written waits, and is known to be unsent', async () => {
    const url = await serve((socket) => socket.pause());
    const client = open(url, { limits: { queuedCommands: 100 } });
    const value = Buffer.alloc(MiB);
    const commands = Array.from({ length: 100 }, () => rejection(client.command('SET', 'k', value)));
    const surplus = await rejection(client.command('PING'));
    expect(surplus).to.include({ code: 'ERR_REDIS_QUEUE_FULL', retryable: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.destroy();
    expect(new Set((await Promise.all(commands)).map(({ code }) => code))).to.deep.equal(new Set(['ERR_REDIS_CLOSED']));
  });

  for (const command of [
    ...['SUBSCRIBE', 'PSUBSCRIBE', 'ssubscribe', 'UNSUBSCRIBE', 'MULTI', 'exec', 'DISCARD', 'HELLO', 'AUTH'],
    ...['SELECT', 'QUIT', 'RESET', 'MONITOR', 'SYNC', 'PSYNC', 'REPLCONF', 'CLIENT REPLY', 'client reply'],
  ]) {
    it(`refuse ${command}, and say why`, async () => {
      const client = await connect(urlOf(server.it));
      const args = [...command.split(' '), 'OFF'];
      for (const promise of [
        client.command(...args),
        client.command(Buffer.from(args[0] as string), ...args.slice(1)),
        client.transaction([args]),
      ]) {
        const error = await rejection(promise);
        expect(error.code).to.equal('ERR_REDIS_COMMAND_REFUSED');
        expect(error.message).to.match(/: [A-Z ]+: \w+/);
      }
      expect(await client.command('PING')).to.equal('PONG');
    });
  }

  describe('transactions', () => {
    it('give all replies, errors in their place', async () => {
      const client = await connect(urlOf(server.it));
      const replies = await client.transaction([
        ['SET', 'k', 'v'],
        ['LPUSH', 'k', 1],
        ['GET', 'k'],
      ]);
      expect(replies?.[1]).to.be.instanceOf(RedisServerError);
      expect([replies?.[0], replies?.[2]]).to.deep.equal(['OK', 'v']);
      expect(await client.transaction([])).to.deep.equal([]);
      expect(await client.send(['GET', 'k'])).to.equal('v');
      const bytes = await client.transaction([['GET', 'k']], { blobs: 'buffer' });
      expect(bytes).to.deep.equal([Buffer.from('v')]);
    });

    it('EXECABORT says which command was at fault; nothing ran', async () => {
      const client = await connect(urlOf(server.it));
      const error = await rejection(client.transaction([['INCR', 'k'], ['NONSENSE'], ['INCR']]));
      expect(error).to.be.instanceOf(RedisServerError).with.property('code', 'EXECABORT');
      expect((error.cause as Error).message).to.match(/unknown command 'NONSENSE'/);
      expect(await client.command('GET', 'k')).to.equal(null);
    });

    it('null where a watched key was changed', async () => {
      const [client, other] = [await connect(urlOf(server.it)), await connect(urlOf(server.it))];
      await client.command('WATCH', 'k');
      await other.command('SET', 'k', 'other');
      expect(await client.transaction([['SET', 'k', 'mine']])).to.equal(null);
      expect(await client.transaction([['GET', 'k']])).to.deep.equal(['other']);
      await client.command('WATCH', 'k');
      await other.command('SET', 'k', 'again');
      await client.command('UNWATCH');
      expect(await client.transaction([['SET', 'k', 'mine']])).to.deep.equal(['OK']);
    });

    it('null where the connection was lost since WATCH: it would run unwatched', async () => {
      const [client, other] = [
        await connect(urlOf(server.it), { limits: { reconnectMinMs: 1 } }),
        await connect(urlOf(server.it)),
      ];
      await client.command('WATCH', 'k');
      await other.command('CLIENT', 'KILL', 'ID', (await client.command('CLIENT', 'ID')) as number);
      await untilState(client, 'ready');
      await client.command('PING').catch(() => {});
      expect(await client.transaction([['SET', 'k', 'mine']])).to.equal(null);
      expect(await client.transaction([['SET', 'k', 'mine']])).to.deep.equal(['OK']);
    });

    it('MULTI refused: the caller hears that it was no transaction', async () => {
      const admin = await connect(urlOf(server.it));
      await admin.command('ACL', 'SETUSER', 'single', 'on', '>pw', '~*', '+@all', '-multi');
      const client = await connect(urlOf(server.it, { user: 'single:pw' }));
      const error = await rejection(client.transaction([['INCR', 'k']]));
      expect(error.code).to.equal('ERR_REDIS_TRANSACTION');
      expect(error.cause).to.be.instanceOf(RedisServerError).with.property('code', 'NOPERM');
      expect(await client.command('PING')).to.equal('PONG');
    });
  });

  describe('aborted or too late', () => {
    it('a reply that nobody waits for any more is dropped; the others keep theirs', async () => {
      const client = await connect(urlOf(server.it));
      const reason = new Error('enough');
      const abort = new AbortController();
      const blocked = client.send(['BLPOP', 'none', 0.2], { signal: abort.signal });
      const behind = client.command('ECHO', 'behind');
      setImmediate(() => abort.abort(reason));
      expect(await rejection(blocked)).to.equal(reason);
      expect(await behind).to.equal('behind');
      expect(await client.command('ECHO', 'later')).to.equal('later');
    });

    it('a timeout is the same, with a code', async () => {
      const client = await connect(urlOf(server.it), { commandTimeoutMs: 50 });
      const error = await rejection(client.command('BLPOP', 'none', 0.3));
      expect(error).to.include({ code: 'ERR_REDIS_COMMAND_TIMEOUT', retryable: false });
      expect(await client.send(['ECHO', 'x'], { timeoutMs: 5000 })).to.equal('x');
      const late = client.transaction([['BLPOP', 'none', 0]], { timeoutMs: 5000 });
      expect(await late).to.deep.equal([null]);
    });

    it('before it was sent it is not sent', async () => {
      const client = open(urlOf(server.it));
      const abort = new AbortController();
      const never = client.send(['INCR', 'k'], { signal: abort.signal });
      const kept = client.command('INCR', 'k');
      abort.abort();
      expect((await rejection(never)).name).to.equal('AbortError');
      expect(await kept).to.equal(1);
      expect((await rejection(client.send(['INCR', 'k'], { signal: abort.signal }))).name).to.equal('AbortError');
      expect(await client.command('GET', 'k')).to.equal('1');
    });

    it('while nothing is connected it is known to be unsent, and leaves its place to others', async () => {
      const client = open('redis://127.0.0.1:1', {
        connectAttempts: 1000,
        limits: { queuedCommands: 1, reconnectMinMs: 10_000 },
      });
      for (let round = 0; round < 3; round++) {
        const error = await rejection(client.send(['INCR', 'k'], { timeoutMs: 5 }));
        expect(error).to.include({ code: 'ERR_REDIS_COMMAND_TIMEOUT', retryable: true });
      }
    });

    it('nonsense as a timeout', async () => {
      const client = await connect(urlOf(server.it));
      const error = await rejection(client.send(['PING'], { timeoutMs: -1 }));
      expect(error.code).to.equal('ERR_REDIS_BAD_OPTION');
    });
  });

  describe('closing', () => {
    it('waits for the replies that are due', async () => {
      const client = open(urlOf(server.it));
      const commands = Promise.all([client.command('BLPOP', 'none', 0.1), client.command('INCR', 'k')]);
      await client.close();
      expect(await commands).to.deep.equal([null, 1]);
      expect(client.state).to.deep.equal({ name: 'closed', error: undefined });
      expect((await rejection(client.command('PING'))).code).to.equal('ERR_REDIS_CLOSED');
      await client.close();
    });

    it('within closeTimeoutMs', async () => {
      const client = await connect(urlOf(server.it), { limits: { closeTimeoutMs: 50 } });
      const blocked = rejection(client.command('BLPOP', 'none', 0));
      await client.close();
      expect((await blocked).code).to.equal('ERR_REDIS_CLOSED');
    });

    it('at once: everything that waits is rejected', async () => {
      const client = await connect(urlOf(server.it));
      const waiting = [client.command('BLPOP', 'none', 0), client.transaction([['PING']])].map(rejection);
      client.destroy();
      for (const error of await Promise.all(waiting)) expect(error.code).to.equal('ERR_REDIS_CLOSED');
    });

    it('before it is connected, without commands and with', async () => {
      const idle = open(urlOf(server.it));
      await idle.close();
      expect((await rejection(idle.ready)).code).to.equal('ERR_REDIS_CLOSED');
      const busy = open(urlOf(server.it));
      const pong = busy.command('PING');
      await busy.close();
      expect(await pong).to.equal('PONG');
    });

    it('while it waits to connect again', async () => {
      const client = open('redis://127.0.0.1:1', { connectAttempts: 9, limits: { reconnectMinMs: 10_000 } });
      const command = rejection(client.command('PING'));
      await untilState(client, 'waiting');
      await client.close();
      expect((await command).code).to.equal('ERR_REDIS_CLOSED');
    });
  });
});
