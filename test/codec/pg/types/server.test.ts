import { expect } from 'chai';
import * as fc from 'fast-check';
import pg from 'pg';
import { quoteIdentifier, quoteLiteral } from '../../../../src/codec/pg/types/identifiers.js';
import { typeOids } from '../../../../src/codec/pg/types/oids.js';
import { encodeParameter } from '../../../../src/codec/pg/types/parameters.js';
import { TypeRegistry } from '../../../../src/codec/pg/types/registry.js';
import { type PostgresServer, requirePart, startPostgres } from '../../../servers/index.js';
import { builtInTypesSql, differentialQueries, withoutValues } from '../differential.js';
import { plain } from './library.js';

const registry = new TypeRegistry();

describe('codec/pg/types beside servers', function () {
  this.timeout(60_000);

  for (const version of [15, 17, 18] as const) {
    describe(`PostgreSQL ${version}`, () => {
      let server: PostgresServer;
      let theirs: pg.Client;
      let ours: pg.Client;

      /** A session of node-postgres, with its parsers or with those of the registry. */
      async function connect(types?: pg.CustomTypesConfig): Promise<pg.Client> {
        const client = new pg.Client({
          host: server.socketDir,
          port: server.port,
          ...server.superuser,
          database: 'postgres',
          ssl: false,
          ...(types && { types }),
        });
        await client.connect();
        return client;
      }

      before(async function () {
        requirePart(this, `postgresql-${version}`);
        server = await startPostgres({ version });
        theirs = await connect();
        ours = await connect({ getTypeParser: (oid: number) => registry.parser(oid) } as pg.CustomTypesConfig);
      });
      after(async () => {
        await theirs?.end();
        await ours?.end();
        await server?.stop();
      });

      it('has the built-in types that this release has', async () => {
        const { rows } = await theirs.query<{ oid: number; name: string }>(builtInTypesSql);
        expect(rows.length).to.be.greaterThan(150);
        const known = new Map(Object.entries(typeOids).map(([name, oid]) => [oid as number, name]));
        for (const { oid, name } of rows) expect(known.get(oid), name).to.equal(name);
      });

      it('gives and sends what node-postgres does, in columns of every built-in type', async () => {
        const seen = new Set<number>();
        for (const { name, sql, params } of differentialQueries) {
          const expected = await theirs.query({ text: sql, values: params && [...params] }).catch(explain(name));
          const actual = await ours.query({ text: sql, values: params?.map(encodeParameter) }).catch(explain(name));
          expect(plain(actual.rows), name).to.deep.equal(plain(expected.rows));
          expect(actual.rowCount, name).to.equal(expected.rowCount);
          for (const field of expected.fields) if (expected.rows.length > 0) seen.add(field.dataTypeID);
        }
        const { rows } = await theirs.query<{ oid: number; name: string }>(builtInTypesSql);
        const missing = rows.filter(({ oid }) => !seen.has(oid)).map(({ name }) => name);
        expect(missing, 'types without a query').to.deep.equal([]);
        expect(withoutValues.length).to.equal(3);
      });

      it('takes quoted names and literals for what they are', async () => {
        const text = fc.string({
          unit: fc.constantFrom("'", '"', '\\', 'a', '\n', '$', 'é', '\u{1f418}'),
          minLength: 1,
          maxLength: 12,
        });
        await fc.assert(
          fc.asyncProperty(text, fc.boolean(), async (value, conforming) => {
            await ours.query(`SET standard_conforming_strings = ${conforming}`);
            const { rows } = await ours.query(`SELECT${quoteLiteral(value)} AS ${quoteIdentifier(value)}`);
            expect(rows).to.deep.equal([{ [value]: value }]);
          }),
        );
        await ours.query('RESET standard_conforming_strings');
      });

      it('gives back the arrays and Dates that were sent', async () => {
        const item = fc.option(
          fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', ' ', 'a', 'NULL', '\n', 'é') }),
        );
        const list = fc.array(item, { maxLength: 6 });
        // The dates that PostgreSQL has, in what JavaScript has.
        const date = fc.date({ noInvalidDate: true, min: new Date('-004712-01-02T00:00:00Z'), max: new Date(8.64e15) });
        await fc.assert(
          fc.asyncProperty(list, date, async (texts, instant) => {
            const params = [texts, instant, [instant, null]].map(encodeParameter);
            const { rows } = await ours.query(
              'SELECT $1::text[] AS a, $2::timestamptz AS b, $3::timestamptz[] AS c',
              params,
            );
            expect(rows).to.deep.equal([{ a: texts, b: instant, c: [instant, null] }]);
          }),
        );
      });
    });
  }
});

function explain(name: string): (error: Error) => never {
  return (error) => {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  };
}
