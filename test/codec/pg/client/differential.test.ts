import { expect } from 'chai';
import pg from 'pg';
import type { PgClient } from '../../../../src/codec/pg/index.js';
import { differentialQueries } from '../differential.js';
import { plain } from '../types/library.js';
import { withPostgres } from './support.js';

describe('PgClient beside pg', function () {
  this.timeout(60_000);

  for (const version of [15, 17, 18] as const) {
    describe(`PostgreSQL ${version}`, () => {
      const suite = withPostgres({ version });
      let theirs: pg.Client;

      beforeEach(async () => {
        const { host, port, superuser } = suite.server;
        theirs = new pg.Client({ host, port, ...superuser, database: 'postgres', ssl: false });
        await theirs.connect();
      });
      afterEach(() => theirs.end());

      it('gives the same rows, commands and counts for every built-in type', async () => {
        const ours = await suite.connect();
        for (const { name, sql, params } of differentialQueries) {
          const expected = await theirs.query({ text: sql, values: params && [...params] });
          const actual = await ours.query(sql, params);
          expect(plain(actual.rows), name).to.deep.equal(plain(expected.rows));
          expect(actual.rowCount, name).to.equal(expected.rowCount);
          expect(columns(actual.fields), name).to.deep.equal(expected.fields.map(theirColumn));
        }
      });

      it('gives the same rows one by one', async () => {
        const ours = await suite.connect();
        for (const { name, sql, params } of differentialQueries) {
          const expected = await theirs.query({ text: sql, values: params && [...params] });
          expect(plain(await rowsOf(ours, sql, params)), name).to.deep.equal(plain(expected.rows));
        }
      });
    });
  }
});

async function rowsOf(client: PgClient, sql: string, params: readonly unknown[] = []): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of client.rows(sql, params, { fetchRows: 3 })) rows.push(row);
  return rows;
}

/** FirstNormalObjectId: types that a session has made are its own. */
function builtIn(oid: number): number | 'own' {
  return oid < 16_384 ? oid : 'own';
}

/** All but the OIDs of tables: temporary ones are each client's own. */
function columns(fields: Awaited<ReturnType<PgClient['query']>>['fields']) {
  return fields.map(({ name, column, typeOid, typeSize, typeModifier }) => {
    return { name, column, typeOid: builtIn(typeOid), typeSize, typeModifier };
  });
}

function theirColumn(field: pg.FieldDef) {
  return {
    name: field.name,
    column: field.columnID,
    typeOid: builtIn(field.dataTypeID),
    typeSize: field.dataTypeSize,
    typeModifier: field.dataTypeModifier,
  };
}
