/**
 * pg's Client over TurboTLS:
 *
 *   node dist/examples/clients/pg.js --url postgres://me@db.example/app --ca ca.pem
 */
import pg from 'pg';
import { pgStream } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine("Asks a PostgreSQL server its version, by pg's Client.", {
  url: { kind: 'text', value: 'URL', required: true, about: 'of the database; sslmode means what it means to libpq' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  const client = new pg.Client(pgStream({ connectionString: url, ssl: { ca } }));
  await client.connect();
  const { rows } = await client.query('SELECT version()');
  console.log(rows[0].version);
  await client.end();
}

run().catch(fail);
