/** Pub/sub over RESP3, on the connection of the commands, and over RESP2, on one of its own; pushes. */
import { expect } from 'chai';
import { firstValueFrom, type Observable, Subject, take, toArray } from 'rxjs';
import {
  type Message,
  type RedisClient,
  type RedisClientOptions,
  RedisError,
  RedisServerError,
} from '../../../../src/codec/redis/index.js';
import { closeAll, connect, open, redisServer, rejection, SERVER_TIMEOUT_MS, urlOf } from './support.js';

const QUICK = { reconnectMinMs: 5, reconnectMaxMs: 20 };

describe('codec/redis/client: subscriptions', function () {
  this.timeout(SERVER_TIMEOUT_MS);
  const server = redisServer({ acl: ['mute on >pw ~* resetchannels &allowed +@all'] });
  afterEach(closeAll);

  for (const protocol of [3, 2] as const) {
    describe(`RESP${protocol}`, () => {
      let client: RedisClient;
      let publisher: RedisClient;

      beforeEach(async () => {
        client = await connect(urlOf(server.it), { protocol, limits: QUICK });
        publisher = await connect(urlOf(server.it));
      });

      /** Listens; resolves when the server has confirmed. */
      async function listen<T>(make: (onActive: () => void) => Observable<T>): Promise<Listening<T>> {
        const active = new Subject<void>();
        const values: T[] = [];
        const confirmed = firstValueFrom(active);
        const subscription = make(() => active.next()).subscribe((value) => values.push(value));
        await confirmed;
        return { values, active, stop: () => subscription.unsubscribe() };
      }

      function published(channel: string, payload: string | Buffer): Promise<number> {
        return publisher.command<number>('PUBLISH', channel, payload);
      }

      /** Until what was published before has come: the replies of commands come behind it over RESP3 only. */
      async function settle(done: () => boolean): Promise<void> {
        for (let tries = 0; !done() && tries < 1000; tries++) await new Promise((resolve) => setTimeout(resolve, 2));
      }

      it('messages of channels, patterns and shard channels; commands go on beside them', async () => {
        const news = await listen((onActive) => client.subscribe('news', { onActive }));
        const all = await listen((onActive) => client.psubscribe('n*', { onActive }));
        const shard = await listen((onActive) => client.ssubscribe('shard', { onActive }));
        expect(await published('news', 'ü')).to.equal(2);
        await publisher.command('SPUBLISH', 'shard', 's');
        expect(await client.command('ECHO', 'x')).to.equal('x');
        await settle(() => shard.values.length > 0);
        expect(news.values).to.deep.equal([{ channel: 'news', pattern: undefined, payload: 'ü' }]);
        expect(all.values).to.deep.equal([{ channel: 'news', pattern: 'n*', payload: 'ü' }]);
        expect(shard.values).to.deep.equal([{ channel: 'shard', pattern: undefined, payload: 's' }]);
      });

      it('payloads as bytes beside payloads as text', async () => {
        const bytes = await listen((onActive) => client.subscribe('b', { onActive, blobs: 'buffer' }));
        const text = await listen((onActive) => client.subscribe('b', { onActive }));
        const payload = Buffer.from([0xff, 0, 0x0d, 0x0a]);
        await published('b', payload);
        await settle(() => text.values.length > 0);
        expect(bytes.values[0]?.payload.equals(payload)).to.equal(true);
        expect(text.values[0]?.payload).to.equal(payload.toString());
      });

      it('one subscription for all who listen, ended by the last', async () => {
        const first = await listen((onActive) => client.subscribe('c', { onActive }));
        const second = await listen((onActive) => client.subscribe('c', { onActive }));
        const numbers = () => publisher.command('PUBSUB', 'NUMSUB', 'c');
        expect(await published('c', '1')).to.equal(1);
        await settle(() => first.values.length === 1);
        first.stop();
        expect(await published('c', '2')).to.equal(1);
        await settle(() => second.values.length === 2);
        expect(first.values.map(({ payload }) => payload)).to.deep.equal(['1']);
        second.stop();
        for (let tries = 0; tries < 1000 && (await published('c', '3')) > 0; tries++);
        expect(await numbers()).to.deep.equal(['c', 0]);
        const again = await listen((onActive) => client.subscribe('c', { onActive }));
        expect(await published('c', '4')).to.equal(1);
        await settle(() => again.values.length > 0);
        expect(again.values.map(({ payload }) => payload)).to.deep.equal(['4']);
      });

      it('on and off in one turn, and a name that is not well-formed', async () => {
        for (let round = 0; round < 20; round++) client.subscribe('flicker').subscribe().unsubscribe();
        const odd = await listen((onActive) => client.subscribe('\ud800', { onActive }));
        expect(await published('\ufffd', 'x')).to.equal(1);
        await settle(() => odd.values.length > 0);
        expect(odd.values[0]?.channel).to.equal('\ufffd');
        expect(await client.command('PING')).to.equal('PONG');
      });

      it('are made again after the connection was lost', async () => {
        const news = await listen((onActive) => client.subscribe('news', { onActive }));
        for (let round = 0; round < 3; round++) {
          const active = firstValueFrom(news.active);
          await publisher.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
          await active;
          expect(await published('news', `${round}`)).to.equal(1);
        }
        await settle(() => news.values.length === 3);
        expect(news.values.map(({ payload }) => payload)).to.deep.equal(['0', '1', '2']);
      });

      it('10,000 channels', async () => {
        let active = 0;
        const received = new Set<string>();
        for (let at = 0; at < 10_000; at++) {
          client
            .subscribe(`many:${at}`, { onActive: () => active++ })
            .subscribe(({ channel }) => received.add(channel));
        }
        await settle(() => active === 10_000);
        await publisher.pipeline(Array.from({ length: 10_000 }, (_, at) => ['PUBLISH', `many:${at}`, 'x']));
        await settle(() => received.size === 10_000);
        expect(received.size).to.equal(10_000);
      });

      it('complete when the client is closed, error when it gives up', async () => {
        const values = firstValueFrom(client.subscribe('x').pipe(toArray()));
        await client.command('PING');
        await client.close();
        expect(await values).to.deep.equal([]);
        const late = rejection(firstValueFrom(client.subscribe('x')));
        expect(await late)
          .to.be.instanceOf(RedisError)
          .with.property('code', 'ERR_REDIS_CLOSED');
        const hopeless = open('redis://127.0.0.1:1', { protocol });
        expect((await rejection(firstValueFrom(hopeless.subscribe('x')))).code).to.equal('ECONNREFUSED');
      });

      it('that the server refuses end with its error; the others go on', async () => {
        const options: RedisClientOptions = { protocol, username: 'mute', password: 'pw', limits: QUICK };
        const mute = await connect(urlOf(server.it), options);
        const allowed = await listen((onActive) => mute.subscribe('allowed', { onActive }));
        const error = await rejection(firstValueFrom(mute.subscribe('forbidden')));
        expect(error).to.be.instanceOf(RedisServerError).with.property('code', 'NOPERM');
        expect(await published('allowed', 'x')).to.equal(1);
        await settle(() => allowed.values.length > 0);
        expect(allowed.values).to.have.lengthOf(1);
        expect(await mute.command('PING')).to.equal('PONG');
      });

      it('before the client is connected', async () => {
        const early = open(urlOf(server.it), { protocol });
        const active = new Subject<void>();
        const confirmed = firstValueFrom(active);
        const message = firstValueFrom(early.subscribe('early', { onActive: () => active.next() }));
        await confirmed;
        await published('early', 'x');
        expect((await message).payload).to.equal('x');
      });
    });
  }

  it('pushes that are no messages: client-side caching', async () => {
    const client = await connect(urlOf(server.it));
    const other = await connect(urlOf(server.it));
    await client.command('CLIENT', 'TRACKING', 'ON');
    await client.command('GET', 'cached');
    const push = firstValueFrom(client.pushes$.pipe(take(1)));
    await other.command('SET', 'cached', 1);
    const { kind, data } = await push;
    expect(kind).to.equal('invalidate');
    expect(data).to.deep.equal([[Buffer.from('cached')]]);
  });

  it('pushes in the middle of replies of both shapes', async () => {
    const client = await connect(urlOf(server.it));
    const messages: Message[] = [];
    const active = new Subject<void>();
    const confirmed = firstValueFrom(active);
    client.subscribe('self', { onActive: () => active.next() }).subscribe((message) => messages.push(message));
    await confirmed;
    const replies = await Promise.all(
      Array.from({ length: 300 }, (_, at) => [
        client.command('PUBLISH', 'self', at),
        client.send(['ECHO', at], { blobs: at % 2 ? 'buffer' : 'string' }),
      ]).flat(),
    );
    for (let at = 0; at < 300; at++) {
      expect(replies[2 * at]).to.equal(1);
      expect(replies[2 * at + 1]).to.deep.equal(at % 2 ? Buffer.from(`${at}`) : `${at}`);
    }
    expect(messages.map(({ payload }) => payload)).to.deep.equal(Array.from({ length: 300 }, (_, at) => `${at}`));
  });
});

interface Listening<T> {
  values: T[];
  active: Subject<void>;
  stop(): void;
}
