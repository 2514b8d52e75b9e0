/** The way to TLS with real servers: each of them on, off, and with rules about it, by every sslmode. */

import { once } from 'node:events';
import { expect } from 'chai';
import { type Link, type LinkOptions, openLink } from '../../../../src/codec/pg/client/link.js';
import { type Conninfo, resolveConninfo } from '../../../../src/codec/pg/conninfo/conninfo.js';
import { SSL_MODES, type SslMode } from '../../../../src/codec/pg/conninfo/target.js';
import { PROTOCOL_3_0 } from '../../../../src/codec/pg/constants.js';
import { FrontendEncoder } from '../../../../src/codec/pg/encoder.js';
import type { Attempt } from '../../../../src/codec/pg/negotiation.js';
import { tcpTransport, tlsTransport } from '../../../../src/transport.js';
import {
  type PgbouncerServer,
  type PostgresServer,
  requirePart,
  startPgbouncer,
  startPostgres,
} from '../../../servers/index.js';
import { type Certificate, makeCertificate } from '../../../support/certificates.js';
import { NOWHERE } from '../conninfo/support.js';

/** Connects, asks to log in, and again as sslmode lets it; what each connection was, and what the server said. */
async function logIn(conninfo: Conninfo, extra: Partial<LinkOptions> = {}): Promise<string> {
  const target = resolveConninfo({ user: 'alice', dbname: 'postgres', ...conninfo }, NOWHERE);
  const [host] = target.hosts;
  if (!host) throw new Error('no host');
  const options = { transport: tcpTransport(), target, host, ...extra };
  const steps: string[] = [];
  try {
    for (let attempt: Attempt | undefined, tries = 0; tries < 3; tries++) {
      const link: Link = await openLink(options, attempt);
      const answer = await startup(link, target.startup);
      steps.push(`${link.encryption} ${answer}`);
      if (answer === 'let in' || link.otherwise === undefined) break;
      attempt = link.otherwise;
    }
  } catch (error) {
    steps.push((error as NodeJS.ErrnoException).code ?? String(error));
  }
  return steps.join(', ');
}

async function startup({ stream }: Link, parameters: Readonly<Record<string, string>>): Promise<string> {
  const message = {
    name: 'StartupMessage',
    version: PROTOCOL_3_0,
    parameters: new Map(Object.entries(parameters)),
  } as const;
  stream.write(new FrontendEncoder().write(message).take());
  const [bytes] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  return bytes[0] === 'R'.charCodeAt(0) ? 'let in' : 'refused';
}

/** For every sslmode, with the server's authority given where it is looked at. */
async function table(conninfo: Conninfo, tls: LinkOptions['tls']): Promise<Record<SslMode, string>> {
  const rows: [SslMode, string][] = [];
  for (const sslmode of SSL_MODES) {
    rows.push([sslmode, await logIn({ ...conninfo, sslmode }, sslmode.startsWith('verify') ? { tls } : {})]);
  }
  return Object.fromEntries(rows) as Record<SslMode, string>;
}

const all = (text: string): Record<SslMode, string> =>
  Object.fromEntries(SSL_MODES.map((sslmode) => [sslmode, text])) as Record<SslMode, string>;

