/**
 * Every limit, with its unit and its reason. All can be set through `turbo: { limits }`.
 *
 * What the wire format fixes (datagram sizes, the factor 3) is in `wire/constants.ts`: it is not for setting.
 */
import { TurboError } from './errors.js';
import { changedLimits, type LimitUnit } from './limit-units.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;
const HOUR = 3600 * SECOND;

export interface Limits {
  // Both ends

  /** Bytes of one side's first flight that go over UDP; the rest waits for TCP. */
  flightBytes: number;
  /** Datagrams of one side's first flight. */
  flightDatagrams: number;

  // Client

  /** Datagrams sent in all to a server that is not known: 6 padded ones earn an answer of 6.9 KB. */
  clientDatagramsUnknown: number;
  /** Datagrams sent in all to a server whose flight was long last time. */
  clientDatagramsMax: number;
  /** Bytes held from UDP, in order or not, until TCP is connected. */
  clientHeldBytes: number;
  /** Datagrams held from UDP until TCP is connected. */
  clientHeldDatagrams: number;
  /** Attempts at one TCP connection, the first one included: a lost SYN costs TCP a second. */
  tcpAttempts: number;
  /** How late TCP's answer may be, compared with UDP's, before the next attempt: this part of UDP's round trip. */
  tcpLateRatio: number;
  /** The same at least, ms. */
  tcpLateMinMs: number;
  /** Least wait for UDP once TCP is connected, ms (the draft's figure). */
  graceMinMs: number;
  /** The wait for UDP once TCP is connected, as a part of the TCP connect time. */
  graceConnectRatio: number;
  /** The longest wait, where UDP is there and only late, as a part of the TCP connect time: all of it is what is at stake. */
  graceMaxRatio: number;
  /** The wait for a server that was late last time, if that is longer: this many times its lag. */
  graceLagFactor: number;
  /**
   * What a claim that cannot be taken back (`fast`) leaves of the session's life for the tombstone's retransmissions, ms:
   * four losses in a row take TCP 3 s. At most half of that life.
   */
  claimMarginMs: number;
  /** Without a Reply for this long, ms, or `replyRoundTrips` if that is longer, the path has failed. */
  replyTimeoutMs: number;
  /** See `replyTimeoutMs`. */
  replyRoundTrips: number;
  /** Endpoints remembered. */
  pathEntries: number;
  /** How long an endpoint is remembered, ms. */
  pathAgeMs: number;
  /** How long a path on which a session was lost stays careful, ms: servers restart, balancers are mended. */
  carefulMs: number;
  /** How long the key-share group that a server asked for is offered first, ms: servers change. */
  groupAgeMs: number;
  /** How long UDP stays unused after it failed, ms; doubles with each failure (Chromium's figures for QUIC). */
  pathBrokenMs: number;
  /** The longest that UDP stays unused, ms. */
  pathBrokenMaxMs: number;

  // Server

  /** Bytes of both streams kept per session that waits for its tombstone; then TLS's writes wait. */
  sessionBytes: number;
  /** Bytes charged for a session's TLS object, which Node does not tell the size of. */
  sessionTlsBytes: number;
  /** Sessions that wait for their tombstone. A full table refuses the new. */
  halfOpenSessions: number;
  /** Bytes of all sessions that wait for their tombstone. */
  halfOpenBytes: number;
  /** IDs of claimed sessions remembered, so that none is claimed twice. */
  claimedSessions: number;
  /** How long a session waits for its tombstone, ms: a lost SYN costs TCP 1 s, two cost 3. */
  sessionLifetimeMs: number;
  /** The same in a full table, ms: it falls linearly from half full on. */
  sessionLifetimeFullMs: number;
  /** How long a TCP connection may take for its first bytes, ms, absolute. */
  firstBytesTimeoutMs: number;
  /** How long a TLS handshake may take, ms. */
  handshakeTimeoutMs: number;
  /** TCP connections whose first bytes are awaited; in a full table the oldest has `pressureTimeoutMs` at most. */
  unroutedConnections: number;
  /** First bytes and handshakes under pressure, ms: each falls to it as its own table fills past half. */
  pressureTimeoutMs: number;
  /** The part of a core that UDP handshakes get when the event loop is busy. */
  handshakeCpuShare: number;
  /** Sessions and connections that wait for `accept()`. */
  acceptBacklog: number;
}

