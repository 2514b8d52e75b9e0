/** What the tests of node:cluster say to a primary and to its workers, and what comes back. */

/** How the primary's cluster is. */
export interface ClusterSettings {
  key: string;
  cert: string;
  /** What the workers' servers are: turbotls's or Node's. */
  servers: 'turbo' | 'node';
  /** The primary calls sharePorts. */
  share: boolean;
  /** Only when its workers are forked. */
  shareLate: boolean;
  policy: 'rr' | 'none';
  serialization: 'json' | 'advanced';
  ticketKeys?: string;
  /** How long a worker waits for sharePorts. */
  frontTimeoutMs?: number;
}

export type Requests = {
  // To the primary.
  fork: { args: undefined; reply: number };
  /** `worker.disconnect()`, or cluster's, in the primary. */
  disconnectWorker: { args: number; reply: undefined };
  disconnectAll: { args: undefined; reply: undefined };
  /** It ends as soon as nothing but this rig keeps it. */
  endAlone: { args: undefined; reply: undefined };
  sharePorts: { args: { limits?: Record<string, number> } | undefined; reply: string };
  exits: { args: undefined; reply: { pid: number; code: number | null; signal: string | null; wanted: boolean }[] };
  // To a worker.
  listen: { args: Listen; reply: { port: number } | { path: string } | Failure };
  close: { args: string; reply: string | undefined };
  disconnect: { args: undefined; reply: undefined };
  state: { args: string; reply: { events: string[]; listening: boolean; connections: number; address: unknown } };
  shareInWorker: { args: undefined; reply: string };
};

export interface Listen {
  /** The server's name; one that was made before listens again. */
  name: string;
  kind?: 'tls' | 'https' | 'http2' | 'listener';
  options: { host?: string; port?: number; path?: string; exclusive?: boolean };
  maxConnections?: number;
  /** It listens before it is attached. */
  attachLate?: boolean;
  /** `network: nodeNetwork`. */
  own?: boolean;
}

export interface Failure {
  code: string | undefined;
  message: string;
  syscall?: string;
  port?: number;
}

export interface Request {
  id: number;
  /** A worker's process; undefined: the primary. */
  pid?: number | undefined;
  name: keyof Requests;
  args: unknown;
}

export interface Reply {
  replyTo: number;
  value: unknown;
}
