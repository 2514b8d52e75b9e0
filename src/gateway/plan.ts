/**
 * What a gateway does, resolved: addresses parsed, durations in ms, files named but not yet read. `config` makes it of a
 * file (proto/config.proto); everything else in this folder takes it from here.
 */
import type { BlockList } from 'node:net';
import type { HostAddress } from '../transport.js';

export interface GatewayPlan {
  /** Each a TCP and a UDP port of the same number. At least one. */
  listen: readonly HostAddress[];
  /** From whom PROXY protocol headers are taken; from others they end the connection. */
  proxyProtocolFrom: BlockList;
  /** In the order of the file; the most specific match wins, not the first. */
  routes: readonly RoutePlan[];
  admin: HostAddress | undefined;
  log: LogPlan;
  limits: GatewayLimits;
  /** Processes that serve; undefined: everything is in one. `limits` are of all together: see `shareOf`. */
  workers: number | undefined;
}

export interface LogPlan {
  level: 'error' | 'warn' | 'info' | 'debug';
  format: 'json' | 'text';
}

/** What a client speaks: TLS from its first byte, or after PostgreSQL's SSLRequest (or with ALPN "postgresql"). */
export type RouteProtocol = 'tls' | 'postgresql';

export interface RoutePlan {
  name: string;
  match: RouteMatch;
  mode: PassthroughMode | TerminateMode;
  backend: BackendPlan;
  limits: RouteLimits;
}

/** All of what is given must hold. A route with no server names is the default of its ALPN and protocol. */
export interface RouteMatch {
  /** Lower case: exact ('db.example.com') or with all below it ('*.example.com'); empty: any, none too. */
  serverNames: readonly string[];
  /** One of these must be among what the client offers; empty: any, none too. */
  alpn: readonly string[];
  /** Empty: any. */
  protocols: readonly RouteProtocol[];
}

/** TLS is end to end; only the ClientHello is looked at, and no key is held. */
export interface PassthroughMode {
  kind: 'passthrough';
}

/** TLS ends here. */
export interface TerminateMode {
  kind: 'terminate';
  /** The first is for clients that name none of the certificates' names. */
  certificates: readonly CertificateFiles[];
  /** Of clients: whether they must show a certificate, and whose (file of authorities, PEM). */
  clientCertificate: { mode: 'none' } | { mode: 'request' | 'require'; ca: string };
  /** What is agreed to, in order of preference. Empty: what `match.alpn` says, else no ALPN. */
  alpn: readonly string[];
  minVersion: 'TLSv1.2' | 'TLSv1.3';
}

export interface CertificateFiles {
  /** Path, PEM. The certificate with its chain. */
  cert: string;
  key: KeySource;
}

/** Path, PEM; or what a PKCS#11 token has (RFC 7512). */
export type KeySource = string | { readonly pkcs11: string };

export interface BackendPlan {
  targets: readonly HostAddress[];
  balance: 'round-robin' | 'least-connections' | 'source';
  /**
   * How TLS reaches the backend. `plain`: as it comes; in passthrough that is the client's TLS, from its first byte.
   * `postgres`: behind an SSLRequest. `tls`: TLS of the gateway's own (terminate only), at once; `postgres-tls`: the
   * same behind an SSLRequest.
   */
  transport: 'plain' | 'postgres' | 'tls' | 'postgres-tls';
  /** For `tls` and `postgres-tls`. */
  tls: BackendTls | undefined;
  /** Whether the backend is told the client's address by PROXY v2. */
  proxyProtocol: boolean;
  connectTimeoutMs: number;
  health: { intervalMs: number; timeoutMs: number } | undefined;
}

export interface BackendTls {
  /** Files, PEM. Without `ca` those that Node trusts. */
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  /** Sent and verified; undefined: the target's host. */
  serverName: string | undefined;
  /** Offered; empty: what the client's connection has agreed to. */
  alpn: readonly string[];
  /** Only `false` where the file says so in so many words. */
  verify: boolean;
}

export interface RouteLimits {
  /** Connections of this route at once. */
  connections: number;
  /** Connections of this route from one source address at once. */
  connectionsPerSource: number;
}

export interface GatewayLimits {
  /** Connections in all at once. */
  connections: number;
  /** From the first byte until the route is known, ms. */
  routeTimeoutMs: number;
  /** A TLS handshake that ends here, ms. */
  handshakeTimeoutMs: number;
  /** Bytes of a ClientHello. */
  clientHelloBytes: number;
  /** Nothing in either direction for so long ends a connection, ms; 0: never. */
  idleTimeoutMs: number;
  /** How long connections may go on after SIGTERM, ms. */
  drainTimeoutMs: number;
}

/** The plan of one of so many workers: limits of connections are divided among them, and rounded up. */
export function shareOf(plan: GatewayPlan, workers: number): GatewayPlan {
  const share = (limit: number) => Math.ceil(limit / workers);
  return {
    ...plan,
    routes: plan.routes.map((route) => ({
      ...route,
      limits: {
        connections: share(route.limits.connections),
        connectionsPerSource: share(route.limits.connectionsPerSource),
      },
    })),
    limits: { ...plan.limits, connections: share(plan.limits.connections) },
  };
}
