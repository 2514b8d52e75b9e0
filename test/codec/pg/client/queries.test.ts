import { expect } from 'chai';
import { PgError, PgServerError } from '../../../../src/codec/pg/index.js';
import { rejection, withPostgres } from './support.js';

describe('PgClient: queries', () => {
  const suite = withPostgres({ version: 18 });

  it('gives rows, fields, command and rowCount', async () => {
    const client = await suite.connect();
    const result = await client.query('SELECT 1 AS one, NULL AS nothing, $1::text AS text', ['é']);
    expect(result.rows).to.deep.equal([{ one: 1, nothing: null, text: 'é' }]);
    expect(result.fields.map(({ name, typeOid }) => [name, typeOid])).to.deep.equal([
      ['one', 23],
      ['nothing', 25],
      ['text', 25],
    ]);
    expect(result).to.include({ command: 'SELECT', rowCount: 1 });
  });

  it('tells command and rowCount of what returns no rows', async () => {
    const client = await suite.connect();
    const create = await client.query('CREATE TEMP TABLE t (a int)');
    expect(create).to.deep.equal({ rows: [], fields: [], command: 'CREATE TABLE', rowCount: null });
    expect(await client.query('INSERT INTO t VALUES (1), (2)')).to.include({ command: 'INSERT', rowCount: 2 });
    expect(await client.query('UPDATE t SET a = $1', [3])).to.include({ command: 'UPDATE', rowCount: 2 });
    expect(await client.query('')).to.deep.equal({ rows: [], fields: [], command: '', rowCount: null });
    expect(await client.query('', [])).to.deep.equal({ rows: [], fields: [], command: '', rowCount: null });
  });

  it('gives the last result of a script, and all of them from execute', async () => {
    const client = await suite.connect();
    expect((await client.query('SELECT 1 AS a; SELECT 2 AS b')).rows).to.deep.equal([{ b: 2 }]);
    const results = await client.execute('SELECT 1 AS a; CREATE TEMP TABLE s (); SELECT 2 AS b');
    expect(results.map(({ command, rows }) => [command, rows])).to.deep.equal([
      ['SELECT', [{ a: 1 }]],
      ['CREATE TABLE', []],
      ['SELECT', [{ b: 2 }]],
    ]);
  });

  it('gives arrays where they are asked for, equal names and __proto__ kept', async () => {
    const client = await suite.connect();
    const text = 'SELECT 1 AS a, 2 AS a';
    expect((await client.query(text)).rows).to.deep.equal([{ a: 2 }]);
    expect((await client.query(text, [], { rowMode: 'array' })).rows).to.deep.equal([[1, 2]]);
    const { rows } = await client.query(`SELECT '{"polluted": true}'::json AS "__proto__"`);
    expect(Object.getPrototypeOf(rows[0])).to.equal(Object.prototype);
    expect(Object.entries(rows[0] ?? {})).to.deep.equal([['__proto__', { polluted: true }]]);
  });

  it('parses with parsers of the client and of the query', async () => {
    const client = await suite.connect({}, { types: { 20: BigInt } });
    expect((await client.query('SELECT 1::int8 AS n, ARRAY[2::int8] AS a')).rows).to.deep.equal([{ n: 1n, a: [2n] }]);
    const types = { 23: (text: string) => `<${text}>` };
    expect((await client.query('SELECT 1 AS n, 2::int8 AS b', [], { types })).rows).to.deep.equal([
      { n: '<1>', b: 2n },
    ]);
  });

  it("fails a query whose parser fails, and no other, with the parser's error", async () => {
    const oops = new Error('oops');
    const types = {
      23: () => {
        throw oops;
      },
    };
    const client = await suite.connect();
    const [failed, next] = [rejection(client.query('SELECT 1', [], { types })), client.query('SELECT 2 AS n')];
    expect(await failed).to.equal(oops);
    expect((await next).rows).to.deep.equal([{ n: 2 }]);
  });

  it('sends queries that do not wait for each other in one flight, each with its own answer', async () => {
    const client = await suite.connect();
    const queries = Array.from({ length: 200 }, (_, i) =>
      i % 10 === 5 ? rejection(client.query('SELECT 1/0')) : client.query('SELECT $1::int AS i', [i]),
    );
    const answers = await Promise.all(queries);
    answers.forEach((answer, i) => {
      if (answer instanceof Error) expect(answer.code).to.equal('22012');
      else expect(answer.rows).to.deep.equal([{ i }]);
    });
  });

  it("keeps all fields of a server's error", async () => {
    const client = await suite.connect();
    await client.query('CREATE TEMP TABLE u (id int CONSTRAINT u_pk PRIMARY KEY)');
    await client.query('INSERT INTO u VALUES (1)');
    const duplicate = (await rejection(client.query('INSERT INTO u VALUES ($1)', [1]))) as PgServerError;
    expect(duplicate).to.be.instanceOf(PgServerError);
    expect(duplicate).to.include({ code: '23505', severity: 'ERROR', constraint: 'u_pk', table: 'u' });
    expect(duplicate.detail).to.include('already exists');
    expect(duplicate.schema).to.match(/^pg_temp/);
    const wrong = (await rejection(client.query('SELECT now(), nonsense FROM u'))) as PgServerError;
    expect(wrong).to.include({ code: '42703', position: 15, routine: 'errorMissingColumn' });
    const hinted = (await rejection(client.query('SELECT uppper($1)', ['x']))) as PgServerError;
    expect(hinted.hint).to.include('function');
  });

  it('refuses what cannot be sent, sends nothing of it, and goes on', async () => {
    const client = await suite.connect();
    for (const values of [[Symbol('s')], [() => 1], [new Date(Number.NaN)]]) {
      const error = await rejection(client.query('SELECT $1', values));
      expect(error).to.be.instanceOf(PgError).with.property('code', 'ERR_PG_BAD_VALUE');
    }
    expect((await rejection(client.query('SELECT \0 1'))).code).to.equal('ERR_PG_BAD_VALUE');
    expect((await rejection(client.query('SELECT $1::text', ['zero \0 byte']))).code).to.equal('22021');
    const many = new Array(65_536).fill(1);
    expect((await rejection(client.query('SELECT 1', many))).code).to.equal('ERR_PG_BAD_VALUE');
    expect((await client.query('SELECT 1 AS n', [])).rows).to.deep.equal([{ n: 1 }]);
  });

  it('carries large values both ways', async () => {
    const client = await suite.connect();
    const bytes = Buffer.alloc(20_000_000, 'turbotls');
    const { rows } = await client.query('SELECT $1::bytea AS bytes, length($1::bytea) AS n', [bytes]);
    expect(rows[0]?.n).to.equal(bytes.length);
    expect(bytes.equals(rows[0]?.bytes)).to.equal(true);
  });

  it('bounds the queries that are sent and not answered, and sends the others later', async () => {
    const client = await suite.connect({}, { limits: { pipelinedQueries: 2, queuedQueries: 8 } });
    const queries = Array.from({ length: 10 }, (_, n) => client.query('SELECT $1::int AS n', [n]));
    expect((await rejection(client.query('SELECT 11'))).code).to.equal('ERR_PG_QUEUE_FULL');
    expect((await Promise.all(queries)).map(({ rows }) => rows[0]?.n)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('bounds the queries that wait', async () => {
    const client = suite.open({}, { limits: { queuedQueries: 3 } });
    const queries = [1, 2, 3].map((n) => client.query('SELECT $1::int AS n', [n]));
    expect((await rejection(client.query('SELECT 4'))).code).to.equal('ERR_PG_QUEUE_FULL');
    expect((await Promise.all(queries)).map(({ rows }) => rows[0]?.n)).to.deep.equal([1, 2, 3]);
  });

  it('refuses COPY, which has calls of its own, and stays usable', async () => {
    const client = await suite.connect();
    await client.query('CREATE TEMP TABLE c (a int)');
    for (const text of ['COPY c TO STDOUT', 'COPY c FROM STDIN']) {
      expect((await rejection(client.query(text))).code).to.equal('ERR_PG_COPY');
      expect((await rejection(client.query(text, []))).code).to.equal('ERR_PG_COPY');
    }
    expect((await client.query('SELECT count(*) FROM c')).rows).to.deep.equal([{ count: '0' }]);
  });

  it('ends the connection where a COPY FROM STDIN has swallowed what was sent behind it', async () => {
    const client = await suite.connect();
    await client.query('CREATE TEMP TABLE c (a int)');
    const copy = rejection(client.query('COPY c FROM STDIN'));
    const behind = rejection(client.query('SELECT 1', []));
    expect((await copy).code).to.equal('ERR_PG_COPY');
    expect((await behind).code).to.equal('ERR_PG_COPY');
    expect(await client.closed).to.have.property('code', 'ERR_PG_COPY');
  });

  describe('prepared', () => {
    it('are parsed once, in the flight of their first use', async () => {
      const client = await suite.connect();
      const statement = client.prepare('SELECT $1::int * 2 AS n');
      const first = await Promise.all([1, 2, 3].map((n) => statement.query([n])));
      expect(first.map(({ rows }) => rows[0]?.n)).to.deep.equal([2, 4, 6]);
      const { rows } = await client.query('SELECT count(*)::int AS n FROM pg_prepared_statements');
      expect(rows).to.deep.equal([{ n: 1 }]);
      await statement.close();
      const after = await client.query('SELECT count(*)::int AS n FROM pg_prepared_statements');
      expect(after.rows).to.deep.equal([{ n: 0 }]);
      expect((await statement.query([5])).rows).to.deep.equal([{ n: 10 }]);
    });

    it('are parsed again after they could not be, or were taken away', async () => {
      const client = await suite.connect();
      const statement = client.prepare('SELECT a FROM later');
      expect((await rejection(statement.query())).code).to.equal('42P01');
      await client.query('CREATE TEMP TABLE later AS SELECT 7 AS a');
      expect((await statement.query()).rows).to.deep.equal([{ a: 7 }]);
      await client.query('DEALLOCATE ALL');
      expect((await rejection(statement.query())).code).to.equal('26000');
      expect((await statement.query()).rows).to.deep.equal([{ a: 7 }]);
    });

    it('survive a value that is wrong', async () => {
      const client = await suite.connect();
      const statement = client.prepare('SELECT $1::int AS n');
      expect((await rejection(statement.query(['x']))).code).to.equal('22P02');
      expect((await statement.query(['1'])).rows).to.deep.equal([{ n: 1 }]);
      expect((await rejection(statement.query(['y']))).code).to.equal('22P02');
      expect((await statement.query(['2'])).rows).to.deep.equal([{ n: 2 }]);
    });
  });
});