export const defaultLimits: Readonly<Limits> = Object.freeze({
  flightBytes: 16 * KiB,
  flightDatagrams: 16,

  clientDatagramsUnknown: 6,
  clientDatagramsMax: 16,
  clientHeldBytes: 64 * KiB,
  clientHeldDatagrams: 64,
  tcpAttempts: 3,
  tcpLateRatio: 1 / 4,
  tcpLateMinMs: 10,
  graceMinMs: 2,
  graceConnectRatio: 1 / 4,
  graceMaxRatio: 3 / 4,
  graceLagFactor: 1.5,
  claimMarginMs: 3 * SECOND,
  replyTimeoutMs: 1 * SECOND,
  replyRoundTrips: 3,
  pathEntries: 1024,
  pathAgeMs: 48 * HOUR,
  carefulMs: 6 * HOUR,
  groupAgeMs: 6 * HOUR,
  pathBrokenMs: 300 * SECOND,
  pathBrokenMaxMs: 48 * HOUR,

  sessionBytes: 48 * KiB,
  sessionTlsBytes: 100 * KiB,
  halfOpenSessions: 1024,
  halfOpenBytes: 128 * MiB,
  claimedSessions: 16_384,
  sessionLifetimeMs: 10 * SECOND,
  sessionLifetimeFullMs: 2 * SECOND,
  firstBytesTimeoutMs: 10 * SECOND,
  handshakeTimeoutMs: 30 * SECOND,
  unroutedConnections: 4096,
  pressureTimeoutMs: 2 * SECOND,
  handshakeCpuShare: 0.25,
  acceptBacklog: 511,
});

export const limitUnits: Readonly<Record<keyof Limits, LimitUnit>> = Object.freeze({
  flightBytes: 'bytes',
  flightDatagrams: 'count',

  clientDatagramsUnknown: 'count',
  clientDatagramsMax: 'count',
  clientHeldBytes: 'bytes',
  clientHeldDatagrams: 'count',
  tcpAttempts: 'count',
  tcpLateRatio: 'ratio',
  tcpLateMinMs: 'ms',
  graceMinMs: 'ms',
  graceConnectRatio: 'ratio',
  graceMaxRatio: 'ratio',
  graceLagFactor: 'ratio',
  claimMarginMs: 'ms',
  replyTimeoutMs: 'ms',
  replyRoundTrips: 'ratio',
  pathEntries: 'count',
  pathAgeMs: 'ms',
  carefulMs: 'ms',
  groupAgeMs: 'ms',
  pathBrokenMs: 'ms',
  pathBrokenMaxMs: 'ms',

  sessionBytes: 'bytes',
  sessionTlsBytes: 'bytes',
  halfOpenSessions: 'count',
  halfOpenBytes: 'bytes',
  claimedSessions: 'count',
  sessionLifetimeMs: 'ms',
  sessionLifetimeFullMs: 'ms',
  firstBytesTimeoutMs: 'ms',
  handshakeTimeoutMs: 'ms',
  unroutedConnections: 'count',
  pressureTimeoutMs: 'ms',
  handshakeCpuShare: 'ratio',
  acceptBacklog: 'count',
});

/**
 * The defaults with `changes` over them; what is undefined there stays at its default.
 * @throws TurboError ERR_TURBO_BAD_OPTION for a name that is no limit or a value that its unit does not allow
 */
export function limitsWith(changes: Partial<Limits> = {}): Readonly<Limits> {
  return changedLimits({
    defaults: defaultLimits,
    units: limitUnits,
    changes,
    prefix: 'turbo.limits',
    fail: (detail) => new TurboError('ERR_TURBO_BAD_OPTION', detail),
  });
}
