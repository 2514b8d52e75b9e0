/** Authentication against PostgreSQL and PgBouncer, over TCP and TLS, with and without speculation. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { Authenticator, type AuthenticatorOptions } from '../../../../src/codec/pg/auth/authenticator.js';
import type { LinkSecurity, LoginGuess } from '../../../../src/codec/pg/auth/rules.js';
import { SaltedPasswords } from '../../../../src/codec/pg/auth/salted-passwords.js';
import { BackendDecoder } from '../../../../src/codec/pg/decoder.js';
import { FrontendEncoder } from '../../../../src/codec/pg/encoder.js';
import { PgError } from '../../../../src/codec/pg/errors.js';
import { defaultPgLimits } from '../../../../src/codec/pg/limits.js';
import type { AuthenticationMessage, BackendMessage, FrontendMessage } from '../../../../src/codec/pg/messages.js';
import {
  type PgbouncerServer,
  type PostgresServer,
  requirePart,
  startPgbouncer,
  startPostgres,
} from '../../../servers/index.js';
import { type Certificate, makeCertificate } from '../../../support/certificates.js';
import { countPbkdf2 } from './support.js';

const PASSWORD = 'it\'s a "\\ secret';
const PREPARED = 'pa\u00a0sswo\u2168rd\u00ad';
const RAW = 'éa\u0627\u{1f600}';
const QUERY: FrontendMessage = { name: 'Query', query: 'SELECT 1 AS one' };

interface Target {
  port: number;
  tls?: Certificate;
  verified?: boolean;
}

interface Seen {
  /** 'done', 'wrong-guess: …', the code of a PgError, or 'server: SQLSTATE'. */
  outcome: string;
  /** Whether the query was sent before the server's proof, or AuthenticationOk where there is none. */
  pipelined: boolean;
  rows: number;
  guessConfirmed: boolean;
  method: string | undefined;
  /** Times that this side wrote, after TLS was up: the flights it needed. */
  flights: number;
}

async function openLink({ port, tls: certificate, verified = true }: Target): Promise<[Duplex, Socket, LinkSecurity]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  if (!certificate) return [socket, socket, { encryption: 'plain' }];
  socket.write(new FrontendEncoder().write({ name: 'SSLRequest' }).take());
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).to.equal('S');
  socket.removeAllListeners('data');
  const secure = tls.connect({ socket, servername: 'localhost', ca: certificate.ca });
  await once(secure, 'secureConnect');
  return [secure, socket, { encryption: 'tls', verified, certificate: () => secure.getPeerCertificate().raw }];
}

interface Login extends Partial<Omit<AuthenticatorOptions, 'link' | 'password'>> {
  user?: string;
  password?: string | undefined;
  guess?: LoginGuess;
  database?: string;
  /** What arrives of AuthenticationSASL, whatever the server offered. */
  offered?: string[];
}

