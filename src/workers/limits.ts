/** The limits of the front and its workers, with their units and reasons. */
import { changedLimits, type LimitUnit } from '../limit-units.js';
import { WorkersError } from './errors.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;

export interface WorkersLimits {
  /** Bytes on their way to one worker that it has not acknowledged; datagrams over it are shed, connections wait. */
  channelBytes: number;
  /** Messages on their way to one worker that it has not acknowledged. */
  channelMessages: number;
  /** Datagrams in one message. */
  messageDatagrams: number;
  /** How long datagrams may wait for others of the same turn of the event loop, ms. */
  messageDelayMs: number;
  /** How late a worker may acknowledge what it has got, ms, where it has nothing else to say. */
  acknowledgeMs: number;
  /** Connections on their way to one worker; those over it wait in the front. */
  passingConnections: number;
  /** A worker that has not acknowledged for this long lags, ms: its datagrams are shed, for TCP will be sooner. */
  lagMs: number;
  /** How often a worker that has nothing to acknowledge is asked to, ms. */
  pingMs: number;
  /** A worker that has not acknowledged for this long is ended, ms. */
  unresponsiveMs: number;

  /** Sessions whose worker has not answered yet; the oldest is forgotten for a new one. */
  openingSessions: number;
  /** Sessions whose worker has answered, claimed or not; the oldest is forgotten for a new one. */
  answeredSessions: number;
  /** How long it is remembered which worker has a session, ms: longer than any session waits for its tombstone. */
  sessionAgeMs: number;
  /** TCP connections whose first bytes are awaited, or that wait for a worker. */
  arrivingConnections: number;
  /**
   * How long a connection may take for its first bytes, and then wait for a worker, ms, each absolute. A worker gets what
   * tells the protocol, so that its own limit for first bytes does not add to this; its limits for what follows, such as
   * the handshake, begin when it gets the connection.
   */
  arrivalTimeoutMs: number;
  /** The same as the front fills past half, ms. */
  pressureTimeoutMs: number;

  /** How soon a worker that has died is replaced, ms; doubles while they die within `stableMs` of serving. */
  restartMs: number;
  /** The longest that the replacement of a worker waits that has served, ms: with its start, less than a second. */
  restartMaxMs: number;
  /** The longest that the replacement of a worker waits that never came to serve, ms. */
  restartBrokenMaxMs: number;
  /** A worker that served for this long had nothing wrong at its start, ms. */
  stableMs: number;
  /** How long a worker may take from its start until it serves, ms, before it is ended. */
  startTimeoutMs: number;
  /** How long a worker waits for its front's first word, ms. */
  frontTimeoutMs: number;
  /** How long a worker may take to end by itself once it is to be closed, ms. */
  closeTimeoutMs: number;
}

export const defaultWorkersLimits: Readonly<WorkersLimits> = Object.freeze({
  channelBytes: 1 * MiB,
  channelMessages: 1024,
  messageDatagrams: 64,
  messageDelayMs: 1,
  acknowledgeMs: 10,
  passingConnections: 128,
  lagMs: 200,
  pingMs: 1 * SECOND,
  unresponsiveMs: 5 * SECOND,

  openingSessions: 16_384,
  answeredSessions: 65_536,
  sessionAgeMs: 15 * SECOND,
  arrivingConnections: 4096,
  arrivalTimeoutMs: 10 * SECOND,
  pressureTimeoutMs: 2 * SECOND,

  restartMs: 50,
  restartMaxMs: SECOND / 4,
  restartBrokenMaxMs: 10 * SECOND,
  stableMs: 1 * SECOND,
  startTimeoutMs: 30 * SECOND,
  frontTimeoutMs: 5 * SECOND,
  closeTimeoutMs: 10 * SECOND,
});

export const workersLimitUnits: Readonly<Record<keyof WorkersLimits, LimitUnit>> = Object.freeze({
  channelBytes: 'bytes',
  channelMessages: 'count',
  messageDatagrams: 'count',
  messageDelayMs: 'ms',
  acknowledgeMs: 'ms',
  passingConnections: 'count',
  lagMs: 'ms',
  pingMs: 'ms',
  unresponsiveMs: 'ms',

  openingSessions: 'count',
  answeredSessions: 'count',
  sessionAgeMs: 'ms',
  arrivingConnections: 'count',
  arrivalTimeoutMs: 'ms',
  pressureTimeoutMs: 'ms',

  restartMs: 'ms',
  restartMaxMs: 'ms',
  restartBrokenMaxMs: 'ms',
  stableMs: 'ms',
  startTimeoutMs: 'ms',
  frontTimeoutMs: 'ms',
  closeTimeoutMs: 'ms',
});

/**
 * The defaults with `changes` over them; what is undefined there stays at its default.
 * @throws WorkersError ERR_WORKERS_BAD_OPTION for a name that is no limit or a value that its unit does not allow
 */
export function workersLimitsWith(changes: Partial<WorkersLimits> = {}): Readonly<WorkersLimits> {
  return changedLimits({
    defaults: defaultWorkersLimits,
    units: workersLimitUnits,
    changes,
    prefix: 'limits',
    fail: (detail) => new WorkersError('ERR_WORKERS_BAD_OPTION', detail),
  });
}
