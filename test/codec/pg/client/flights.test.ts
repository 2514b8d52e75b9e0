/** Round trips from connect to the first row, counted at the transport (test/support/flights.ts). */
import { expect } from 'chai';
import type { Conninfo, PgClientOptions } from '../../../../src/codec/pg/index.js';
import { PgClient, PgMemory } from '../../../../src/codec/pg/index.js';
import { PathMemory, turboTransport } from '../../../../src/experimental.js';
import { type Transport, tcpTransport } from '../../../../src/transport.js';
import { type PostgresServer, type PostgresVersion, requirePart, startPostgres } from '../../../servers/index.js';
import { type Certificate, makeCertificate } from '../../../support/certificates.js';
import { CountingNetwork, countingTlsTransport, countingTransport, FlightCounter } from '../../../support/flights.js';
import { startTurboFront, type TurboFront } from '../../../support/turbo-front.js';

const PASSWORD = 'a password of tests';
const USERS = ['scram', 'plain', 'certified', 'trusted', 'hashed'] as const;
type User = (typeof USERS)[number];

const HBA = [
  'hostssl all plain all password',
  'hostssl all certified all cert',
  'hostssl all trusted all trust',
  'hostssl all hashed all md5',
  'hostssl all all all scram-sha-256',
];

/** A busy machine must not count as a path without UDP. */
const PATIENT = { graceMinMs: 2000 };

type Way = 'turbo' | 'direct' | 'tls' | 'sslrequest';
/** Round trips of TCP and TLS, where TLS 1.3 takes one; over turbo both are one. */
const ESTABLISHED: Readonly<Record<Way, number>> = { turbo: 1, direct: 2, tls: 2, sslrequest: 3 };
const WAYS = Object.keys(ESTABLISHED) as Way[];

function wayOptions(way: Way, counter: FlightCounter, memory: PathMemory): [Conninfo, Transport] {
  switch (way) {
    case 'turbo':
      return [
        { sslnegotiation: 'turbo' },
        turboTransport({ turbo: { network: new CountingNetwork(counter), memory, limits: PATIENT } }),
      ];
    case 'direct':
      return [{ sslnegotiation: 'direct' }, countingTransport(tcpTransport(), counter)];
    case 'tls':
      return [{}, countingTlsTransport(counter)];
    case 'sslrequest':
      return [{ sslnegotiation: 'postgres' }, countingTransport(tcpTransport(), counter)];
  }
}

/** Of the login and the first query, in round trips behind what `ESTABLISHED` says. */
interface LoginRow {
  user: User;
  conninfo?: Conninfo;
  /** Of a first connection that guesses, that guesses from habit, and that does not guess. */
  first: number;
  habitual: number;
  cautious: number;
}

/** A guess that is wrong: what it costs to find out, one round trip, and then what a right guess costs. */
const again = 'again' as const;

const ROWS: readonly (Omit<LoginRow, 'first'> & { first: number | typeof again; says: string })[] = [
  { says: 'SCRAM-SHA-256-PLUS', user: 'scram', first: 2, habitual: 2, cautious: 4 },
  {
    says: 'SCRAM-SHA-256',
    user: 'scram',
    conninfo: { channel_binding: 'disable' },
    first: 2,
    habitual: 2,
    cautious: 4,
  },
  { says: 'a client certificate', user: 'certified', first: 1, habitual: 1, cautious: 2 },
  { says: 'trust', user: 'trusted', first: 1, habitual: 1, cautious: 2 },
  {
    says: 'a cleartext password that require_auth names',
    user: 'plain',
    conninfo: { require_auth: 'password' },
    first: 1,
    habitual: 1,
    cautious: 3,
  },
  { says: 'a cleartext password', user: 'plain', first: again, habitual: 1, cautious: 3 },
  // MD5 needs the server's salt: there is nothing to send ahead but the queries behind the answer.
  { says: 'MD5', user: 'hashed', first: again, habitual: 2, cautious: 3 },
];

/**
 * PostgreSQL 17 has prime256v1 for its only curve unless it is told otherwise, and Node sends a share of another one:
 * a HelloRetryRequest, which takes one more. What the server asked for is remembered, by the client and by turbo, so that
 * only the first TLS handshake pays.
 */
const VERSIONS: readonly { version: PostgresVersion; retry: number }[] = [
  { version: 18, retry: 0 },
  { version: 17, retry: 1 },
];