/** Logs in and runs QUERY, as early as it may. */
async function logIn(target: Target, { guess, database = 'postgres', offered, ...options }: Login): Promise<Seen> {
  const [stream, socket, link] = await openLink(target);
  const closed = once(socket, 'close');
  const user = options.user ?? 'alice';
  const auth = new Authenticator({
    user,
    password: PASSWORD,
    channelBinding: 'prefer',
    requireAuth: undefined,
    link,
    allowCleartext: true,
    serverKey: `127.0.0.1:${target.port}`,
    salted: new SaltedPasswords(defaultPgLimits),
    limits: defaultPgLimits,
    ...options,
  });
  const decoder = new BackendDecoder();
  const seen: Seen = { outcome: '', pipelined: false, rows: 0, guessConfirmed: false, method: undefined, flights: 0 };
  let queried = false;
  let ahead: boolean | undefined;

  function send(messages: (FrontendMessage | undefined)[]): void {
    const encoder = new FrontendEncoder();
    for (const message of messages) if (message) encoder.write(message);
    if (auth.mayPipelineQueries && !queried) {
      queried = true;
      encoder.write(QUERY);
    }
    const bytes = encoder.take();
    if (bytes.length === 0) return;
    seen.flights++;
    stream.write(bytes);
  }

  /** True at the end. */
  async function take(message: BackendMessage): Promise<boolean> {
    if (message.name === 'ErrorResponse') {
      seen.outcome = `server: ${message.fields.C}`;
      return true;
    }
    if (message.name === 'DataRow') seen.rows++;
    if (message.name === 'ReadyForQuery') return seen.rows > 0;
    if (!message.name.startsWith('Authentication')) return false;
    if (message.name === 'AuthenticationSASLFinal' || message.name === 'AuthenticationOk') ahead ??= queried;
    const request = message.name === 'AuthenticationSASL' && offered ? { ...message, mechanisms: offered } : message;
    const step = await auth.on(request as AuthenticationMessage);
    if (step.step === 'wrong-guess') {
      seen.outcome = `wrong-guess: ${step.method}`;
      return true;
    }
    if (step.step === 'done') seen.outcome = 'done';
    send(step.step === 'send' ? [step.message] : []);
    return false;
  }

  async function run(): Promise<void> {
    const first = await auth.first(guess);
    const parameters = new Map([
      ['user', user],
      ['database', database],
    ]);
    send([{ name: 'StartupMessage', version: 0x0003_0000, parameters }, first]);
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      decoder.push(chunk as Buffer);
      for (let message = decoder.next(); message; message = decoder.next()) if (await take(message)) return;
    }
    throw new Error(`the server ended the connection, ${JSON.stringify(seen)}`);
  }

  try {
    await run();
  } catch (error) {
    if (!(error instanceof PgError)) throw error;
    seen.outcome = error.code;
  } finally {
    stream.destroy();
    socket.destroy();
    await closed;
  }
  return {
    ...seen,
    pipelined: ahead === true && seen.rows > 0,
    guessConfirmed: auth.guessConfirmed,
    method: auth.method,
  };
}

const USERS = [
  { name: 'alice', password: PASSWORD },
  { name: 'prepared', password: PREPARED },
  { name: 'raw', password: RAW },
  { name: 'hashed', password: PASSWORD, encryption: 'md5' },
  { name: 'clear', password: PASSWORD },
  { name: 'trusted' },
] as const;

const HBA = [
  'host all hashed all md5',
  'host all clear all password',
  'host all trusted all trust',
  'host all all all scram-sha-256',
];

type LinkName = 'plain' | 'unverified' | 'verified';
/** User, guess, connection; outcome, method, whether the query went ahead, flights. */
type Row = [string, LoginGuess | undefined, LinkName, string, string, boolean, number];

const ROWS: Row[] = [
  ['alice', undefined, 'plain', 'done', 'scram-sha-256', false, 4],
  ['alice', 'scram-sha-256', 'plain', 'done', 'scram-sha-256', false, 3],
  ['alice', undefined, 'unverified', 'done', 'scram-sha-256-plus', false, 4],
  ['alice', 'scram-sha-256-plus', 'unverified', 'done', 'scram-sha-256-plus', false, 3],
  ['alice', undefined, 'verified', 'done', 'scram-sha-256-plus', true, 3],
  ['alice', 'scram-sha-256-plus', 'verified', 'done', 'scram-sha-256-plus', true, 2],
  ['alice', 'scram-sha-256', 'verified', 'wrong-guess: scram-sha-256-plus', 'scram-sha-256-plus', false, 1],
  ['alice', 'password', 'verified', 'wrong-guess: scram-sha-256-plus', 'scram-sha-256-plus', false, 1],
  ['alice', 'none', 'verified', 'wrong-guess: scram-sha-256-plus', 'scram-sha-256-plus', false, 1],
  ['alice', 'none', 'unverified', 'done', 'scram-sha-256-plus', false, 4],
  ['hashed', undefined, 'plain', 'done', 'md5', false, 3],
  ['hashed', undefined, 'verified', 'done', 'md5', true, 2],
  ['hashed', 'scram-sha-256-plus', 'verified', 'wrong-guess: md5', 'md5', false, 1],
  ['clear', undefined, 'plain', 'done', 'password', false, 3],
  ['clear', undefined, 'verified', 'done', 'password', true, 2],
  ['clear', 'password', 'verified', 'done', 'password', true, 1],
  ['clear', 'password', 'unverified', 'done', 'password', false, 3],
  ['clear', 'scram-sha-256-plus', 'verified', 'wrong-guess: password', 'password', false, 1],
  ['trusted', undefined, 'verified', 'done', 'none', false, 2],
  ['trusted', 'none', 'verified', 'done', 'none', true, 1],
  ['trusted', 'none', 'plain', 'done', 'none', false, 2],
  ['trusted', 'scram-sha-256-plus', 'verified', 'wrong-guess: none', 'none', false, 1],
];

