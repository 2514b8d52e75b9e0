/** Which ways of logging in the caller allows on this connection: channel_binding and require_auth, as libpq has them. */
import type { AuthMethod, ChannelBinding } from '../conninfo/target.js';
import { PgError } from '../errors.js';
import type { AuthenticationMessage } from '../messages.js';
import { serverEndPoint } from './channel-binding.js';

/** What the server asks of a user; `none`: nothing beyond the startup (trust, peer, a client certificate). */
export type LoginMethod = 'none' | 'password' | 'md5' | ScramMethod;
export type ScramMethod = 'scram-sha-256' | 'scram-sha-256-plus';
/** What can be sent before the server has asked. MD5 cannot: it needs the server's salt. */
export type LoginGuess = Exclude<LoginMethod, 'md5'>;

/** What protects the connection. */
export type LinkSecurity =
  /** Nothing: anyone on the way reads along. */
  | { encryption: 'plain' }
  /** A Unix socket: nothing leaves the machine. */
  | { encryption: 'local' }
  | {
      encryption: 'tls';
      /** The certificate has passed sslmode verify-full: this is the server that the caller means. */
      verified: boolean;
      /** The server's certificate, DER. */
      certificate: () => Buffer | undefined;
    };

export interface LoginRules {
  /** Undefined: any method. */
  requireAuth: ReadonlySet<AuthMethod> | undefined;
  channelBinding: ChannelBinding;
  link: LinkSecurity;
}

/** Kerberos V5, GSSAPI and SSPI, by the number in AuthenticationRequest. */
const OTHER_METHODS: Readonly<Record<number, string>> = { 2: 'Kerberos V5', 7: 'GSSAPI', 8: 'GSSAPI', 9: 'SSPI' };
const MECHANISM = /^[A-Z0-9_-]{1,20}$/;
const MECHANISMS_SHOWN = 8;

export function isScram(method: LoginMethod): method is ScramMethod {
  return method === 'scram-sha-256' || method === 'scram-sha-256-plus';
}

/** Whether the server is known to be the right one before it has said a word. */
export function isVerified(link: LinkSecurity): boolean {
  return link.encryption === 'tls' && link.verified;
}

/** What SCRAM-SHA-256-PLUS binds to; undefined where it must not or cannot. */
export function endPointData({ channelBinding, link }: LoginRules): Buffer | undefined {
  if (channelBinding === 'disable' || link.encryption !== 'tls') return undefined;
  const certificate = link.certificate();
  return certificate && serverEndPoint(certificate);
}

function isRequirable(requireAuth: LoginRules['requireAuth'], method: LoginMethod): boolean {
  return requireAuth === undefined || requireAuth.has(isScram(method) ? 'scram-sha-256' : method);
}

/**
 * Whether a message may go ahead of the server's request.
 *
 * | guess              | require_auth has | channel_binding | link                          | password |
 * | ------------------ | ---------------- | --------------- | ----------------------------- | -------- |
 * | none               | none             | not require     | TLS, verified                 |          |
 * | password           | password         | not require     | TLS, verified                 | given    |
 * | scram-sha-256      | scram-sha-256    | not require     | any: it tells no secret       | given    |
 * | scram-sha-256-plus | scram-sha-256    | not disable     | TLS, certificate with a hash  | given    |
 */
export function mayGuess(rules: LoginRules, guess: LoginGuess, hasPassword: boolean): boolean {
  if (!isRequirable(rules.requireAuth, guess) || (guess !== 'none' && !hasPassword)) return false;
  if (guess === 'scram-sha-256-plus') return endPointData(rules) !== undefined;
  if (rules.channelBinding === 'require') return false;
  return guess === 'scram-sha-256' || isVerified(rules.link);
}

/**
 * The method that the server's first message asks for, where the rules allow it.
 * @throws PgError ERR_PG_CHANNEL_BINDING, ERR_PG_AUTH_UNSUPPORTED, ERR_PG_PROTOCOL
 */
export function requestedMethod(rules: LoginRules, message: AuthenticationMessage): LoginMethod {
  switch (message.name) {
    case 'AuthenticationOk':
      return allowed(rules, 'none', 'the server asks for none');
    case 'AuthenticationCleartextPassword':
      return allowed(rules, 'password', 'the server asks for a cleartext password');
    case 'AuthenticationMD5Password':
      return allowed(rules, 'md5', 'the server asks for an MD5 password');
    case 'AuthenticationSASL':
      return allowedMechanism(rules, message.mechanisms);
    case 'AuthenticationOther':
      throw refused(rules, `the server asks for ${OTHER_METHODS[message.method] ?? `method ${message.method}`}`);
    default:
      throw new PgError('ERR_PG_PROTOCOL', `${message.name} before AuthenticationSASL`);
  }
}

/** A method without channel binding. */
function allowed(rules: LoginRules, method: 'none' | 'password' | 'md5', saying: string): LoginMethod {
  if (rules.channelBinding === 'require' || !isRequirable(rules.requireAuth, method)) throw refused(rules, saying);
  return method;
}

function refused({ channelBinding, requireAuth }: LoginRules, saying: string): PgError {
  if (channelBinding === 'require') return new PgError('ERR_PG_CHANNEL_BINDING', saying);
  const detail = requireAuth ? `${saying}, require_auth=${[...requireAuth].join(',')}` : saying;
  return new PgError('ERR_PG_AUTH_UNSUPPORTED', detail);
}

/** libpq's `pg_SASL_init`. */
function allowedMechanism(rules: LoginRules, mechanisms: readonly string[]): ScramMethod {
  const { requireAuth, channelBinding, link } = rules;
  const offersPlus = mechanisms.includes('SCRAM-SHA-256-PLUS');
  if (!isRequirable(requireAuth, 'scram-sha-256')) {
    throw new PgError('ERR_PG_AUTH_UNSUPPORTED', `SASL, require_auth=${[...(requireAuth ?? [])].join(',')}`);
  }
  if (channelBinding === 'require') requiredEndPointData(rules);
  if (link.encryption !== 'tls' && offersPlus) {
    const detail = 'it offers SCRAM-SHA-256-PLUS over a connection without TLS: something on the way removed the TLS';
    throw new PgError('ERR_PG_AUTH_UNSUPPORTED', detail);
  }
  if (channelBinding !== 'disable' && offersPlus) {
    requiredEndPointData(rules);
    return 'scram-sha-256-plus';
  }
  if (channelBinding === 'require') {
    throw new PgError('ERR_PG_CHANNEL_BINDING', 'the server does not offer SCRAM-SHA-256-PLUS');
  }
  if (mechanisms.includes('SCRAM-SHA-256')) return 'scram-sha-256';
  const shown = mechanisms.filter((name) => MECHANISM.test(name)).slice(0, MECHANISMS_SHOWN);
  throw new PgError('ERR_PG_AUTH_UNSUPPORTED', `SASL with ${shown.join(', ') || 'no mechanism'}`);
}

/**
 * What this connection binds to, where it must.
 * @throws PgError ERR_PG_CHANNEL_BINDING
 */
export function requiredEndPointData(rules: LoginRules): Buffer {
  if (rules.link.encryption !== 'tls') throw new PgError('ERR_PG_CHANNEL_BINDING', 'the connection has no TLS');
  const data = endPointData(rules);
  if (data) return data;
  const why = "the server's certificate has no hash for tls-server-end-point, as with Ed25519";
  throw new PgError('ERR_PG_CHANNEL_BINDING', `${why}; channel_binding=disable does without`);
}
