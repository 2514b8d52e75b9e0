/** A real server for a suite, and clients of it that are ended with each test. */
import type { Conninfo, PgClientOptions } from '../../../../src/codec/pg/index.js';
import { PgClient, PgMemory } from '../../../../src/codec/pg/index.js';
import { type PostgresOptions, type PostgresServer, requirePart, startPostgres } from '../../../servers/index.js';

export interface Suite {
  readonly server: PostgresServer;
  /** Of the superuser, without TLS. */
  target(more?: Conninfo): Conninfo;
  /** Not connected yet; destroyed after the test. What it learns of servers it keeps to itself. */
  open(more?: Conninfo, options?: PgClientOptions): PgClient;
  connect(more?: Conninfo, options?: PgClientOptions): Promise<PgClient>;
}

/** Call it in a `describe`. */
export function withPostgres(options: PostgresOptions): Suite {
  let server: PostgresServer | undefined;
  const clients = new Set<PgClient>();

  before(async function () {
    this.timeout(60_000);
    requirePart(this, `postgresql-${options.version}`);
    server = await startPostgres(options);
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await Promise.all([...clients].map((client) => client.closed));
    clients.clear();
  });

  after(() => server?.stop());

  const suite: Suite = {
    get server() {
      if (!server) throw new Error('the server runs only within the suite');
      return server;
    },
    target(more = {}) {
      const { host, port, superuser } = suite.server;
      return { host, port, ...superuser, dbname: 'postgres', ...more };
    },
    open(more, clientOptions) {
      const client = PgClient.open(suite.target(more), { env: {}, memory: new PgMemory(), ...clientOptions });
      clients.add(client);
      return client;
    },
    async connect(more, clientOptions) {
      const client = suite.open(more, clientOptions);
      await client.ready;
      return client;
    },
  };
  return suite;
}

/** What a promise is rejected with; fails if it is not. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('the promise was not rejected');
}
