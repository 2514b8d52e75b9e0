/** The examples of clients, each run as a program against a real server, with UDP and without; and each ends by itself. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { GrpcServer } from '../adapters/grpc-server.js';
import { type Front, type Udp, withFront } from '../adapters/support.js';
import {
  MariadbServer,
  type PostgresServer,
  requirePart,
  startNginx,
  startPostgres,
  startRedis,
} from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { endPrograms, run } from './programs.js';

/** A server behind a TurboTLS port, and what an example is told to reach it. */
interface Place {
  front: Front;
  url: string;
}

/** Each starts the server that its rows need; `afterAll` closes what it has made. */
const backends = {
  postgres: async (context, tls, afterAll) => {
    requirePart(context, 'postgresql-18');
    const users = [{ name: 'alice', password: 'secret' }];
    const server: PostgresServer = await startPostgres({ version: 18, tls, users });
    afterAll(() => server.stop());
    return async (udp) => {
      const front = await withFront(server, udp);
      return { front, url: `postgres://alice:secret@${front.host}:${front.port}/postgres?sslmode=verify-full` };
    };
  },
  web: async (context, tls, afterAll) => {
    requirePart(context, 'nginx');
    const server = await startNginx({ tls });
    afterAll(() => server.stop());
    return async (udp) => {
      const front = await withFront({ host: '127.0.0.1', port: server.tlsPort }, udp);
      return { front, url: `https://localhost:${front.port}/request` };
    };
  },
  grpc: async (_context, tls, afterAll) => {
    const server = await new GrpcServer(tls).start();
    afterAll(() => server.stop());
    return async (udp) => {
      const { host, port } = server;
      const front = await withFront({ host, port }, udp);
      return { front, url: `https://localhost:${front.port}` };
    };
  },
  redis: async (context, tls, afterAll) => {
    requirePart(context, 'redis-server');
    const server = await startRedis({ password: 'secret', tls });
    afterAll(() => server.stop());
    return async (udp) => {
      const front = await withFront({ host: server.host, port: server.tlsPort }, udp);
      return { front, url: `rediss://:secret@localhost:${front.port}/1` };
    };
  },
  mysql: async (context, tls, afterAll) => {
    requirePart(context, 'mariadbd');
    const server = await MariadbServer.start();
    afterAll(() => server.stop());
    const { name, password } = server.user;
    return async (udp) => {
      const front = await withFront({ host: server.host, port: server.port, terminate: tls }, udp);
      return { front, url: `mysql://${name}:${password}@localhost:${front.port}/information_schema` };
    };
  },
} satisfies Record<
  string,
  (
    context: Mocha.Context,
    tls: Certificate,
    afterAll: (end: () => Promise<void>) => void,
  ) => Promise<(udp: Udp) => Promise<Place>>
>;

interface Example {
  name: string;
  backend: keyof typeof backends;
  says: RegExp;
  /** Its client tries until it succeeds. */
  retries?: boolean;
}

const EXAMPLES: readonly Example[] = [
  { name: 'pg', backend: 'postgres', says: /^PostgreSQL 18\..*\n$/ },
  { name: 'pg-pool', backend: 'postgres', says: /^14\n28\n42\n$/ },
  { name: 'drizzle', backend: 'postgres', says: /^postgres\n$/ },
  { name: 'knex', backend: 'postgres', says: /^postgres\n$/ },
  { name: 'typeorm', backend: 'postgres', says: /^postgres\n$/ },
  { name: 'postgres-js', backend: 'postgres', says: /^postgres\n$/ },
  { name: 'undici', backend: 'web', says: /^GET localhost HTTP\/2\.0 https\n$/ },
  { name: 'fetch', backend: 'web', says: /^GET localhost HTTP\/1\.1 https\n$/ },
  { name: 'https-agent', backend: 'web', says: /^GET localhost HTTP\/1\.1 https\n$/ },
  { name: 'http2', backend: 'web', says: /^GET localhost HTTP\/2\.0 https\n$/ },
  { name: 'grpc', backend: 'grpc', says: /^serving\n$/ },
  { name: 'ioredis', backend: 'redis', says: /^1\n2\n3\n$/, retries: true },
  { name: 'mysql2', backend: 'mysql', says: /^14\n28\n42\n$/ },
];

describe('examples: clients', function () {
  this.timeout(60_000);
  const ends: (() => Promise<void>)[] = [];
  let folder: string;
  let ca: string;
  let tls: Certificate;

  before(async () => {
    tls = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-clients-'));
    ca = join(folder, 'ca.pem');
    await writeFile(ca, tls.ca);
  });
  afterEach(endPrograms);
  after(async () => {
    await Promise.all(ends.map((end) => end()));
    await rm(folder, { recursive: true, force: true });
  });

  for (const [backend, start] of Object.entries(backends)) {
    describe(backend, () => {
      const places: Partial<Record<Udp, Place>> = {};

      before(async function () {
        const placeFor = await start(this, tls, (end) => ends.push(end));
        for (const udp of ['open', 'blocked'] as const) {
          const place = await placeFor(udp);
          places[udp] = place;
          ends.unshift(() => place.front.close());
        }
      });

      for (const { name, says, retries } of EXAMPLES.filter((example) => example.backend === backend)) {
        for (const udp of ['open', 'blocked'] as const) {
          it(`${name}, with UDP ${udp}`, async () => {
            const { code, stdout, stderr } = await run(`clients/${name}`, [
              '--url',
              places[udp]?.url ?? '',
              '--ca',
              ca,
            ]);
            expect({ code, stderr: withoutWarning(stderr) }).to.deep.equal({ code: 0, stderr: '' });
            expect(stdout).to.match(says);
          });
        }

        if (!retries) {
          it(`${name}, where the certificate is not trusted: it fails, and ends by itself too`, async () => {
            const { code, stderr } = await run(`clients/${name}`, ['--url', places.open?.url ?? '']);
            expect(code).to.equal(1);
            expect(withoutWarning(stderr)).to.match(new RegExp(`^${name}.js: .`));
          });
        }
      }
    });
  }
});

/** That TurboTLS is experimental is said once, by Node. */
function withoutWarning(text: string): string {
  return text.replace(/^\(node:\d+\) ExperimentalWarning: .*\n(\(Use `node --trace-warnings .*\n)?/m, '');
}
