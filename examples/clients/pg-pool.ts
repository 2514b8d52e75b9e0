/**
 * pg's Pool over TurboTLS:
 *
 *   node dist/examples/clients/pg-pool.js --url postgres://me@db.example/app --ca ca.pem
 */
import pg from 'pg';
import { pgStream } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine("Asks a PostgreSQL server three things at the same time, by pg's Pool.", {
  url: { kind: 'text', value: 'URL', required: true, about: 'of the database; sslmode means what it means to libpq' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  const pool = new pg.Pool(pgStream({ connectionString: url, ssl: { ca }, max: 20 }));
  pool.on('error', (error) => console.error(error.message)); // of connections that wait in the pool
  const answers = await Promise.all([1, 2, 3].map((n) => pool.query('SELECT $1::int * 14 AS answer', [n])));
  for (const { rows } of answers) console.log(rows[0].answer);
  await pool.end();
}

run().catch(fail);
