/**
 * Drizzle with node-postgres over TurboTLS:
 *
 *   node dist/examples/clients/drizzle.js --url postgres://me@db.example/app --ca ca.pem
 */
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { pgSchema, text } from 'drizzle-orm/pg-core';
import { pgStream } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Asks a PostgreSQL server for its databases, by Drizzle.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'of the database; sslmode means what it means to libpq' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

const databases = pgSchema('pg_catalog').table('pg_database', { name: text('datname') });

async function run(): Promise<void> {
  const db = drizzle({ connection: pgStream({ connectionString: url, ssl: { ca } }) });
  const rows = await db.select().from(databases).where(sql`NOT datistemplate`);
  console.log(rows.map(({ name }) => name).join('\n'));
  await db.$client.end();
}

run().catch(fail);