for (const { version, retry } of VERSIONS) {
  describe(`PgClient: round trips to the first row, PostgreSQL ${version}`, function () {
    this.timeout(60_000);
    let server: PostgresServer;
    let front: TurboFront;
    let tls: Certificate;
    let alice: Certificate;

    before(async function () {
      requirePart(this, `postgresql-${version}`);
      tls = await makeCertificate();
      alice = await makeCertificate({ names: ['certified'], usage: 'client' });
      server = await startPostgres({
        version,
        tls,
        hba: HBA,
        users: USERS.map((name) => ({
          name,
          password: PASSWORD,
          encryption: name === 'hashed' ? 'md5' : 'scram-sha-256',
        })),
      });
      front = await startTurboFront(server);
    });
    after(async () => {
      await front?.close();
      await server?.stop();
    });

    interface Visit {
      way: Way;
      user?: User;
      conninfo?: Conninfo | undefined;
      options?: PgClientOptions;
      /** Of turbo. */
      paths?: PathMemory;
      /** Whether the queries wait for `PgClient.connect`. */
      connectFirst?: boolean;
    }

    /** Round trips from `open` to the first row. */
    async function roundTrips({
      way,
      user = 'scram',
      conninfo,
      options,
      connectFirst = false,
      paths = new PathMemory(),
    }: Visit): Promise<number> {
      const counter = new FlightCounter();
      const [negotiation, transport] = wayOptions(way, counter, paths);
      const needsPassword = user !== 'certified' && user !== 'trusted';
      const target: Conninfo = {
        host: 'localhost',
        hostaddr: '127.0.0.1',
        port: way === 'turbo' ? front.port : server.port,
        user,
        ...(needsPassword ? { password: PASSWORD } : {}),
        dbname: 'postgres',
        sslmode: 'verify-full',
        ...negotiation,
        ...conninfo,
      };
      const { key, cert } = alice;
      const client = PgClient.open(target, {
        env: {},
        memory: new PgMemory(),
        transport,
        tls: { ca: tls.ca, ...(user === 'certified' ? { key, cert } : {}) },
        ...options,
      });
      try {
        if (connectFirst) await client.ready;
        const { rows } = await client.query('SELECT session_user::text AS me');
        expect(rows).to.deep.equal([{ me: user }]);
        return counter.roundTrips;
      } finally {
        client.destroy();
        await client.closed;
      }
    }

    for (const way of WAYS) {
      for (const { says, user, conninfo, first, habitual, cautious } of ROWS) {
        const contact = ESTABLISHED[way] + retry;
        const right = ESTABLISHED[way] + habitual;
        /** Turbo's own memory is kept, the client's is not. */
        const careful = cautious + (way === 'turbo' ? ESTABLISHED.turbo : contact);
        const expected = first === again ? contact + 1 + right : contact + first;
        it(`${says} over ${way}: ${expected}; from habit ${right}; without guesses ${careful}`, async () => {
          const memory = new PgMemory();
          const visit = { way, user, conninfo, paths: new PathMemory() };
          const seen = {
            first: await roundTrips({ ...visit, options: { memory } }),
            second: await roundTrips({ ...visit, options: { memory } }),
            cautious: await roundTrips({ ...visit, options: { speculate: false } }),
            connectFirst: await roundTrips({ ...visit, options: { memory }, connectFirst: true }),
          };
          expect(seen).to.deep.equal({
            first: expected,
            second: right,
            cautious: careful,
            connectFirst: right + 1,
          });
        });
      }
    }

    it('all went over turbo that should have', () => {
      expect(front.carriers).to.have.property('tcp', 0);
      expect(front.carriers.turbo).to.be.greaterThan(0);
    });

    it('queries made together share the flight, and what is made with the first answer takes one more', async () => {
      const counter = new FlightCounter();
      const [negotiation, transport] = wayOptions('direct', counter, new PathMemory());
      const { host: hostaddr, port } = server;
      const target = { host: 'localhost', hostaddr, port, user: 'scram', password: PASSWORD, dbname: 'postgres' };
      const client = PgClient.open(
        { ...target, sslmode: 'verify-full', ...negotiation },
        { env: {}, memory: new PgMemory(), transport, tls: { ca: tls.ca } },
      );
      try {
        const answers = [client.query('SELECT 1'), client.query('SELECT $1::int', [2]), client.query('SELECT 3')];
        await Promise.all(answers);
        expect(counter.roundTrips).to.equal(4 + retry);
        await client.query('SELECT 4');
        expect(counter.roundTrips).to.equal(5 + retry);
      } finally {
        client.destroy();
        await client.closed;
      }
    });

    it('where the certificate is not verified, or must be bound to, queries wait for the proof: one more', async () => {
      for (const conninfo of [{ sslmode: 'require' }, { channel_binding: 'require' }] as const) {
        const options = conninfo.sslmode ? { tls: {} } : {};
        expect(await roundTrips({ way: 'direct', conninfo, options })).to.equal(5 + retry);
        expect(await roundTrips({ way: 'sslrequest', conninfo, options })).to.equal(6 + retry);
      }
    });
  });
}
