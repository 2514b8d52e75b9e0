/**
 * mysql2 over TurboTLS, which ends at a gateway before the server:
 *
 *   turbotls gateway --listen :3306 --to 127.0.0.1:13306 --cert db.pem --key db.key
 *   node dist/examples/clients/mysql2.js --url mysql://me:password@db.example/app --ca ca.pem
 */
import mysql from 'mysql2/promise';
import { mysqlStream } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine("Asks a MySQL or MariaDB server three things at the same time, by mysql2's pool.", {
  url: {
    kind: 'text',
    value: 'URL',
    required: true,
    about: 'mysql://user:password@host:port/database, of the gateway',
  },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  const pool = mysql.createPool(mysqlStream({ uri: url, ssl: { ca }, connectionLimit: 20 }));
  const answers = await Promise.all(
    [1, 2, 3].map((n) => pool.execute<mysql.RowDataPacket[]>('SELECT ? * 14 AS answer', [n])),
  );
  for (const [[row]] of answers) console.log(row?.answer);
  await pool.end();
}

run().catch(fail);
