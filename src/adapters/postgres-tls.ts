/**
 * What the PostgreSQL drivers are told of TLS, as options of one connection. A driver that knew of it would send
 * SSLRequest into the stream, so it is told nothing: the adapter takes sslmode and its kin out of the connection string,
 * and means by them what libpq means (`codec/pg/tls-options.ts`). Default: verify-full.
 */
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { resolveConninfo } from '../codec/pg/conninfo/conninfo.js';
import { SSL_MODES, type SslMode } from '../codec/pg/conninfo/target.js';
import { PgError, pgErrorTexts } from '../codec/pg/errors.js';
import { type PgTlsOptions, tlsOptionsFor } from '../codec/pg/tls-options.js';
import { TurboError } from '../errors.js';

/** What a driver takes as `ssl`: words of sslmode, or options of tls.connect. */
export type PostgresSsl = boolean | string | ConnectionOptions | null | undefined;

/** By name, as they stand in the connection string. */
export type TlsParameters = Readonly<Record<string, string>>;

/** sslmode and its kin, and the string without them; the rest of it stays as it is, to the letter. */
export function takeTlsParameters(connectionString: string): { rest: string; parameters: TlsParameters } {
  const queryAt = connectionString.indexOf('?');
  if (queryAt === -1) return { rest: connectionString, parameters: {} };
  const parts = connectionString.slice(queryAt + 1).split('&');
  const taken = parts.filter(isTlsParameter);
  const left = parts.filter((part) => !isTlsParameter(part));
  const rest = connectionString.slice(0, queryAt) + (left.length > 0 ? `?${left.join('&')}` : '');
  return { rest, parameters: Object.fromEntries(new URLSearchParams(taken.join('&'))) };
}

function isTlsParameter(part: string): boolean {
  const [name = ''] = new URLSearchParams(part).keys();
  return name.startsWith('ssl') || name === 'uselibpqcompat';
}

/**
 * Reads the files, and the variables PGSSL…; what is given comes before them, and `ssl` before the connection string.
 * @returns the options for a host
 * @throws TurboError ERR_TURBO_BAD_OPTION
 */
export function postgresTls(ssl: PostgresSsl, parameters: TlsParameters): (host: string) => ConnectionOptions {
  try {
    return planTls(ssl, parameters);
  } catch (cause) {
    if (!(cause instanceof PgError)) throw cause;
    throw badOption(cause.message.slice(pgErrorTexts[cause.code].length + ': '.length), cause);
  }
}

function planTls(ssl: PostgresSsl, parameters: TlsParameters): (host: string) => ConnectionOptions {
  const given = typeof ssl === 'object' && ssl !== null ? withoutUndefined(ssl) : {};
  const { ssl: inString, sslmode: mode, uselibpqcompat: _, ...others } = parameters;
  const word = modeFrom(typeof ssl === 'object' ? undefined : ssl) ?? modeFrom(inString) ?? mode;
  const unverified = word === NO_VERIFY;
  const { tls, sslmode, sslnegotiation } = resolveConninfo(
    { ...LOGIN, ...others, ...(word !== undefined && { sslmode: (unverified ? 'require' : word) as SslMode }) },
    { env: environment() },
  );
  if (sslmode !== undefined) refuseWeak(sslmode, word === undefined ? ' (PGSSLMODE)' : '');
  if (sslnegotiation === 'postgres') {
    throw badOption(
      'sslnegotiation=postgres begins in plaintext, and TurboTLS is TLS from the first byte: leave it out',
    );
  }
  const { rejectUnauthorized, servername } = given;
  if (rejectUnauthorized === false && (sslmode === 'verify-ca' || sslmode === 'verify-full')) {
    throw badOption(`ssl.rejectUnauthorized: false contradicts sslmode=${sslmode}: leave one of them out`);
  }
  const effective = rejectUnauthorized ? 'verify-full' : (sslmode ?? 'verify-full');
  const planFor = (host: string): ConnectionOptions => {
    const plan = tlsOptionsFor({ tls }, { name: servername || host }, effective, pemOf(given));
    return { ...plan.options, ...(unverified && { rejectUnauthorized: false }), ...given };
  };
  checkSecrets(planFor('localhost'));
  // One for each of the hosts that the driver was given.
  const plans = new Map<string, ConnectionOptions>();
  return (host) => {
    const plan = plans.get(host) ?? planFor(host);
    plans.set(host, plan);
    return plan;
  };
}

/** That of pg and of connection strings for it. */
const NO_VERIFY = 'no-verify';

/** What is not looked at here must not be looked for: neither the user's name nor a password file. */
const LOGIN = { user: 'none', password: 'none' };

/** Of libpq's variables those of TLS; and where the user's files are. */
function environment(): NodeJS.ProcessEnv {
  const wanted = Object.entries(process.env).filter(([name]) => /^(PGSSL|HOME$|APPDATA$)/.test(name));
  return Object.fromEntries(wanted);
}

/** `ssl` as drivers have it, as an sslmode; undefined: it says no more than that there is TLS. */
function modeFrom(ssl: boolean | string | null | undefined): string | undefined {
  if (ssl === undefined || ssl === null || ssl === true || ssl === 'true' || ssl === '1') return undefined;
  if (ssl === false || ssl === 'false' || ssl === '0') return 'disable';
  if (ssl === NO_VERIFY || (SSL_MODES as readonly string[]).includes(ssl)) return ssl;
  throw badOption(`ssl must be true, ${NO_VERIFY}, one of ${SSL_MODES.join(', ')}, or options of tls.connect`);
}

function refuseWeak(sslmode: SslMode, origin: string): void {
  if (sslmode !== 'disable' && sslmode !== 'allow' && sslmode !== 'prefer') return;
  const what =
    sslmode === 'disable' && origin === '' ? 'sslmode=disable, or ssl: false,' : `sslmode=${sslmode}${origin}`;
  throw badOption(
    `${what} contradicts TurboTLS, which is always TLS: use require, verify-ca or verify-full, or ` +
      "turbo: { mode: 'off' } for the driver alone",
  );
}

function pemOf({ ca, cert, key, passphrase, crl }: ConnectionOptions): PgTlsOptions {
  return { ca, cert, key, passphrase, crl } as PgTlsOptions; // whatever node:tls takes: it is only handed on
}

/** A certificate that is none is an error here and now, not at each connection. */
function checkSecrets(options: ConnectionOptions): void {
  try {
    createSecureContext(options);
  } catch (cause) {
    throw badOption(`the certificates cannot be used: ${(cause as Error).message}`, cause);
  }
}

/** Where a driver itself would say where to connect and over what. */
const NOT_FOR_TLS = new Set(['host', 'port', 'path', 'socket']);

function withoutUndefined(ssl: ConnectionOptions): ConnectionOptions {
  const entries = Object.entries(ssl).filter(([name, value]) => value !== undefined && !NOT_FOR_TLS.has(name));
  return Object.fromEntries(entries);
}

function badOption(detail: string, cause?: unknown): TurboError {
  return new TurboError('ERR_TURBO_BAD_OPTION', detail, { cause });
}
