/** What the driver and the processes of `bench/workers.ts` say to each other. */

/** How the server's process serves. */
export type Serving =
  /** node:tls, in this process alone. */
  | { by: 'node:tls' }
  /** This process is the front of so many workers; those that are `bare` do no TLS. */
  | { by: 'workers'; workers: number; bare?: boolean };

export interface Certificates {
  ecdsa: { key: string; cert: string };
  rsa: { key: string; cert: string };
}

/** What both kinds of servers need. The name that a client asks for says which certificate it gets. */
export interface ServerSettings {
  certificates: Certificates;
  /** 48 bytes in hex: session tickets that every worker takes. */
  ticketKeys: string;
}

/** What a client says to hear which process it talks to: its pid, as text. */
export const WHO = 'who?';
export const RSA_NAME = 'rsa.test';
export const ECDSA_NAME = 'ecdsa.test';

/** Event loop delay, ms, and what the process carries meanwhile. */
export interface Delay {
  p50: number;
  p99: number;
  p999: number;
  connections: number;
  /** Handshakes. */
  made: number;
  cpuMs: number;
}

export type Ask =
  | { ask: 'start'; serving: Serving; settings: ServerSettings }
  | { ask: 'cpu' }
  /** Begins to measure, in every process that does TLS. */
  | { ask: 'watch' }
  | { ask: 'delays' }
  | { ask: 'stop' };

export type Answer =
  | { port: number }
  /** User and system CPU of the server's own process, µs. */
  | { cpuUs: number }
  | { watching: true }
  | { delays: Delay[] };

/** What a process of clients is told to do. */
export interface Job {
  port: number;
  ca: string;
  name: string;
  transport: 'tls' | 'turbo';
  /** Handshakes a second; 0: as many as `concurrency` allows. */
  rate: number;
  concurrency: number;
  /** Sessions are resumed. */
  resume: boolean;
  ms: number;
}

export interface JobResult {
  made: number;
  failed: number;
  /** Over UDP. */
  turbo: number;
  resumed: number;
  seconds: number;
  /** From connect to secure, ms. */
  p50: number;
  p99: number;
}

export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