describe('codec/pg/auth with real servers', function () {
  this.timeout(60_000);

  for (const version of [15, 17, 18] as const) {
    describe(`PostgreSQL ${version}`, () => {
      let server: PostgresServer;
      let certificate: Certificate;
      const target = (link: LinkName): Target =>
        link === 'plain'
          ? { port: server.port }
          : { port: server.port, tls: certificate, verified: link === 'verified' };

      before(async function () {
        requirePart(this, `postgresql-${version}`);
        certificate = await makeCertificate({ names: ['localhost'] });
        server = await startPostgres({ version, tls: certificate, hba: HBA, users: USERS });
      });
      after(() => server?.stop());

      for (const [user, guess, link, outcome, method, pipelined, flights] of ROWS) {
        it(`${user}, ${guess ?? 'no guess'}, ${link}: ${outcome}, ${flights} flights`, async () => {
          const seen = await logIn(target(link), { user, ...(guess && { guess }) });
          const isDone = outcome === 'done';
          expect(seen).to.deep.equal({
            outcome,
            pipelined,
            rows: isDone ? 1 : 0,
            guessConfirmed: isDone,
            method,
            flights,
          });
        });
      }

      it('prepares passwords as the server does, those too that SASLprep refuses', async () => {
        expect(await logIn(target('plain'), { user: 'prepared', password: PREPARED })).to.include({ outcome: 'done' });
        expect(await logIn(target('plain'), { user: 'prepared', password: 'pa sswoIXrd' })).to.include({
          outcome: 'done',
        });
        expect(await logIn(target('plain'), { user: 'raw', password: RAW })).to.include({ outcome: 'done' });
      });

      it('tells the login that failed from the guess that did', async () => {
        const guess = 'scram-sha-256-plus';
        expect(await logIn(target('verified'), { guess, password: 'wrong' })).to.include({
          outcome: 'server: 28P01',
          guessConfirmed: true,
          rows: 0,
        });
        expect(await logIn(target('verified'), { guess, user: 'nobody' })).to.include({ outcome: 'server: 28P01' });
        expect(await logIn(target('verified'), { guess, database: 'none' })).to.include({ outcome: 'server: 3D000' });
      });

      it('binds to certificates of each kind of key', async () => {
        for (const keyType of ['rsa', 'ecdsa', 'ecdsa-sha384'] as const) {
          const other = await makeCertificate({ names: ['localhost'], keyType });
          await server.setTls(other);
          const seen = await logIn(
            { port: server.port, tls: other },
            { channelBinding: 'require', guess: 'scram-sha-256-plus' },
          );
          expect(seen, keyType).to.include({
            outcome: 'done',
            method: 'scram-sha-256-plus',
            pipelined: false,
            flights: 3,
          });
        }
        await server.setTls(certificate);
      });

      it('is refused where something on the way took the offer of -PLUS out: the y in the exchange', async () => {
        const stripped = await logIn(target('verified'), { offered: ['SCRAM-SHA-256'] });
        expect(stripped).to.include({ outcome: 'server: 28000', method: 'scram-sha-256', rows: 0 });
        const disabled = await logIn(target('verified'), { guess: 'scram-sha-256', channelBinding: 'disable' });
        expect(disabled).to.include({ outcome: 'done', method: 'scram-sha-256', pipelined: true, flights: 2 });
      });

      it('obeys channel_binding and require_auth', async () => {
        const rows: [Login & { link: LinkName }, string][] = [
          [{ link: 'plain', channelBinding: 'require' }, 'ERR_PG_CHANNEL_BINDING'],
          [{ link: 'verified', channelBinding: 'require' }, 'done'],
          [{ link: 'verified', channelBinding: 'require', user: 'hashed' }, 'ERR_PG_CHANNEL_BINDING'],
          [{ link: 'verified', channelBinding: 'require', user: 'clear' }, 'ERR_PG_CHANNEL_BINDING'],
          [{ link: 'verified', channelBinding: 'require', user: 'trusted' }, 'ERR_PG_CHANNEL_BINDING'],
          [{ link: 'plain', requireAuth: new Set(['scram-sha-256']) }, 'done'],
          [{ link: 'plain', requireAuth: new Set(['md5']) }, 'ERR_PG_AUTH_UNSUPPORTED'],
          [{ link: 'plain', requireAuth: new Set(['scram-sha-256']), user: 'trusted' }, 'ERR_PG_AUTH_UNSUPPORTED'],
          [{ link: 'plain', allowCleartext: false, user: 'clear' }, 'ERR_PG_CLEARTEXT_REFUSED'],
          [{ link: 'plain', password: undefined }, 'ERR_PG_PASSWORD_REQUIRED'],
        ];
        for (const [{ link, ...login }, outcome] of rows) {
          const seen = await logIn(target(link), login);
          expect(seen.outcome, JSON.stringify(login)).to.equal(outcome);
        }
      });

      it('runs PBKDF2 once for a client that comes again', async () => {
        const salted = new SaltedPasswords(defaultPgLimits);
        const again = () => logIn(target('plain'), { salted });
        expect(await countPbkdf2(again)).to.equal(1);
        expect(await countPbkdf2(again)).to.equal(0);
      });
    });
  }

  describe('PgBouncer', () => {
    let upstream: PostgresServer;
    let certificate: Certificate;
    const users = [{ name: 'alice', password: PASSWORD }];

    before(async function () {
      requirePart(this, 'postgresql-15');
      requirePart(this, 'pgbouncer');
      certificate = await makeCertificate({ names: ['localhost'] });
      upstream = await startPostgres({ version: 15, users });
    });
    after(() => upstream?.stop());

    const rows: ['scram-sha-256' | 'md5' | 'plain' | 'trust', LoginGuess | undefined, string, boolean, number][] = [
      ['scram-sha-256', undefined, 'done', true, 3],
      ['scram-sha-256', 'scram-sha-256', 'done', true, 2],
      ['scram-sha-256', 'scram-sha-256-plus', 'wrong-guess: scram-sha-256', false, 1],
      ['scram-sha-256', 'none', 'wrong-guess: scram-sha-256', false, 1],
      ['md5', undefined, 'done', true, 2],
      ['plain', undefined, 'done', true, 2],
      ['plain', 'password', 'done', true, 1],
      ['trust', undefined, 'done', false, 2],
      ['trust', 'none', 'done', true, 1],
    ];
    for (const authType of ['scram-sha-256', 'md5', 'plain', 'trust'] as const) {
      describe(authType, () => {
        let bouncer: PgbouncerServer;
        before(async () => {
          bouncer = await startPgbouncer({ upstream, authType, tls: certificate, users });
        });
        after(() => bouncer?.stop());

        for (const [type, guess, outcome, pipelined, flights] of rows) {
          if (type !== authType) continue;
          it(`${guess ?? 'no guess'}: ${outcome}, ${flights} flights`, async () => {
            const seen = await logIn({ port: bouncer.port, tls: certificate }, { ...(guess && { guess }) });
            expect(seen).to.include({ outcome, pipelined, flights, rows: outcome === 'done' ? 1 : 0 });
          });
        }
      });
    }
  });
});
