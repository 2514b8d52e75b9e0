import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { rejection, withPostgres } from './support.js';

describe('PgClient: rows one by one, and COPY', () => {
  const suite = withPostgres({ version: 18 });

  describe('rows', () => {
    it('come in order, whatever the number that is asked for at a time', async () => {
      const client = await suite.connect();
      for (const fetchRows of [1, 7, 100, 101, 1000]) {
        const seen: number[] = [];
        for await (const { n } of client.rows('SELECT n FROM generate_series(1, $1) n', [100], { fetchRows })) {
          seen.push(n);
        }
        expect(seen, `${fetchRows}`).to.deep.equal(Array.from({ length: 100 }, (_, i) => i + 1));
      }
    });

    it('are held back while the reader is slow', async () => {
      const client = await suite.connect({}, { limits: { readAheadBytes: 64 * 1024 } });
      const text = "SELECT repeat('x', 10000) AS x FROM generate_series(1, 20000)";
      const rows = client.rows(text, [], { fetchRows: 20_000 });
      expect((await rows.next()).done).to.equal(false);
      await delay(300);
      const { rows: activity } = await suite.server
        .sql("SELECT wait_event FROM pg_stat_activity WHERE query LIKE 'SELECT repeat%' AND state = 'active'")
        .then((result) => ({ rows: result as { wait_event: string }[] }));
      expect(activity).to.deep.equal([{ wait_event: 'ClientWrite' }]);
      let count = 1;
      for await (const _ of rows) count++;
      expect(count).to.equal(20_000);
    });

    it('end when the loop is left, and the connection goes on', async () => {
      const client = await suite.connect();
      for (const fetchRows of [1, 10, 1000]) {
        for await (const { n } of client.rows('SELECT n FROM generate_series(1, 1000000) n', [], { fetchRows })) {
          if (n === 5) break;
        }
        expect((await client.query('SELECT $1::int AS n', [fetchRows])).rows).to.deep.equal([{ n: fetchRows }]);
      }
    });

    it('keep other queries waiting, in order', async () => {
      const client = await suite.connect();
      const order: string[] = [];
      const rows = client.rows('SELECT n FROM generate_series(1, 3) n', [], { fetchRows: 1 });
      const behind = client.query('SELECT 1').then(() => order.push('query'));
      for await (const { n } of rows) order.push(`row ${n}`);
      await behind;
      expect(order).to.deep.equal(['row 1', 'row 2', 'row 3', 'query']);
    });

    it('that are left before they were sent are never asked for', async () => {
      const client = suite.open();
      await client.query('CREATE SEQUENCE never');
      const blocked = client.rows('SELECT 1');
      const rows = client.rows("SELECT nextval('never')");
      await rows.return();
      expect((await rows.next()).done).to.equal(true);
      for await (const _ of blocked);
      const { rows: sequence } = await client.query('SELECT is_called FROM never');
      expect(sequence).to.deep.equal([{ is_called: false }]);
      await client.query('DROP SEQUENCE never');
    });

    it("fail with the server's error, at once or midway, and the connection goes on", async () => {
      const client = await suite.connect();
      const take = async (text: string) => {
        const seen: unknown[] = [];
        const error = await rejection(
          (async () => {
            for await (const row of client.rows(text, [], { fetchRows: 2 })) seen.push(row);
          })(),
        );
        return { code: error.code, seen: seen.length };
      };
      expect(await take('SELECT nonsense')).to.deep.equal({ code: '42703', seen: 0 });
      const midway = await take('SELECT 1 / (5 - n) FROM generate_series(1, 9) n');
      expect(midway).to.deep.equal({ code: '22012', seen: 4 });
      expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
    });

    it('fail with the error of a parser', async () => {
      const client = await suite.connect();
      const types = {
        23: (text: string) => {
          if (text === '3') throw new RangeError('three');
          return Number(text);
        },
      };
      const rows = client.rows('SELECT n FROM generate_series(1, 1000) n', [], { types, fetchRows: 10 });
      expect(await rejection(gather(rows))).to.be.instanceOf(RangeError);
      expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
    });

    it('fail when the connection is lost', async () => {
      const client = await suite.connect();
      const rows = client.rows('SELECT n FROM generate_series(1, 100000) n', [], { fetchRows: 10 });
      await rows.next();
      client.destroy();
      expect((await rejection(gather(rows))).code).to.equal('ERR_PG_CLOSED');
    });
  });

  describe('COPY', () => {
    it('carries what it is given, both ways', async () => {
      const client = await suite.connect();
      await client.query('CREATE TEMP TABLE copied (n int, text text)');
      const lines = Array.from({ length: 50_000 }, (_, i) => `${i}\tline ${i}\n`);
      const copyIn = client.copyFrom('COPY copied FROM STDIN');
      await pipeline(Readable.from(lines), copyIn);
      expect(copyIn.rowCount).to.equal(50_000);
      const copyOut = client.copyTo('COPY (SELECT * FROM copied ORDER BY n) TO STDOUT');
      const chunks: Buffer[] = [];
      for await (const chunk of copyOut) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).to.equal(lines.join(''));
      expect(copyOut.rowCount).to.equal(50_000);
    });

    it('of nothing is a COPY of no rows', async () => {
      const client = await suite.connect();
      await client.query('CREATE TEMP TABLE copied (n int)');
      const copyIn = client.copyFrom('COPY copied FROM STDIN');
      copyIn.end();
      await once(copyIn, 'finish');
      expect(copyIn.rowCount).to.equal(0);
      const copyOut = client.copyTo('COPY copied TO STDOUT').resume();
      await once(copyOut, 'end');
      expect(copyOut.rowCount).to.equal(0);
    });

    it("fails with the server's error, and the connection goes on", async () => {
      const client = await suite.connect();
      await client.query('CREATE TEMP TABLE copied (n int)');
      const bad = Readable.from(['1\n', 'not a number\n', ...Array.from({ length: 10_000 }, () => '2\n')]);
      expect((await rejection(pipeline(bad, client.copyFrom('COPY copied FROM STDIN')))).code).to.equal('22P02');
      const missing = pipeline(Readable.from(['1\n']), client.copyFrom('COPY nowhere FROM STDIN'));
      expect((await rejection(missing)).code).to.equal('42P01');
      const out = client.copyTo('COPY nowhere TO STDOUT');
      expect((await rejection(gather(out))).code).to.equal('42P01');
      expect((await client.query('SELECT count(*)::int AS n FROM copied')).rows).to.deep.equal([{ n: 0 }]);
    });

    it('that its source breaks off is not committed', async () => {
      const client = await suite.connect();
      await client.query('CREATE TEMP TABLE copied (n int)');
      const source = async function* () {
        yield '1\n';
        throw new Error('the source broke');
      };
      const error = await rejection(pipeline(source, client.copyFrom('COPY copied FROM STDIN')));
      expect(error.message).to.equal('the source broke');
      expect((await client.query('SELECT count(*)::int AS n FROM copied')).rows).to.deep.equal([{ n: 0 }]);
    });

    it('that its reader leaves is cancelled', async () => {
      const client = await suite.connect();
      const out = client.copyTo('COPY (SELECT n, pg_sleep(0.001) FROM generate_series(1, 100000) n) TO STDOUT');
      await once(out, 'data');
      out.destroy();
      expect((await client.query('SELECT 1 AS n')).rows).to.deep.equal([{ n: 1 }]);
    });

    it('of the other direction, or no COPY at all, is refused, and the connection goes on', async () => {
      const client = await suite.connect();
      await client.query('CREATE TEMP TABLE copied (n int)');
      for (const text of ['SELECT 1', 'COPY copied TO STDOUT', 'CREATE TEMP TABLE other ()']) {
        const error = await rejection(pipeline(Readable.from(['1\n']), client.copyFrom(text)));
        expect(error.code, text).to.equal('ERR_PG_COPY');
      }
      for (const text of ['SELECT 1', 'COPY copied FROM STDIN']) {
        expect((await rejection(gather(client.copyTo(text)))).code, text).to.equal('ERR_PG_COPY');
      }
      expect((await client.query('SELECT count(*)::int AS n FROM copied')).rows).to.deep.equal([{ n: 0 }]);
    });

    it('slows its source down to the speed of the server', async () => {
      const client = await suite.connect();
      await client.query('CREATE TEMP TABLE copied (n int)');
      await client.query(`CREATE FUNCTION pg_temp.slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(3); RETURN NEW; END $$`);
      await client.query('CREATE TRIGGER slow BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION pg_temp.slow()');
      let given = 0;
      const source = async function* () {
        for (; given < 2_000; given++) yield Buffer.alloc(64 * 1024, '\n', 'latin1').fill('1\n');
      };
      const copy = client.copyFrom('COPY copied FROM STDIN');
      const copying = rejection(pipeline(source, copy));
      await delay(1_000);
      expect(given).to.be.within(1, 400); // kernel buffers hold some MB, 125 MB they do not
      client.destroy();
      await copying;
    });
  });
});

async function gather(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const gathered: unknown[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}