for (const version of [15, 17, 18] as const) {
  describe(`codec/pg/client/link with PostgreSQL ${version}`, function () {
    this.timeout(60_000);
    let server: PostgresServer;
    let certificate: Certificate;
    let tls: { ca: string };

    before(async function () {
      requirePart(this, `postgresql-${version}`);
      certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
      tls = { ca: certificate.ca };
      server = await startPostgres({ version, users: [{ name: 'alice' }], hba: [] });
    });
    after(() => server?.stop());

    const address = () => ({ host: 'localhost', hostaddr: server.host, port: server.port });

    describe('without TLS', () => {
      before(async () => {
        await server.setTls(undefined);
        await server.setHba(['host all all all trust', 'local all all trust']);
      });

      it('is reached in plaintext, where sslmode lets it', async () => {
        expect(await table(address(), tls)).to.deep.equal({
          ...all('ERR_PG_TLS_REFUSED'),
          disable: 'plain let in',
          allow: 'plain let in',
          prefer: 'plain let in',
        });
      });

      it('is reached over its Unix socket, whatever sslmode says', async () => {
        expect(await table({ host: server.socketDir, port: server.port }, tls)).to.deep.equal(all('local let in'));
      });

      it('ends direct TLS', async () => {
        const direct = { ...address(), sslmode: 'require', sslnegotiation: 'direct' };
        expect(await logIn(direct)).to.equal('ERR_PG_DIRECT_TLS');
        expect(await logIn(address(), { transport: tlsTransport() })).to.equal('ERR_PG_DIRECT_TLS');
      });
    });

    describe('with TLS', () => {
      before(() => server.setTls({ key: certificate.key, cert: certificate.cert }));

      it('is reached with it, where sslmode prefers it', async () => {
        await server.setHba(['host all all all trust']);
        expect(await table(address(), tls)).to.deep.equal({
          ...all('tls let in'),
          disable: 'plain let in',
          allow: 'plain let in',
        });
      });

      it('that lets nobody in without: allow tries again with', async () => {
        await server.setHba(['hostssl all all all trust']);
        expect(await table(address(), tls)).to.deep.equal({
          ...all('tls let in'),
          disable: 'plain refused',
          allow: 'plain refused, tls let in',
        });
      });

      it('that lets nobody in with it: prefer tries again without', async () => {
        await server.setHba(['hostnossl all all all trust']);
        expect(await table(address(), tls)).to.deep.equal({
          ...all('tls refused'),
          disable: 'plain let in',
          allow: 'plain let in',
          prefer: 'tls refused, plain let in',
        });
      });

      it(version < 17 ? 'ends direct TLS' : 'takes direct TLS', async () => {
        await server.setHba(['hostssl all all all trust']);
        const expected = version < 17 ? 'ERR_PG_DIRECT_TLS' : 'tls let in';
        for (const sslmode of ['require', 'verify-ca', 'verify-full']) {
          const direct = { ...address(), sslmode, sslnegotiation: 'direct' };
          expect(await logIn(direct, { tls }), sslmode).to.equal(expected);
          expect(await logIn({ ...address(), sslmode }, { tls, transport: tlsTransport() }), sslmode).to.equal(
            expected,
          );
        }
      });

      it('is told by its name and its authority', async () => {
        await server.setHba(['hostssl all all all trust']);
        const other = { ...address(), host: 'other.example' };
        expect(await logIn({ ...other, sslmode: 'verify-full' }, { tls })).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
        expect(await logIn({ ...other, sslmode: 'verify-ca' }, { tls })).to.equal('tls let in');
        expect(await logIn({ ...address(), sslmode: 'verify-ca' })).to.equal('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
      });
    });
  });
}

describe('codec/pg/client/link with PgBouncer', function () {
  this.timeout(60_000);
  let upstream: PostgresServer;
  let pooler: PgbouncerServer;
  let certificate: Certificate;

  before(async function () {
    requirePart(this, 'postgresql-15');
    requirePart(this, 'pgbouncer');
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    upstream = await startPostgres({ version: 15, users: [{ name: 'alice', password: 'secret' }] });
    const users = [{ name: 'alice', password: 'secret' }];
    pooler = await startPgbouncer({ upstream, users, tls: certificate });
  });
  after(async () => {
    await pooler?.stop();
    await upstream?.stop();
  });

  it('goes by the same rules', async () => {
    const address = { host: 'localhost', hostaddr: pooler.host, port: pooler.port };
    expect(await table(address, { ca: certificate.ca })).to.deep.equal({
      ...all('tls let in'),
      disable: 'plain let in',
      allow: 'plain let in',
    });
    const direct = { ...address, sslmode: 'require', sslnegotiation: 'direct' };
    expect(await logIn(direct)).to.equal('ERR_PG_DIRECT_TLS');
  });
});
