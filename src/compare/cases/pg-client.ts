/**
 * PostgreSQL by our own client. Each connection is that of a process which has just begun: nothing is known of the login,
 * nor is the password's hash at hand. What a case says to be known is known of the path alone.
 */
import { PathMemory } from '../../client/path-memory.js';
import { PgClient, PgMemory } from '../../codec/pg/index.js';
import type { Transport } from '../../transport.js';
import type { Case, PostgresTarget, Prepared } from '../case.js';
import { resolveServer, type Server } from './server.js';
import { Stopwatch } from './stopwatch.js';
import { contactFirst, watchedTls, watchedTurbo } from './watched-transport.js';

export const clientCases: Case<PostgresTarget>[] = [
  {
    id: 'pgclient-tls',
    title: 'PgClient, direct TLS',
    group: 'postgres',
    reference: 'pg',
    prepare: async (target) => prepared(target, (await resolveServer(target)).tls, watchedTls),
  },
  {
    id: 'pgclient-turbo',
    title: 'PgClient over turbo, first contact',
    group: 'postgres',
    reference: 'pg',
    prepare: async (target) => {
      return prepared(target, (await resolveServer(target)).turbo, (watch) => watchedTurbo(watch, new PathMemory()));
    },
  },
  {
    id: 'pgclient-turbo-known',
    title: 'PgClient over turbo, known path',
    group: 'postgres',
    reference: 'pg',
    prepare: async (target, signal) => {
      const memory = new PathMemory();
      const way = prepared(target, (await resolveServer(target)).turbo, (watch) => watchedTurbo(watch, memory));
      await contactFirst(way, signal);
      return way;
    },
  },
];

function prepared(
  target: PostgresTarget,
  { host, port }: Server['tls'],
  transportFor: (watch: Stopwatch) => Transport,
): Prepared {
  const { serverName, user, password, database, ca } = target;
  const conninfo = { host: serverName, hostaddr: host, port, user, dbname: database, sslmode: 'verify-full' } as const;
  return {
    async once(signal) {
      const watch = new Stopwatch();
      const client = PgClient.open(conninfo, {
        transport: transportFor(watch),
        password,
        tls: { ca },
        memory: new PgMemory(),
        env: { HOME: '/nonexistent' }, // no settings and files of the user's
        signal,
      });
      try {
        await client.query('SELECT 1');
        const { ready } = client.timeline;
        if (ready !== undefined) watch.reached('ready', ready);
        const sample = watch.sample();
        await client.close();
        return sample;
      } finally {
        client.destroy();
        await client.closed;
      }
    },
  };
}
