/** What a local proxy does, resolved: addresses parsed, files read. */
import type { FirstContact } from '../../client/path-memory.js';
import type { HostAddress, PathAddress } from '../../transport.js';

export interface ProxyPlan {
  /** Where clients connect. The host 'localhost' is 127.0.0.1 and, where the machine has it, ::1. At least one. */
  listen: readonly (HostAddress | PathAddress)[];
  /** The gateway, or any server that speaks TLS. */
  to: HostAddress;
  /** Tried in this order where TCP does not connect. */
  backups: readonly HostAddress[];
  mode: TransparentMode | OriginateMode;
  /** On a path that is not known. Default 'fast'. */
  firstContact?: FirstContact | undefined;
  /** What is not given is at its default, `defaultProxyLimits`. */
  limits?: Partial<ProxyLimits> | undefined;
}

/** The client's own TLS, end to end: the proxy holds no key and checks nothing. */
export interface TransparentMode {
  kind: 'transparent';
}

/** TLS begins here, for clients that have none or cannot be told SNI, ALPN or certificates. */
export interface OriginateMode {
  kind: 'originate';
  /** Sent and verified. Default: the remote's host. */
  serverName?: string | undefined;
  /** Offered, in order of preference. Default: "postgresql" with `postgres`, else none. */
  alpn?: readonly string[] | undefined;
  /** PEM. Without `ca` the authorities that Node trusts. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** Whether the certificate and its name are checked. */
  verify: boolean;
  /** The clients speak PostgreSQL: their requests for encryption are answered with no, here. */
  postgres?: boolean | undefined;
}

export interface ProxyLimits {
  /** Clients at once. */
  connections: number;
  /** Bytes of a ClientHello, or of a PostgreSQL client's first messages. */
  firstBytes: number;
  /** How long a client may take to say what the proxy has to know, ms. */
  firstBytesTimeoutMs: number;
  /** How long TCP to one remote may take, and TLS where the proxy does it, ms. */
  connectTimeoutMs: number;
  /** How long a remote that did not connect comes last, ms. */
  holdOffMs: number;
  /** Nothing in either direction for so long ends a connection, ms; 0: never. */
  idleTimeoutMs: number;
}

const SECOND = 1000;

export const defaultProxyLimits: Readonly<ProxyLimits> = Object.freeze({
  connections: 10_000,
  firstBytes: 64 * 1024,
  firstBytesTimeoutMs: 10 * SECOND,
  connectTimeoutMs: 10 * SECOND,
  holdOffMs: 30 * SECOND,
  idleTimeoutMs: 0,
});
