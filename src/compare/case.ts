/** Ways to connect, each of which can be measured against a server of its kind. */
import type { HostAddress } from '../transport.js';
import type { Group, Sample } from './model.js';

/** Where a server is, and by what it is known. */
interface ServerTarget {
  /** An IP address, or a name. TLS over TCP goes there. */
  address: HostAddress;
  /** Where TurboTLS goes; `address` where it is the same port. */
  turboAddress?: HostAddress | undefined;
  /** In the certificate. */
  serverName: string;
  /** PEM; default: those that Node trusts. */
  ca?: string | undefined;
}

/** Answers whatever it is sent with at least one byte. */
export interface EchoTarget extends ServerTarget {
  group: 'echo';
  /** What to send when TLS is there; undefined: a connection is measured until TLS is there. */
  request?: string | undefined;
  /** Where the same is spoken over QUIC, with ALPN `echo`. */
  quicAddress?: HostAddress | undefined;
}

export interface HttpsTarget extends ServerTarget {
  group: 'https';
  /** What to GET. */
  path: string;
}

export interface PostgresTarget extends ServerTarget {
  group: 'postgres';
  user: string;
  password?: string | undefined;
  database: string;
}

export interface RedisTarget extends ServerTarget {
  group: 'redis';
  username?: string | undefined;
  password?: string | undefined;
}

export type Target = EchoTarget | HttpsTarget | PostgresTarget | RedisTarget;

export interface Case<T extends Target = Target> {
  /** For machines: `pg-direct`. */
  id: string;
  /** For people: what connects, and how. */
  title: string;
  group: Group;
  /** The id of the case that ratios compare with. */
  reference: string;
  /** Whatever is no part of a connection: programs looked for, modules loaded, proxies started, a first contact made. */
  prepare(target: T, signal: AbortSignal): Promise<Prepared | Missing>;
}

/** A part that the case needs is not here. */
export interface Missing {
  missing: string;
}

export interface Prepared {
  /** ms that each sample spends on starting a program; see CaseResult. */
  startMs?: number | undefined;
  /** One cold connection to the first useful byte, ended and cleared away after. Several may run at once. */
  once(signal: AbortSignal): Promise<Sample>;
  close?(): Promise<void>;
}
