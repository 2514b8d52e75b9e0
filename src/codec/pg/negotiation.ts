/**
 * How a connection comes to be encrypted, before the first message: libpq's rules for sslmode and sslnegotiation as a
 * state machine without IO. ("SSL Session Encryption"; init_allowed_encryption_methods and PQconnectPoll of libpq 17.)
 *
 *     dial ──onConnected──> answer ──onAnswer──> handshake ──onTls──> ready ──otherwise──> dial
 *       │                     │ 'N' under prefer ─────────────────────> │
 *       └─ plain ──────────────────────────────────────────────────────>┘
 *
 * | sslmode               | the first connection         | and if that does not do                            |
 * | --------------------- | ---------------------------- | -------------------------------------------------- |
 * | disable               | plain                        |                                                    |
 * | allow                 | plain                        | login refused: a new connection with TLS           |
 * | prefer                | SSLRequest                   | 'N': plain on the same; TLS or login fails: a new  |
 * | require, verify-*     | SSLRequest, or TLS at once   |                                                    |
 * | any, Unix socket      | plain                        |                                                    |
 * | any from require on   | the secure transport's TLS   |                                                    |
 */

import type { SslMode, SslNegotiation } from './conninfo/target.js';
import { PgError } from './errors.js';

/** "ALPN" in "SSL Session Encryption". */
export const ALPN_PROTOCOL = 'postgresql';

/** One connection that is to be made. */
export interface Attempt {
  /**
   * `ssl-request`: ask for TLS, then begin it; `direct`: begin TLS at once; `secure`: the transport's streams are TLS
   * already; `local`: a Unix socket, where libpq asks for no TLS either.
   */
  readonly encryption: 'plain' | 'local' | 'ssl-request' | 'direct' | 'secure';
  readonly sslmode: SslMode;
  /** Whether the server must agree to ALPN; where it need not, it must still not agree to anything else. */
  readonly alpn: 'required' | 'optional';
  /** What to try on a new connection if this one does not do. */
  readonly otherwise: Attempt | undefined;
}

export interface Dial {
  readonly name: 'dial';
  readonly attempt: Attempt;
}

/** SSLRequest is to be sent; the server's one byte is awaited. */
export interface Answer {
  readonly name: 'answer';
  readonly attempt: Attempt;
}

/** TLS is being established. */
export interface Handshake {
  readonly name: 'handshake';
  readonly attempt: Attempt;
}

/** StartupMessage may go. */
export interface Ready {
  readonly name: 'ready';
  readonly encryption: 'plain' | 'local' | 'tls';
  /** What to try on a new connection if the server refuses the login on this one. */
  readonly otherwise: Attempt | undefined;
}

export interface Failed {
  readonly name: 'failed';
  readonly error: Error;
}

export type NegotiationState = Dial | Answer | Handshake | Ready | Failed;

export interface NegotiationInput {
  /** As it was given; undefined if nobody did. */
  readonly sslmode: SslMode | undefined;
  readonly sslnegotiation: SslNegotiation | undefined;
  /** Whether the transport's streams are TLS already. */
  readonly secureTransport: boolean;
  /** Whether the address is a Unix socket. */
  readonly local: boolean;
}

const WEAK_MODES: readonly SslMode[] = ['disable', 'allow', 'prefer'];
const STRONG = 'require, verify-ca or verify-full';

/**
 * The first connection to make.
 * @throws PgError ERR_PG_BAD_OPTION where the options contradict each other
 */
export function firstAttempt(input: NegotiationInput): Attempt {
  return input.secureTransport ? overSecureTransport(input) : overPlainTransport(input);
}

function overSecureTransport({ sslmode = 'verify-full', sslnegotiation }: NegotiationInput): Attempt {
  if (WEAK_MODES.includes(sslmode)) {
    throw badOption(`sslmode=${sslmode} contradicts the transport, which is TLS: use ${STRONG}, or tcpTransport()`);
  }
  if (sslnegotiation === 'postgres') {
    throw badOption('sslnegotiation=postgres begins in plaintext, and the transport is TLS: use tcpTransport()');
  }
  const alpn = sslnegotiation === 'direct' ? 'required' : 'optional';
  return { encryption: 'secure', sslmode, alpn, otherwise: undefined };
}

function overPlainTransport({ sslmode = 'prefer', sslnegotiation, local }: NegotiationInput): Attempt {
  if (sslnegotiation === 'turbo') {
    throw badOption('sslnegotiation=turbo needs a transport that does it: pass turboTransport()');
  }
  if (sslnegotiation === 'direct' && WEAK_MODES.includes(sslmode)) {
    throw badOption(`sslnegotiation=direct needs sslmode ${STRONG}, and this is ${sslmode}`);
  }
  const attempt = (encryption: Attempt['encryption'], otherwise?: Attempt): Attempt => {
    return { encryption, sslmode, alpn: encryption === 'direct' ? 'required' : 'optional', otherwise };
  };
  if (local) return attempt('local');
  switch (sslmode) {
    case 'disable':
      return attempt('plain');
    case 'allow':
      return attempt('plain', attempt('ssl-request'));
    case 'prefer':
      return attempt('ssl-request', attempt('plain'));
    default:
      return attempt(sslnegotiation === 'direct' ? 'direct' : 'ssl-request');
  }
}

