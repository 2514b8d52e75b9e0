/**
 * postgres.js over TurboTLS:
 *
 *   node dist/examples/clients/postgres-js.js --url postgres://me@db.example/app --ca ca.pem
 */
import postgres from 'postgres';
import { postgresSocket } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Asks a PostgreSQL server for its databases, by postgres.js.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'of the database; sslmode means what it means to libpq' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  const sql = postgres(...postgresSocket(url, { ssl: { ca }, max: 20 }));
  const rows = await sql`SELECT datname FROM pg_database WHERE NOT datistemplate`;
  console.log(rows.map(({ datname }) => datname).join('\n'));
  await sql.end();
}

run().catch(fail);
