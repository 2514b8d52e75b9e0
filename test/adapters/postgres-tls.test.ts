/** What the adapters for PostgreSQL drivers read, before anything is connected. */
import { expect } from 'chai';
import pg from 'pg';
import { takeTlsParameters } from '../../src/adapters/postgres-tls.js';
import { pgStream, postgresSocket, type TurboSocket } from '../../src/experimental.js';

const URL = 'postgres://me:secret@127.0.0.1:6000/app';

describe('adapters/postgres-tls', () => {
  const saved = { ...process.env };

  beforeEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
    Object.assign(process.env, saved);
  });

  it('takes sslmode and its kin out of a connection string, and leaves the rest to the letter', () => {
    for (const [given, rest, parameters] of [
      [URL, URL, {}],
      [`${URL}?sslmode=require`, URL, { sslmode: 'require' }],
      [
        `${URL}?a=%20+&sslmode=verify-full&b=%2B&sslrootcert=/a%20b/c d&uselibpqcompat=true&ssl%6Dode=require&c`,
        `${URL}?a=%20+&b=%2B&c`,
        { sslmode: 'require', sslrootcert: '/a b/c d', uselibpqcompat: 'true' },
      ],
      ['/var/run/postgresql app', '/var/run/postgresql app', {}],
    ] as const) {
      expect(takeTlsParameters(given)).to.deep.equal({ rest, parameters });
    }
  });

  const refusals: readonly (readonly [what: string, act: () => unknown, message: RegExp])[] = [
    ...['disable', 'allow', 'prefer'].map(
      (mode) =>
        [`sslmode=${mode}`, () => pgStream(`${URL}?sslmode=${mode}`), /sslmode=.* contradicts TurboTLS.*off/] as const,
    ),
    ['ssl: false', () => pgStream({ connectionString: URL, ssl: false }), /ssl: false.*contradicts TurboTLS/],
    ['ssl=0 in the string', () => pgStream(`${URL}?ssl=0`), /contradicts TurboTLS/],
    ['sslnegotiation=postgres', () => pgStream(`${URL}?sslnegotiation=postgres`), /leave it out/],
    ['no sslmode', () => pgStream(`${URL}?sslmode=verifyfull`), /usable: sslmode .* must be one of disable/],
    ['no ssl', () => pgStream(`${URL}?ssl=yes`), /ssl must be true, no-verify, one of/],
    ['no parameter', () => pgStream(`${URL}?sslrootcer=a`), /did you mean "sslrootcert"/],
    [
      'a file that is not there',
      () => pgStream(`${URL}?sslrootcert=/nowhere/ca.pem`),
      /"\/nowhere\/ca.pem" does not exist/,
    ],
    [
      'a certificate that is none',
      () => pgStream({ connectionString: URL, ssl: { cert: 'x', key: 'y' } }),
      /certificates/,
    ],
    [
      'what contradicts itself',
      () => pgStream({ connectionString: `${URL}?sslmode=verify-full`, ssl: { rejectUnauthorized: false } }),
      /rejectUnauthorized: false contradicts sslmode=verify-full/,
    ],
    ['a port that is none', () => pgStream({ host: 'db.test', port: 70_000 }), /port is a number/],
    ['a mode that is none', () => pgStream({ connectionString: URL, turbo: { mode: 'on' as 'off' } }), /turbo.mode is/],
    ['the same, of postgres.js', () => postgresSocket(URL, { turbo: { mode: 'on' as 'off' } }), /turbo.mode is/],
    ['no URL', () => pgStream('postgres://me:sec/ret@db.test:x/app'), /connectionString is no URL/],
    ['sslmode=prefer, of postgres.js', () => postgresSocket(`${URL}?sslmode=prefer`), /sslmode=prefer contradicts/],
    ['ssl: prefer, of postgres.js', () => postgresSocket(URL, { ssl: 'prefer' }), /sslmode=prefer contradicts/],
  ];
  for (const [what, act, message] of refusals) {
    it(`refuses ${what}`, () => {
      const error = thrownBy(act);
      expect(error).to.have.property('code', 'ERR_TURBO_BAD_OPTION');
      expect(error.message).to.match(message).and.not.to.include('secret').and.not.to.include('sec/ret');
    });
  }

  it('names PGSSLMODE where it comes from there', () => {
    process.env.PGSSLMODE = 'prefer';
    expect(thrownBy(() => pgStream(URL)).message).to.include('sslmode=prefer (PGSSLMODE) contradicts');
    expect(pgStream(`${URL}?sslmode=require`)).to.have.property('stream');
  });

  it('gives Unix sockets and mode off back as they came', () => {
    const local = { host: '/var/run/postgresql', user: 'me' };
    expect(pgStream(local)).to.deep.equal(local);
    expect(pgStream({ ...local, turbo: {} })).to.deep.equal(local);
    const off = { connectionString: `${URL}?sslmode=disable` };
    expect(pgStream({ ...off, turbo: { mode: 'off' } })).to.deep.equal(off);
    expect(postgresSocket(URL, { max: 1, turbo: { mode: 'off' } })).to.deep.equal([URL, { max: 1 }]);
    expect(postgresSocket({ max: 1, turbo: { mode: 'off' } })).to.deep.equal([{ max: 1 }]);
    expect(thrownBy(() => pgStream({ ...local, turbo: { mode: 'require' } }))).to.have.property(
      'code',
      'ERR_TURBO_REQUIRED',
    );
  });

  it('finds the host and the port where pg finds them', () => {
    const configs: (string | pg.ClientConfig)[] = [
      URL,
      'postgres://me:secret@localhost/app',
      'postgres:///app',
      'postgres://',
      'app',
      'postgres://me@/app?port=6001',
      'postgres://me@/app?host=127.0.0.1',
      'postgres://me@127.0.0.1:6000/app?host=localhost&port=6001&sslmode=verify-full',
      'postgres://me@[::1]:6000/app',
      'postgres://me:a b%zz@127.0.0.1/app',
      'postgresql://me@db%2Etest/app',
      {},
      { host: '127.0.0.1', port: 6002 },
      { connectionString: 'postgres:///app', host: '127.0.0.1', port: 6002 },
      { connectionString: 'postgres://localhost/app', port: 6002 },
    ];
    for (const environment of [{}, { PGHOST: '127.0.0.1', PGPORT: '6003' }]) {
      Object.assign(process.env, environment);
      for (const config of configs) {
        const given = typeof config === 'string' ? { connectionString: config } : config;
        const client = new pg.Client(pgStream(given)) as pg.Client & { connection: { stream: TurboSocket } };
        const { stream } = client.connection;
        stream.on('error', () => {});
        stream.connect(client.port, client.host);
        expect(stream.errored, JSON.stringify(config)).to.equal(null);
        stream.destroy();
      }
    }
  });

  it('does not let pg connect to another server than the one whose certificate is checked', async () => {
    const client = new pg.Client({ ...pgStream({ host: '127.0.0.1', port: 1 }), host: 'localhost' });
    const error = await client.connect().then(
      () => undefined,
      (error: Error) => error,
    );
    expect(error).to.have.property('code', 'ERR_TURBO_BAD_OPTION');
    expect(error?.message).to.include('pg connects to localhost:1, and pgStream was told 127.0.0.1:1');
  });
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
