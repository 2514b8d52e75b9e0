/**
 * Runs one query on a PostgreSQL server, prints its rows, and where the time went.
 *
 *   node dist/examples/pg/pg.js                                       on a PostgreSQL that it starts itself
 *   node dist/examples/pg/pg.js --url postgres://me@db.example/app --transport tls 'SELECT now()'
 */
import { type Transport, tcpTransport, tlsTransport } from 'turbotls';
import { turboTransport } from 'turbotls/experimental';
import { PgClient, type PgResult } from 'turbotls/pg';
import { commandLine, fail, onInterrupt } from '../command-line.js';
import { startOwnServer } from './own-server.js';

const transports: Record<string, () => Transport> = {
  tcp: tcpTransport, // and TLS on it as sslmode and sslnegotiation say
  tls: tlsTransport,
  turbo: turboTransport,
};

const options = commandLine(
  'Runs one query on a PostgreSQL server, prints its rows, and where the time went.',
  {
    url: {
      kind: 'text',
      value: 'URL',
      about: "libpq's, or keyword=value; default: a PostgreSQL that is started for this query",
    },
    transport: { kind: 'text', value: 'tcp|tls|turbo', default: 'turbo', about: 'how to get there' },
    ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
    wait: { kind: 'flag', about: 'ask only when the server is ready, as most clients do' },
  },
  { value: '[QUERY]', about: 'default: SELECT version()' },
);

async function run(): Promise<void> {
  const makeTransport = transports[options.transport];
  if (!makeTransport) throw new Error(`--transport is tcp, tls or turbo, got '${options.transport}'`);
  const own = options.url === undefined ? await startOwnServer(options.transport === 'turbo') : undefined;
  try {
    const ca = own?.ca ?? options.ca;
    const started = performance.now();
    const client = PgClient.open(own?.target ?? options.url, { transport: makeTransport(), tls: { ca } });
    await query(client, started);
  } finally {
    await own?.stop();
  }
}

async function query(client: PgClient, started: number): Promise<void> {
  onInterrupt(() => client.destroy());
  try {
    if (options.wait) await client.ready;
    const [text = 'SELECT version()'] = options.rest;
    // Not waited for: the query travels with the last step of the login.
    print(await client.query(text));
    printTimeline({ ...client.timeline, 'first result': performance.now() - started });
  } finally {
    await client.close();
  }
}

function print({ rows, command, rowCount }: PgResult): void {
  if (rows.length > 0) console.table(rows);
  console.log(rowCount === null ? command : `${command} ${rowCount}`);
}

function printTimeline(timeline: Record<string, number>): void {
  const { attempts, ...steps } = timeline;
  console.error();
  for (const [step, at] of Object.entries(steps)) console.error(`${at.toFixed(1).padStart(9)} ms  ${step}`);
  if (attempts !== 1) console.error(`${attempts} connections were made`);
}

run().catch(fail);
