/** Limits of the PostgreSQL codec and client, each with its unit and its reason. */
import { changedLimits, type LimitUnit } from '../../limit-units.js';
import { PgError } from './errors.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;

export interface PgLimits {
  /** Bytes of the first message of a connection (PostgreSQL's MAX_STARTUP_PACKET_LENGTH). */
  startupBytes: number;
  /** Bytes of any message, to either side, before AuthenticationOk (libpq caps errors at 30,000 too). */
  loginMessageBytes: number;
  /** Bytes of any message after login; PostgreSQL itself goes to 1 GiB. */
  messageBytes: number;
  /** Bytes of all that a server reports of itself (ParameterStatus); PostgreSQL has some fifteen of them. */
  parameterBytes: number;
  /** Iterations of SCRAM that a server may ask for; PostgreSQL's default is 4,096. */
  scramIterations: number;
  /** Bytes of a SCRAM message, of a salt and of a nonce come out of this. */
  scramMessageBytes: number;
  /** Salted passwords remembered. */
  saltedPasswords: number;
  /** Servers whose way of logging in is remembered. */
  loginHabits: number;
  /** How long they are remembered, ms. */
  loginHabitAgeMs: number;
  /**
   * Bytes of queries that are sent before the server is ready; the rest waits for that. The first flight of TCP has no
   * room for more (RFC 6928), and a server that ends the login does not read it: its error could be lost.
   */
  loginAheadBytes: number;
  /** Bytes of rows and COPY data held for a reader that is slow, before the socket is paused. */
  readAheadBytes: number;
  /** Rows that the async iterator asks for at a time. */
  fetchRows: number;
  /** Queries that are sent and not answered. */
  pipelinedQueries: number;
  /** Queries that wait to be sent. */
  queuedQueries: number;
  /** How long a connection may take to close politely before it is destroyed, ms. */
  closeTimeoutMs: number;
  /** How long a CancelRequest may take, ms. */
  cancelTimeoutMs: number;
}

export const defaultPgLimits: Readonly<PgLimits> = Object.freeze({
  startupBytes: 10_000,
  loginMessageBytes: 30_000,
  messageBytes: 256 * MiB,
  parameterBytes: 256 * KiB,
  scramIterations: 1_000_000,
  scramMessageBytes: 4 * KiB,
  saltedPasswords: 64,
  loginHabits: 256,
  loginHabitAgeMs: 6 * 3600 * SECOND,
  loginAheadBytes: 12 * KiB,
  readAheadBytes: 256 * KiB,
  fetchRows: 256,
  pipelinedQueries: 1_000,
  queuedQueries: 10_000,
  closeTimeoutMs: 5 * SECOND,
  cancelTimeoutMs: 10 * SECOND,
});

export const pgLimitUnits: Readonly<Record<keyof PgLimits, LimitUnit>> = Object.freeze({
  startupBytes: 'bytes',
  loginMessageBytes: 'bytes',
  messageBytes: 'bytes',
  parameterBytes: 'bytes',
  scramIterations: 'count',
  scramMessageBytes: 'bytes',
  saltedPasswords: 'count',
  loginHabits: 'count',
  loginHabitAgeMs: 'ms',
  loginAheadBytes: 'bytes',
  readAheadBytes: 'bytes',
  fetchRows: 'count',
  pipelinedQueries: 'count',
  queuedQueries: 'count',
  closeTimeoutMs: 'ms',
  cancelTimeoutMs: 'ms',
});

/**
 * The defaults with `changes` over them.
 * @throws PgError ERR_PG_BAD_OPTION for a name that is no limit or a value that its unit does not allow
 */
export function pgLimitsWith(changes: Partial<PgLimits> = {}): Readonly<PgLimits> {
  return changedLimits({
    defaults: defaultPgLimits,
    units: pgLimitUnits,
    changes,
    prefix: 'limits',
    fail: (detail) => new PgError('ERR_PG_BAD_OPTION', detail),
  });
}