export function dial(attempt: Attempt): Dial {
  return { name: 'dial', attempt };
}

/** The transport's stream is there. */
export function onConnected({ attempt }: Dial): Answer | Handshake | Ready {
  switch (attempt.encryption) {
    case 'plain':
    case 'local':
      return { name: 'ready', encryption: attempt.encryption, otherwise: attempt.otherwise };
    case 'ssl-request':
      return { name: 'answer', attempt };
    default:
      return { name: 'handshake', attempt };
  }
}

/** The transport gave no stream. Which host is tried next is not decided here. */
export function onDialFailed({ attempt }: Dial, error: Error): Failed {
  return failed(attempt.encryption === 'secure' ? tlsFailure(attempt, error) : error);
}

/**
 * What came after SSLRequest, as much as there was. Nothing of an error message is passed on: nobody has shown to be
 * the server yet (CVE-2024-10977).
 */
export function onAnswer({ attempt }: Answer, bytes: Buffer): Handshake | Ready | Failed {
  const answer = String.fromCharCode(bytes[0] ?? 0);
  if (answer === 'E') return failed(new PgError('ERR_PG_NEGOTIATION', 'it sent an error message instead'));
  if (answer !== 'S' && answer !== 'N') return failed(new PgError('ERR_PG_NEGOTIATION', notAnAnswer(bytes)));
  // In front of TLS they would be taken for what came through it (CVE-2021-23222).
  if (bytes.length > 1) return failed(new PgError('ERR_PG_TLS_INJECTION', `${bytes.length - 1} bytes`));
  if (answer === 'S') return { name: 'handshake', attempt };
  return onRefused(attempt);
}

function notAnAnswer(bytes: Buffer): string {
  return bytes.length === 0 ? 'it sent nothing' : `its first byte is 0x${bytes.toString('hex', 0, 1)}`;
}

/** 'N': this connection is still good for what comes next, if that is plaintext. */
function onRefused({ sslmode, otherwise }: Attempt): Ready | Failed {
  if (otherwise?.encryption === 'plain') {
    return { name: 'ready', encryption: 'plain', otherwise: otherwise.otherwise };
  }
  const detail = sslmode === 'allow' ? 'sslmode=allow, and it refused the login without TLS' : `sslmode=${sslmode}`;
  return failed(new PgError('ERR_PG_TLS_REFUSED', detail));
}

/** The connection ended, or broke with `cause`, while the answer was awaited. */
export function onAnswerLost(_state: Answer, cause?: Error): Failed {
  return failed(new PgError('ERR_PG_CONNECTION_LOST', 'while the answer to SSLRequest was awaited', { cause }));
}

/** @param protocol what was agreed by ALPN; undefined or false: nothing */
export function onTls({ attempt }: Handshake, protocol: string | false | null | undefined): Ready | Dial | Failed {
  if (protocol === ALPN_PROTOCOL || (!protocol && attempt.alpn === 'optional')) {
    return { name: 'ready', encryption: 'tls', otherwise: attempt.otherwise };
  }
  const detail = protocol
    ? `it chose ${JSON.stringify(protocol)}`
    : 'it chose none, and sslnegotiation=direct needs it';
  return onTlsFailed({ name: 'handshake', attempt }, new PgError('ERR_PG_ALPN', detail));
}

/** TLS was not established, for whatever reason: libpq falls back from it, where sslmode lets it. */
export function onTlsFailed({ attempt }: Handshake, error: Error): Dial | Failed {
  return attempt.otherwise ? dial(attempt.otherwise) : failed(tlsFailure(attempt, error));
}

/** How a connection looks that a server has ended because it expected something else than TLS. */
const ENDED: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'ERR_SSL_WRONG_VERSION_NUMBER'];
const DIRECT_ADVICE =
  'it must be PostgreSQL 17 or later, or a proxy, and take ALPN "postgresql"; sslnegotiation=postgres (over ' +
  'tcpTransport()) works with every version';

function tlsFailure({ encryption }: Attempt, error: Error): Error {
  const direct = encryption === 'direct' || encryption === 'secure';
  if (!direct || !ENDED.includes((error as NodeJS.ErrnoException).code)) return error;
  return new PgError('ERR_PG_DIRECT_TLS', DIRECT_ADVICE, { cause: error });
}

function failed(error: Error): Failed {
  return { name: 'failed', error };
}

function badOption(detail: string): PgError {
  return new PgError('ERR_PG_BAD_OPTION', detail);
}
