/** Limits of the Redis codec and client, each with its unit and its reason. */
import { changedLimits, type LimitUnit } from '../../limit-units.js';
import { RedisError } from './errors.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;

export interface RedisLimits {
  // Codec, both directions

  /** Bytes of one bulk string; Redis itself goes to 512 MiB (proto-max-bulk-len). */
  bulkBytes: number;
  /** Bytes of a line: simple strings, simple errors, inline commands (Redis's PROTO_INLINE_MAX_SIZE). */
  lineBytes: number;

  // Replies

  /** Aggregates within one another. */
  depth: number;
  /** Elements of one aggregate; pairs of a map count twice. */
  aggregateElements: number;
  /** Memory of one whole reply, reckoned as it is announced: its strings, and a fixed sum for every element. */
  replyBytes: number;
  /** Digits of a big number: to convert them takes more than linear time. */
  bigNumberDigits: number;

  // Requests

  /** Arguments of one command, its name among them (Redis before 7.0: 1,048,576). */
  requestArguments: number;
  /** Memory of one whole command, reckoned as that of a reply. */
  requestBytes: number;
  /** Arguments of one command before login (Redis, CVE-2021-32675). */
  unauthenticatedArguments: number;
  /** Bytes of one argument, or of an inline command, before login (Redis, CVE-2021-32675). */
  unauthenticatedBytes: number;

  // Client

  /** Commands of a client that wait for their answer, sent or not. */
  queuedCommands: number;
  /** The first wait before a connection is made again, ms; it doubles with each failure. */
  reconnectMinMs: number;
  /** The longest such wait, ms. */
  reconnectMaxMs: number;
  /** How long `close` waits for answers that are due and for the server's end, ms. */
  closeTimeoutMs: number;
}

export const defaultRedisLimits: Readonly<RedisLimits> = Object.freeze({
  bulkBytes: 256 * MiB,
  lineBytes: 64 * KiB,
  depth: 32,
  aggregateElements: 16 * MiB,
  replyBytes: 512 * MiB,
  bigNumberDigits: 10_000,
  requestArguments: MiB,
  requestBytes: 512 * MiB,
  unauthenticatedArguments: 10,
  unauthenticatedBytes: 16 * KiB,
  queuedCommands: 100_000,
  reconnectMinMs: 50,
  reconnectMaxMs: 10 * SECOND,
  closeTimeoutMs: 5 * SECOND,
});

export const redisLimitUnits: Readonly<Record<keyof RedisLimits, LimitUnit>> = Object.freeze({
  bulkBytes: 'bytes',
  lineBytes: 'bytes',
  depth: 'count',
  aggregateElements: 'count',
  replyBytes: 'bytes',
  bigNumberDigits: 'count',
  requestArguments: 'count',
  requestBytes: 'bytes',
  unauthenticatedArguments: 'count',
  unauthenticatedBytes: 'bytes',
  queuedCommands: 'count',
  reconnectMinMs: 'ms',
  reconnectMaxMs: 'ms',
  closeTimeoutMs: 'ms',
});

/**
 * The defaults with `changes` over them.
 * @throws RedisError ERR_REDIS_BAD_OPTION for a name that is no limit or a value that its unit does not allow
 */
export function redisLimitsWith(changes: Partial<RedisLimits> = {}): Readonly<RedisLimits> {
  return changedLimits({
    defaults: defaultRedisLimits,
    units: redisLimitUnits,
    changes,
    prefix: 'limits',
    fail: (detail) => new RedisError('ERR_REDIS_BAD_OPTION', detail),
  });
}
