/** PostgreSQL by the drivers that people use. Options that are not about the server are left at their defaults. */
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { onAbort } from '../../abort.js';
import { pgStream } from '../../adapters/pg.js';
import type { TurboSocket } from '../../client/connect.js';
import { PathMemory } from '../../client/path-memory.js';
import { type HostAddress, untilEvent } from '../../transport.js';
import type { Case, Missing, PostgresTarget, Prepared } from '../case.js';
import { isMissing, optional } from './optional.js';
import { resolveServer, verifyingTls } from './server.js';
import { Stopwatch } from './stopwatch.js';

type Negotiation = 'postgres' | 'direct';

export const driverCases: Case<PostgresTarget>[] = [
  {
    id: 'pg',
    title: 'pg, SSLRequest',
    group: 'postgres',
    reference: 'pg',
    prepare: (target) => preparePg(target, 'postgres'),
  },
  {
    id: 'pg-direct',
    title: 'pg, direct TLS',
    group: 'postgres',
    reference: 'pg',
    prepare: (target) => preparePg(target, 'direct'),
  },
  {
    id: 'pg-turbo',
    title: 'pg by pgStream, first contact',
    group: 'postgres',
    reference: 'pg',
    prepare: (target) => preparePg(target, 'turbo'),
  },
  {
    id: 'postgres.js',
    title: 'postgres.js, SSLRequest',
    group: 'postgres',
    reference: 'pg',
    prepare: (target) => preparePostgresJs(target, {}),
  },
  {
    id: 'postgres.js-direct',
    title: 'postgres.js, direct TLS, fetch_types: false',
    group: 'postgres',
    reference: 'pg',
    prepare: (target) => preparePostgresJs(target, { sslnegotiation: 'direct', fetch_types: false }),
  },
];

async function preparePg(target: PostgresTarget, way: Negotiation | 'turbo'): Promise<Prepared | Missing> {
  const module = await optional('pg', () => import('pg'));
  if (isMissing(module)) return module;
  const { Client } = module.default;
  const server = await resolveServer(target);
  return {
    async once(signal) {
      signal.throwIfAborted();
      const { user, password = '', database } = target;
      const watch = new Stopwatch();
      const login = { user, password, database, ssl: verifyingTls(target, watch) };
      const { stream, ...config } =
        way === 'turbo'
          ? pgStream({ ...login, ...server.turbo, turbo: { memory: new PathMemory() } })
          : { ...login, ...server.tls, sslnegotiation: way, stream: () => new Socket() }; // as pg itself makes it
      const socket = (stream as () => Socket | TurboSocket)();
      socket.once('connect', () => watch.reached('tcp'));
      if ('turbo' in socket)
        socket.once('secureConnect', () => {
          watch.carrier = socket.turbo?.carrier;
        });
      const client = new Client({ ...config, stream: () => socket });
      client.on('error', () => {}); // what waits is told too
      const stopListening = onAbort(signal, () => socket.destroy());
      const closed = new Promise((resolve) => socket.once('close', resolve));
      try {
        await client.connect();
        watch.reached('ready');
        await client.query('SELECT 1');
        const sample = watch.sample();
        await client.end();
        return sample;
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      } finally {
        stopListening();
        socket.destroy();
        await closed;
      }
    },
  };
}

async function preparePostgresJs(
  target: PostgresTarget,
  changes: { sslnegotiation?: Negotiation; fetch_types?: boolean },
): Promise<Prepared | Missing> {
  const module = await optional('postgres', () => import('postgres'));
  if (isMissing(module)) return module;
  const postgres = module.default;
  const server = await resolveServer(target);
  return {
    async once(signal) {
      signal.throwIfAborted();
      const { user, password, database } = target;
      const watch = new Stopwatch();
      const socket = new OneSocket(server.tls, signal, watch);
      const options = {
        ...server.tls,
        user,
        password: password ?? '',
        database,
        ssl: verifyingTls(target, watch),
        socket: () => socket.dial(), // which its types do not know
        ...changes,
      };
      const sql = postgres(options);
      try {
        await sql`SELECT 1`;
        const sample = watch.sample();
        await sql.end();
        return sample;
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      } finally {
        await sql.end({ timeout: 0 });
        await socket.close();
      }
    },
  };
}

/**
 * The socket of a postgres.js: made as it would make it, but seen, and ended when a sample is. There is no second one:
 * a client that connects again does not tell what the first failed for.
 */
class OneSocket {
  readonly #address: HostAddress;
  readonly #signal: AbortSignal;
  readonly #watch: Stopwatch;
  #socket: Socket | undefined;
  #wasDialled = false;
  #stopListening: () => void = () => {};

  constructor(address: HostAddress, signal: AbortSignal, watch: Stopwatch) {
    this.#address = address;
    this.#signal = signal;
    this.#watch = watch;
  }

  async dial(): Promise<Socket> {
    if (this.#wasDialled) throw new Error('the server closed the connection before it was ready for a query');
    this.#wasDialled = true;
    const socket = await untilEvent('connect', this.#signal, () => connect(this.#address));
    this.#watch.reached('tcp');
    this.#socket = socket;
    this.#stopListening = onAbort(this.#signal, () => socket.destroy());
    return socket;
  }

  async close(): Promise<void> {
    this.#stopListening();
    if (this.#socket === undefined || this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }
}
