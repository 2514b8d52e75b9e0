/** What a server may rightly do, and rarely does. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import { rejection, withPostgres } from './support.js';

describe('PgClient: what is rare', () => {
  const suite = withPostgres({ version: 18 });

  it('rows() tell of a transaction that fails when it is committed, behind the last row', async () => {
    const client = await suite.connect();
    await client.query('CREATE TEMP TABLE parent (id int PRIMARY KEY)');
    await client.query('CREATE TEMP TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)');
    const seen: unknown[] = [];
    const reading = async () => {
      for await (const row of client.rows('INSERT INTO child VALUES (1) RETURNING id')) seen.push(row);
    };
    expect((await rejection(reading())).code).to.equal('23503');
    expect(seen).to.deep.equal([{ id: 1 }]);
    expect((await client.query('SELECT * FROM child')).rows).to.deep.equal([]);
  });

  it('rows() may be asked for several at once', async () => {
    const client = await suite.connect();
    const rows = client.rows('SELECT n FROM generate_series(1, 3) n', [], { fetchRows: 1 });
    const taken = await Promise.all([1, 2, 3, 4, 5].map(() => rows.next()));
    expect(taken.map(({ value }) => value?.n)).to.deep.equal([1, 2, 3, undefined, undefined]);
  });

  it('rows() that are left end what still waits for a row', async () => {
    const client = await suite.connect();
    const rows = client.rows('SELECT pg_sleep(0.2)');
    const waiting = rows.next();
    await rows.return();
    expect((await waiting).done).to.equal(true);
    expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
  });

  it('copyFrom() takes no COPY for its own that asks for no data', async () => {
    const client = await suite.connect();
    await client.query('CREATE TEMP TABLE copied (text text)');
    const path = `${suite.server.dataDir}/PG_VERSION`;
    for (const text of [`COPY copied FROM '${path}'`, '', '-- nothing']) {
      const copying = pipeline(Readable.from(['1\n']), client.copyFrom(text));
      expect((await rejection(copying)).code, text).to.equal('ERR_PG_COPY');
      const inTransaction = client.transaction((tx) => pipeline(Readable.from(['1\n']), tx.copyFrom(text)));
      expect((await rejection(inTransaction)).code, text).to.equal('ERR_PG_COPY');
    }
    const copyTo = client.copyTo(`COPY copied TO '${suite.server.dataDir}/copied'`).resume();
    expect((await once(copyTo, 'error'))[0]).to.have.property('code', 'ERR_PG_COPY');
    expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
  });

  it('copyFrom() has data for one COPY only', async () => {
    const client = await suite.connect();
    await client.query('CREATE TEMP TABLE copied (n int)');
    const copying = client.copyFrom('COPY copied FROM STDIN; COPY copied FROM STDIN');
    expect((await rejection(pipeline(Readable.from(['1\n']), copying))).code).to.equal('ERR_PG_COPY');
    expect((await client.query('SELECT * FROM copied')).rows).to.deep.equal([]);
  });

  it('an empty query may be the first of a transaction', async () => {
    const client = await suite.connect();
    const empty = { rows: [], fields: [], command: '', rowCount: null };
    expect(await client.query('')).to.deep.equal(empty);
    expect(await client.transaction((tx) => tx.query(''))).to.deep.equal(empty);
    expect(await client.transaction((tx) => tx.query('-- nothing', []))).to.deep.equal(empty);
    expect(await client.transaction((tx) => tx.execute('-- nothing'))).to.deep.equal([empty]);
  });

  it('listen() fails each time for a channel that cannot be', async () => {
    const client = await suite.connect();
    for (let i = 0; i < 2; i++) {
      expect((await rejection(firstValueFrom(client.listen('a\0b')))).message).to.include('zero');
    }
  });
});
