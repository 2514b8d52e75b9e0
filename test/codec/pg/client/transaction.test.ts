import { expect } from 'chai';
import type { PgServerError } from '../../../../src/codec/pg/index.js';
import { tcpTransport } from '../../../../src/transport.js';
import { countingTransport, FlightCounter } from '../../../support/flights.js';
import { rejection, withPostgres } from './support.js';

describe('PgClient: transactions', () => {
  const suite = withPostgres({ version: 18 });

  beforeEach(() => suite.server.sql('CREATE TABLE IF NOT EXISTS t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)'));
  afterEach(() => suite.server.sql('DROP TABLE t'));

  const stored = async () => (await suite.server.sql('SELECT n FROM t ORDER BY n')).map(({ n }) => n);

  it('commit what their function did, and give what it gives', async () => {
    const client = await suite.connect();
    const value = await client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      await tx.query('INSERT INTO t VALUES ($1)', [2]);
      expect(await stored()).to.deep.equal([]);
      return 'value';
    });
    expect(value).to.equal('value');
    expect(await stored()).to.deep.equal([1, 2]);
    expect(client.transactionStatus).to.equal('I');
  });

  it('roll back where their function fails, with its error', async () => {
    const client = await suite.connect();
    const oops = new Error('oops');
    const failing = client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      throw oops;
    });
    expect(await rejection(failing)).to.equal(oops);
    expect(await stored()).to.deep.equal([]);
    expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
  });

  it('tell when COMMIT rolls back: a query had failed, and nobody looked', async () => {
    const client = await suite.connect();
    const failing = client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      await tx.query('nonsense').catch(() => {});
    });
    expect((await rejection(failing)).code).to.equal('ERR_PG_ROLLED_BACK');
    expect(await stored()).to.deep.equal([]);
  });

  it('run nothing outside where their first query cannot be parsed, so that BEGIN was not either', async () => {
    const client = await suite.connect();
    for (const values of [undefined, []]) {
      const later: Promise<Error>[] = [];
      const failing = client.transaction(async (tx) => {
        const first = rejection(tx.query('nonsense', values));
        later.push(rejection(tx.query('INSERT INTO t VALUES (1)')));
        await first;
        later.push(rejection(tx.query('INSERT INTO t VALUES (2)')));
      });
      expect((await rejection(failing)).code).to.equal('ERR_PG_ROLLED_BACK');
      await Promise.all(later);
      expect(await stored()).to.deep.equal([]);
    }
  });

  it('tell when COMMIT itself fails', async () => {
    const client = await suite.connect();
    const failing = client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1), (1)'); // the constraint is deferred
    });
    expect((await rejection(failing)).code).to.equal('23505');
    expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
  });

  it('have the connection to themselves', async () => {
    const client = await suite.connect();
    const first = client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await tx.query('INSERT INTO t VALUES (2)');
      throw new Error('rolled back');
    });
    const outside = client.query('INSERT INTO t VALUES (3)');
    const second = client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (4)');
    });
    expect((await rejection(first)).message).to.equal('rolled back');
    await Promise.all([outside, second]);
    expect(await stored()).to.deep.equal([3, 4]);
  });

  it('take the modes of BEGIN', async () => {
    const client = await suite.connect();
    const modes = { isolation: 'serializable', readOnly: true, deferrable: true } as const;
    const shown = await client.transaction(async (tx) => {
      const names = ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'];
      const results = await Promise.all(names.map((name) => tx.query(`SHOW ${name}`, [], { rowMode: 'array' })));
      return results.flatMap(({ rows }) => rows.flat());
    }, modes);
    expect(shown).to.deep.equal(['serializable', 'on', 'on']);
    const bad = { isolation: 'serializable; DROP TABLE t' } as unknown as typeof modes;
    expect((await rejection(failing(() => client.transaction(async () => {}, bad)))).code).to.equal(
      'ERR_PG_BAD_OPTION',
    );
  });

  it('nest as savepoints', async () => {
    const client = await suite.connect();
    await client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      const inner = tx.transaction(async (savepoint) => {
        await savepoint.query('INSERT INTO t VALUES (2)');
        await savepoint.query('nonsense');
      });
      expect((await rejection(inner)).code).to.equal('42601');
      const unparsed = tx.transaction((savepoint) => savepoint.query('nonsense'));
      expect((await rejection(unparsed)).code).to.equal('42601');
      await tx.transaction(async (savepoint) => {
        await savepoint.query('INSERT INTO t VALUES (3)');
        await savepoint.transaction(async (deeper) => {
          await deeper.query('INSERT INTO t VALUES ($1)', [4]);
        });
      });
    });
    expect(await stored()).to.deep.equal([1, 3, 4]);
  });

  it('serve every kind of query as their first', async () => {
    const client = await suite.connect();
    const statement = client.prepare('SELECT 1 AS n');
    await statement.query();
    await client.transaction(async (tx) => {
      const seen: unknown[] = [];
      for await (const row of tx.rows('SELECT n FROM generate_series(1, 3) n', [], { fetchRows: 1 })) seen.push(row.n);
      expect(seen).to.deep.equal([1, 2, 3]);
      expect((await tx.query('SELECT now() = transaction_timestamp() AS same')).rows).to.deep.equal([{ same: true }]);
    });
    await client.transaction(async (tx) => {
      const copy = tx.copyFrom('COPY t FROM STDIN');
      copy.end('5\n6\n');
      await new Promise((resolve, reject) => copy.on('finish', resolve).on('error', reject));
    });
    await client.transaction(async (tx) => {
      const out: Buffer[] = [];
      for await (const chunk of tx.copyTo('COPY (SELECT n FROM t ORDER BY n) TO STDOUT')) out.push(chunk);
      expect(Buffer.concat(out).toString()).to.equal('5\n6\n');
    });
    await client.transaction(async (tx) => {
      const own = tx.prepare('SELECT count(*)::int AS n FROM t');
      expect((await own.query()).rows).to.deep.equal([{ n: 2 }]);
    });
    expect(client.transactionStatus).to.equal('I');
  });

  it('keep the position of an error in the text that was given', async () => {
    const client = await suite.connect();
    for (const values of [undefined, []]) {
      const error = await rejection(client.transaction((tx) => tx.query('SELECT nonsense', values)));
      expect((error as PgServerError).position).to.equal(8);
    }
  });

  it('of no query send nothing', async () => {
    const counter = new FlightCounter();
    const client = await suite.connect({}, { transport: countingTransport(tcpTransport(), counter) });
    const before = counter.roundTrips;
    expect(await client.transaction(async () => 'nothing')).to.equal('nothing');
    expect(counter.roundTrips).to.equal(before);
  });

  it('spend a round trip for each query and one for COMMIT, none for BEGIN', async () => {
    const counter = new FlightCounter();
    const client = await suite.connect({}, { transport: countingTransport(tcpTransport(), counter) });
    const before = counter.roundTrips;
    await client.transaction((tx) => tx.query('INSERT INTO t VALUES (1)'));
    expect(counter.roundTrips - before).to.equal(2);
  });

  it('take no queries any more when they are over', async () => {
    const client = await suite.connect();
    const escaped = await client.transaction(async (tx) => {
      await tx.query('SELECT 1');
      return tx;
    });
    expect((await rejection(escaped.query('INSERT INTO t VALUES (1)'))).code).to.equal('ERR_PG_TRANSACTION_OVER');
    expect(await stored()).to.deep.equal([]);
  });

  it('fail when the connection is lost in the middle, and roll back', async () => {
    const client = await suite.connect();
    const lost = client.transaction(async (tx) => {
      await tx.query('INSERT INTO t VALUES (1)');
      const { rows } = await tx.query('SELECT pg_backend_pid() AS pid');
      await suite.server.sql(`SELECT pg_terminate_backend(${rows[0]?.pid})`);
      await tx.query('INSERT INTO t VALUES (2)');
    });
    const error = await rejection(lost);
    expect(['57P01', 'ERR_PG_CONNECTION_LOST']).to.include(error.code);
    expect((await client.closed)?.message).to.include('terminating connection');
    expect(await stored()).to.deep.equal([]);
  });
});

/** What is thrown at once becomes a rejection. */
async function failing<T>(run: () => Promise<T>): Promise<T> {
  return run();
}
