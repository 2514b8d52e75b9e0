/**
 * Knex over TurboTLS:
 *
 *   node dist/examples/clients/knex.js --url postgres://me@db.example/app --ca ca.pem
 */
import knex from 'knex';
import { pgStream } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Asks a PostgreSQL server for its databases, by Knex.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'of the database; sslmode means what it means to libpq' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  const db = knex({ client: 'pg', connection: pgStream({ connectionString: url, ssl: { ca } }) });
  const names = await db('pg_database').where({ datistemplate: false }).pluck<string[]>('datname');
  console.log(names.join('\n'));
  await db.destroy();
}

run().catch(fail);
