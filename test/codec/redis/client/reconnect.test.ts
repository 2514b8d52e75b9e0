/** Connections that are lost, refused, or made again: nothing runs twice, nothing hangs. */
import { expect } from 'chai';
import { firstValueFrom, take, toArray } from 'rxjs';
import { backoffMs } from '../../../../src/codec/redis/client/backoff.js';
import { RedisClient } from '../../../../src/codec/redis/index.js';
import { defaultRedisLimits } from '../../../../src/codec/redis/limits.js';
import { closeAll, connect, redisServer, rejection, SERVER_TIMEOUT_MS, serve, urlOf } from './support.js';

const QUICK = { reconnectMinMs: 5, reconnectMaxMs: 20 };

describe('codec/redis/client: connecting again', function () {
  this.timeout(SERVER_TIMEOUT_MS);
  const server = redisServer();
  afterEach(closeAll);

  it('after a restart of the server; what was not sent goes out then', async () => {
    const client = await connect(urlOf(server.it), { limits: QUICK });
    const states = firstValueFrom(client.state$.pipe(take(4), toArray()));
    const lost = firstValueFrom(client.errors$);
    await server.it.restart();
    expect(await lost).to.have.property('code', 'ERR_REDIS_CONNECTION_LOST');
    expect(await Promise.all([client.command('INCR', 'r'), client.command('INCR', 'r')])).to.deep.equal([1, 2]);
    expect((await states).map(({ name }) => name).slice(0, 3)).to.deep.equal(['ready', 'waiting', 'connecting']);
  });

  it('what was sent and not answered is rejected, and never sent again', async () => {
    const admin = await connect(urlOf(server.it));
    const client = await connect(urlOf(server.it), { limits: QUICK });
    await admin.command('DEL', 'count');
    let resolved = 0;
    let rejected = 0;
    let rounds = 0;
    // Whether replies are lost is up to chance; without any this would show nothing.
    while (rounds < 20 || (rejected === 0 && rounds < 500)) {
      rounds++;
      const id = await client.command<number>('CLIENT', 'ID');
      const commands = Array.from({ length: 50 }, (_, at) =>
        at === 40 ? client.transaction([['INCR', 'count']]) : client.command('INCR', 'count'),
      );
      const killed = admin.command('CLIENT', 'KILL', 'ID', id);
      for (const outcome of await Promise.allSettled(commands)) {
        if (outcome.status === 'fulfilled') resolved++;
        else {
          rejected++;
          expect(outcome.reason).to.include({ code: 'ERR_REDIS_CONNECTION_LOST', retryable: false });
        }
      }
      await killed;
      await client.command('PING').catch(() => {}); // the connection's end may not have come
    }
    const count = Number(await admin.command('GET', 'count'));
    expect(resolved + rejected).to.equal(50 * rounds);
    expect(rejected).to.be.greaterThan(0);
    expect(count).to.be.within(resolved, resolved + rejected);
  });

  it('a command that blocks is rejected too', async () => {
    const client = await connect(urlOf(server.it), { limits: QUICK });
    const killer = await connect(urlOf(server.it));
    const blocked = rejection(client.command('BLPOP', 'nothing', 0));
    await killer.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    expect(await blocked).to.include({ code: 'ERR_REDIS_CONNECTION_LOST', retryable: false });
  });

  it('SHUTDOWN has no reply but the end', async () => {
    const client = await connect(urlOf(server.it), { limits: QUICK });
    const error = await rejection(client.command('SHUTDOWN', 'NOSAVE'));
    expect(error.code).to.equal('ERR_REDIS_CONNECTION_LOST');
    const waiting = client.command('PING');
    await server.it.restart();
    expect(await waiting).to.equal('PONG');
  });

  it('gives up after reconnectAttempts; what was not sent says so', async () => {
    const client = await connect(urlOf(server.it), { limits: QUICK, reconnectAttempts: 3 });
    const errors = firstValueFrom(client.errors$.pipe(take(4), toArray()));
    await rejection(client.command('SHUTDOWN', 'NOSAVE'));
    const unsent = await rejection(client.command('INCR', 'x'));
    expect(unsent).to.include({ code: 'ERR_REDIS_CONNECTION_LOST', retryable: true });
    expect((await errors).map((error) => (error as NodeJS.ErrnoException).code)).to.deep.equal([
      'ERR_REDIS_CONNECTION_LOST',
      ...Array(3).fill('ECONNREFUSED'),
    ]);
    expect(client.state.name).to.equal('closed');
    const after = await rejection(client.command('PING'));
    expect(after.code).to.equal('ERR_REDIS_CLOSED');
    expect(after.cause).to.have.property('code', 'ECONNREFUSED');
    await server.it.restart();
  });

  it('a first connection is tried once, unless asked otherwise', async () => {
    const error = await rejection(RedisClient.connect('redis://127.0.0.1:1'));
    expect(error.code).to.equal('ECONNREFUSED');
    let connections = 0;
    const url = await serve((socket) => {
      if (++connections < 3) socket.destroy();
      else socket.once('data', () => socket.write('%0\r\n-ERR no\r\n-ERR no\r\n'));
    });
    await connect(url, { connectAttempts: 3, limits: QUICK });
    expect(connections).to.equal(3);
  });

  it('a login that is refused later rejects what waits, and is tried again', async () => {
    const admin = await connect(urlOf(server.it));
    await admin.command('ACL', 'SETUSER', 'eve', 'on', '>one', '~*', '+@all');
    let password = 'one';
    const client = await connect(urlOf(server.it), { username: 'eve', password: () => password, limits: QUICK });
    await admin.command('ACL', 'SETUSER', 'eve', '<one', '>two');
    const lost = firstValueFrom(client.errors$);
    await admin.command('CLIENT', 'KILL', 'USER', 'eve');
    await lost;
    expect((await rejection(client.command('PING'))).code).to.equal('WRONGPASS');
    password = 'two';
    const deadline = Date.now() + 20_000;
    let pong: unknown;
    while (pong !== 'PONG' && Date.now() < deadline) pong = await client.command('PING').catch(() => undefined);
    expect(pong).to.equal('PONG');
  });

  it('connect can be aborted', async () => {
    const url = await serve(() => {});
    const reason = new Error('enough');
    const abort = new AbortController();
    const connecting = RedisClient.connect(url, { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 20);
    expect(await rejection(connecting)).to.equal(reason);
    expect(await rejection(RedisClient.connect(url, { signal: abort.signal }))).to.equal(reason);
  });

  it('waits longer each time, by chance, and no longer than the limit', () => {
    const limits = { ...defaultRedisLimits, reconnectMinMs: 10, reconnectMaxMs: 1000 };
    for (let failures = 1; failures < 2000; failures++) {
      const ceiling = Math.min(1000, 10 * 2 ** (failures - 1));
      expect(backoffMs(failures, limits)).to.be.within(ceiling / 2, ceiling);
    }
  });
});
