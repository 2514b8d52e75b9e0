/** What a front and a pool report. */
import type { AddressInfo } from 'node:net';

/** Why the front did not pass a datagram on. Its client falls back to TCP. */
export type ShedReason =
  /** It cannot be of a client of ours: its length or its first bytes. */
  | 'malformed'
  /** No worker serves the port. */
  | 'no-worker'
  /** The worker has not acknowledged for `lagMs`. */
  | 'lagging'
  /** As many bytes or messages are on their way to the worker as may be. */
  | 'channel-full';

/** Why the front closed a TCP connection that no worker has got. */
export type ArrivalRefusal =
  | 'timeout'
  | 'too-many'
  | 'closing'
  /** The peer left, or the connection failed. */
  | 'peer-gone';

/** A worker, as events name it. */
export interface WorkerName {
  readonly pid: number | undefined;
}

export type FrontEvent =
  | { type: 'listening' | 'unlistening'; address: AddressInfo }
  /** The worker takes connections from now on. */
  | { type: 'serving'; worker: WorkerName }
  /** The worker is gone, and with it the connections and the sessions that it had. */
  | { type: 'lost'; worker: WorkerName; connections: number; sessions: number }
  /** The worker has not answered for `unresponsiveMs`; it is ended. */
  | { type: 'unresponsive'; worker: WorkerName }
  | { type: 'shed'; reason: ShedReason }
  | { type: 'refused'; reason: ArrivalRefusal; error: Error | undefined }
  | { type: 'udp-error' | 'tcp-error'; error: Error };

export type PoolEvent =
  | FrontEvent
  /** A worker's process was started. */
  | { type: 'started'; worker: WorkerName }
  /** A worker's process has ended; `wanted` where it was told to. */
  | { type: 'ended'; worker: WorkerName; wanted: boolean; code: number | null; signal: NodeJS.Signals | null }
  /** It will be replaced, so many milliseconds later. */
  | { type: 'replacing'; delayMs: number };
