import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { firstValueFrom, type Subscription, toArray } from 'rxjs';
import { type PgNotification, PgServerError } from '../../../../src/codec/pg/index.js';
import { rejection, withPostgres } from './support.js';

describe('PgClient: listening, cancelling, closing', () => {
  const suite = withPostgres({ version: 18 });

  describe('listen', () => {
    it('gives what is notified while somebody is subscribed', async () => {
      const [listener, notifier] = await Promise.all([suite.connect(), suite.connect()]);
      const seen: PgNotification[] = [];
      const subscriptions = [0, 1].map(() => listener.listen('My "channel"').subscribe((n) => seen.push(n)));
      await listener.query('SELECT 1');
      await notifier.query(`SELECT pg_notify('My "channel"', $1)`, ['first']);
      await listener.query('SELECT 1');
      expect(seen.map(({ channel, payload }) => [channel, payload])).to.deep.equal([
        ['My "channel"', 'first'],
        ['My "channel"', 'first'],
      ]);
      const { rows } = await notifier.query('SELECT pg_backend_pid() AS pid');
      expect(seen[0]?.processId).to.equal(rows[0]?.pid);
      for (const subscription of subscriptions) subscription.unsubscribe();
      expect((await listener.query('SELECT * FROM pg_listening_channels()')).rows).to.deep.equal([]);
    });

    it('sends LISTEN once for all who subscribe, and again after the last has left', async () => {
      const client = await suite.connect();
      const listening = async () => (await client.query('SELECT * FROM pg_listening_channels() c')).rows.length;
      const [a, b] = [client.listen('c').subscribe(), client.listen('c').subscribe()] as Subscription[];
      expect(await listening()).to.equal(1);
      a?.unsubscribe();
      expect(await listening()).to.equal(1);
      b?.unsubscribe();
      expect(await listening()).to.equal(0);
      const again = firstValueFrom(client.listen('c'));
      await client.query("NOTIFY c, 'again'");
      expect((await again).payload).to.equal('again');
    });

    it('completes when the client is closed, fails when the connection is lost', async () => {
      const client = await suite.connect();
      const all = firstValueFrom(client.listen('c').pipe(toArray()));
      await client.query("NOTIFY c, 'one'");
      await client.close();
      expect((await all).map(({ payload }) => payload)).to.deep.equal(['one']);
      const lost = await suite.connect();
      const failing = rejection(firstValueFrom(lost.listen('c')));
      const { rows } = await lost.query('SELECT pg_backend_pid() AS pid');
      await suite.server.sql(`SELECT pg_terminate_backend(${rows[0]?.pid})`);
      expect((await failing).code).to.equal('ERR_PG_CONNECTION_LOST');
      expect((await rejection(firstValueFrom(lost.listen('c')))).code).to.equal('ERR_PG_CONNECTION_LOST');
    });

    it('fails where LISTEN does', async () => {
      const client = await suite.connect();
      await client.query('BEGIN');
      await client.query('nonsense').catch(() => {});
      expect((await rejection(firstValueFrom(client.listen('c')))).code).to.equal('25P02');
    });
  });

  it('gives notices', async () => {
    const client = await suite.connect();
    const notice = firstValueFrom(client.notices$);
    await client.query("DO $$ BEGIN RAISE NOTICE 'look' USING HINT = 'here'; END $$");
    expect(await notice).to.include({ M: 'look', H: 'here', V: 'NOTICE' });
  });

  it('tells what the server reports', async () => {
    const client = await suite.connect({ application_name: 'tests' });
    expect(client.parameters.get('application_name')).to.equal('tests');
    expect(client.parameters.get('server_version')).to.match(/^18/);
    await client.query("SET application_name = 'other'");
    expect(client.parameters.get('application_name')).to.equal('other');
  });

  describe('cancelling', () => {
    it('by a signal ends the query on the server, and no other', async () => {
      const client = await suite.connect();
      const controller = new AbortController();
      const sleeping = client.query('SELECT pg_sleep(60)', [], { signal: controller.signal });
      const behind = client.query('SELECT 1 AS n');
      setTimeout(() => controller.abort(), 100);
      expect((await rejection(sleeping)).name).to.equal('AbortError');
      expect((await behind).rows).to.deep.equal([{ n: 1 }]);
      const { length } = await suite.server.sql(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%' AND state = 'active'",
      );
      expect(length).to.equal(0);
    });

    it('hits no neighbour, however often it is done', async () => {
      const client = await suite.connect();
      for (let i = 0; i < 50; i++) {
        const controller = new AbortController();
        const cancelled = client
          .query('SELECT pg_sleep($1)', [i % 2 ? 0.002 : 0], { signal: controller.signal })
          .catch((error: Error) => error);
        const neighbours = [client.query('SELECT 1'), client.query('SELECT pg_sleep(0.001)')];
        setTimeout(() => controller.abort(), i % 4);
        await Promise.all([cancelled, ...neighbours]);
      }
    });

    it('before it was sent never sends it', async () => {
      const client = suite.open();
      const controller = new AbortController();
      const blocker = client.query('SELECT pg_sleep(0.2)', [], { timeoutMs: 10_000 });
      const never = client.query('CREATE TABLE never_created ()', undefined, { signal: controller.signal });
      controller.abort(new Error('changed my mind'));
      expect((await rejection(never)).message).to.equal('changed my mind');
      await blocker;
      expect((await client.query("SELECT to_regclass('never_created') AS t")).rows).to.deep.equal([{ t: null }]);
      expect((await rejection(client.query('SELECT 1', [], { signal: controller.signal }))).message).to.equal(
        'changed my mind',
      );
    });

    it('by time gives ERR_PG_QUERY_TIMEOUT', async () => {
      const client = await suite.connect({}, { queryTimeoutMs: 50 });
      expect((await rejection(client.query('SELECT pg_sleep(60)'))).code).to.equal('ERR_PG_QUERY_TIMEOUT');
      expect((await client.query('SELECT 1 AS n', [], { timeoutMs: 0 })).rows).to.deep.equal([{ n: 1 }]);
    });

    it('by cancel() ends whatever runs', async () => {
      const client = await suite.connect();
      const sleeping = rejection(client.query('SELECT pg_sleep(60)'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      await client.cancel();
      expect((await sleeping).code).to.equal('57014');
      await client.cancel();
      expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
    });
  });

  describe('closing', () => {
    it('waits for what has been asked', async () => {
      const client = suite.open();
      const answers = [client.query('SELECT 1 AS n'), client.query('SELECT pg_sleep(0.1)')];
      const transaction = client.transaction((tx) => tx.query('SELECT 2 AS n'));
      await client.close();
      await Promise.all([...answers, transaction]);
      expect(await client.closed).to.equal(undefined);
    });

    it('refuses what comes later, can be done twice, and leaves nothing on the server', async () => {
      const client = await suite.connect({ application_name: 'leaves nothing' });
      const closing = [client.close(), client.close()];
      expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CLOSED');
      await Promise.all(closing);
      await client.close();
      expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CLOSED');
      const left = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'leaves nothing'";
      expect((await suite.server.sql(left)).length).to.equal(0);
    });

    it('fails COPY that comes later where its maker can hear of it', async () => {
      const client = await suite.connect();
      await client.close();
      const copyFrom = pipeline(Readable.from(['1']), client.copyFrom('COPY t FROM STDIN'));
      expect((await rejection(copyFrom)).code).to.equal('ERR_PG_CLOSED');
      const copyTo = pipeline(client.copyTo('COPY t TO STDOUT'), new PassThrough());
      expect((await rejection(copyTo)).code).to.equal('ERR_PG_CLOSED');
    });

    it('while it connects ends the attempt', async () => {
      const client = suite.open();
      await client.close();
      expect((await rejection(client.ready)).code).to.equal('ERR_PG_CLOSED');
    });

    it('at once fails what was not answered', async () => {
      const client = await suite.connect();
      const queries = [client.query('SELECT pg_sleep(60)'), client.query('SELECT 1')].map(rejection);
      client.destroy();
      for (const error of await Promise.all(queries)) expect(error.code).to.equal('ERR_PG_CLOSED');
      expect(await client.closed).to.have.property('code', 'ERR_PG_CLOSED');
    });

    it('by a signal, before, during and after connecting', async () => {
      const reason = new Error('stop');
      for (const delay of [-1, 0, 5, 100]) {
        const controller = new AbortController();
        if (delay < 0) controller.abort(reason);
        else setTimeout(() => controller.abort(reason), delay);
        const client = suite.open({}, { signal: controller.signal });
        expect(await rejection(client.query('SELECT pg_sleep(60)')), `${delay}`).to.equal(reason);
        expect(await client.closed).to.equal(reason);
      }
    });

    it('says why when the server does it', async () => {
      const client = await suite.connect();
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      const running = rejection(client.query('SELECT pg_sleep(60)'));
      await suite.server.sql(`SELECT pg_terminate_backend(${rows[0]?.pid})`);
      expect((await running).message).to.include('terminating connection');
      const reason = await client.closed;
      expect(reason).to.have.property('code', 'ERR_PG_CONNECTION_LOST');
      expect(reason?.cause).to.be.instanceOf(PgServerError).with.property('code', '57P01');
      expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CONNECTION_LOST');
    });
  });
});
