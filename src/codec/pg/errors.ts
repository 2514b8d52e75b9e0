/**
 * Every error that the PostgreSQL codec and client raise themselves, one stable code per failure; `docs/errors.md`
 * explains each. What the server says is a `PgServerError`; failures of TCP, DNS and TLS reach the caller as Node's own.
 */
import { CodedError, type CodedErrorOptions } from '../../coded-error.js';
import type { NoticeFields } from './messages.js';

/** What happened, by code. The text is the start of the message; details follow it. */
export const pgErrorTexts = {
  ERR_PG_BAD_OPTION: 'A connection option is not usable',
  ERR_PG_PROTOCOL: 'The peer sent something that the PostgreSQL protocol does not allow here',
  ERR_PG_MESSAGE_TOO_LONG: 'A message is longer than the limit for this phase of the connection',
  ERR_PG_TLS_REFUSED: 'The server does not offer TLS, and sslmode requires it',
  ERR_PG_TLS_INJECTION: 'Plaintext arrived together with the answer to SSLRequest',
  ERR_PG_NEGOTIATION: 'The server answered SSLRequest with neither S nor N',
  ERR_PG_ALPN: 'The server did not agree to ALPN "postgresql"',
  ERR_PG_DIRECT_TLS: 'The server ended the connection when TLS began without an SSLRequest',
  ERR_PG_AUTH_UNSUPPORTED: 'The server asks for an authentication method that is not supported or not allowed',
  ERR_PG_PASSWORD_REQUIRED: 'The server asks for a password and none was given',
  ERR_PG_CLEARTEXT_REFUSED: 'The server asks for a cleartext password over a connection that is not encrypted',
  ERR_PG_CHANNEL_BINDING: 'channel_binding is required and cannot be had',
  ERR_PG_SCRAM: 'The SCRAM exchange is not valid',
  ERR_PG_SERVER_PROOF: 'The server could not prove that it knows the password',
  ERR_PG_CONNECT_TIMEOUT: 'The connection was not ready within connect_timeout',
  ERR_PG_NO_HOST: 'None of the hosts could be connected to',
  ERR_PG_SESSION_ATTRS: 'No host has the attributes that target_session_attrs asks for',
  ERR_PG_CONNECTION_LOST: 'The connection ended while it was needed',
  ERR_PG_CLOSED: 'The client is closed',
  ERR_PG_COPY: 'COPY was used in a way that this call does not serve',
  ERR_PG_QUEUE_FULL: 'Too many queries wait for their turn',
  ERR_PG_QUERY_TIMEOUT: 'The query did not end within its timeout',
  ERR_PG_ROLLED_BACK: 'The transaction was rolled back instead of committed',
  ERR_PG_TRANSACTION_OVER: 'The transaction is over',
  ERR_PG_BAD_TEXT: 'A value from the server is not in the text format of its type',
  ERR_PG_BAD_VALUE: 'A value cannot be sent as a query parameter',
} as const;

export type PgErrorCode = keyof typeof pgErrorTexts;

export class PgError extends CodedError<PgErrorCode> {
  override readonly name = 'PgError';

  /** @param detail what is particular to this case, and what to do; no secrets. */
  constructor(code: PgErrorCode, detail?: string, options?: CodedErrorOptions) {
    super(code, pgErrorTexts[code], detail, options);
  }
}

/** An ErrorResponse, with all its fields ("Error and Notice Message Fields"). `code` is the SQLSTATE. */
export class PgServerError extends Error {
  override readonly name = 'PgServerError';
  /** All fields as they came, by their one-letter code. */
  readonly fields: NoticeFields;
  /** SQLSTATE, such as '23505'. */
  readonly code: string;
  /** ERROR, FATAL or PANIC, not localised where the server says it (PostgreSQL 9.6 on). */
  readonly severity: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** In the query text, from 1, in characters. */
  readonly position: number | undefined;
  readonly internalPosition: number | undefined;
  readonly internalQuery: string | undefined;
  readonly where: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly dataType: string | undefined;
  readonly constraint: string | undefined;
  readonly file: string | undefined;
  readonly line: string | undefined;
  readonly routine: string | undefined;

  constructor(fields: NoticeFields) {
    super(fields.M ?? 'the server gave no message');
    this.fields = fields;
    this.code = fields.C ?? '';
    this.severity = fields.V ?? fields.S ?? '';
    this.detail = fields.D;
    this.hint = fields.H;
    this.position = fields.P === undefined ? undefined : Number(fields.P);
    this.internalPosition = fields.p === undefined ? undefined : Number(fields.p);
    this.internalQuery = fields.q;
    this.where = fields.W;
    this.schema = fields.s;
    this.table = fields.t;
    this.column = fields.c;
    this.dataType = fields.d;
    this.constraint = fields.n;
    this.file = fields.F;
    this.line = fields.L;
    this.routine = fields.R;
  }
}
