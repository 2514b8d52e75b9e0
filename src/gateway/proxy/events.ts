/** What a local proxy reports. Logs are made of these, and of nothing else. */
import type { Timeline } from '../../client/connection.js';
import type { HostAddress, PathAddress } from '../../transport.js';
import type { Carrier, ClientAddress } from '../events.js';
import type { RelayEnd } from '../relay.js';

/** Who connected; of a Unix socket's clients nothing is known but the socket. */
export type ProxyClient = ClientAddress | PathAddress;

/** Why a client's connection ended without having reached a remote. */
export type ProxyRefusal =
  /** It left before it could be told what it wants. */
  | 'client-gone'
  /** It did not say in time what it wants. */
  | 'timeout'
  /** It speaks something that this mode does not carry. */
  | 'protocol'
  /** PostgreSQL without TLS, in transparent mode. */
  | 'tls-required'
  | 'too-many-connections'
  /** No remote could be connected to. */
  | 'unreachable'
  /** A remote was connected to, and TLS with it, or what comes before the login, failed. */
  | 'remote-failed'
  /** The proxy closed. */
  | 'closing';

export type ProxyEvent =
  | { type: 'listening'; address: HostAddress | PathAddress }
  /** A remote did not connect; the next one is tried, where there is one. */
  | { type: 'unreachable'; target: HostAddress; error: Error; next: HostAddress | undefined }
  | { type: 'refused'; reason: ProxyRefusal; client: ProxyClient; error: Error | undefined }
  | ({ type: 'connection-end' } & ProxyConnection);

/** One connection that reached a remote, when it is over. */
export interface ProxyConnection {
  client: ProxyClient;
  target: HostAddress;
  /** What carried TLS's first flights to the remote. */
  carrier: Carrier;
  protocol: 'tls' | 'postgresql' | 'other';
  /** What the ClientHello named, the client's or the proxy's own. */
  serverName: string | undefined;
  /** What the client offered; what was agreed to where the proxy makes the TLS session. */
  alpn: readonly string[];
  timings: ProxyTimings;
  /** Bytes from the client to the remote; plaintext where the proxy makes the TLS session. */
  up: number;
  down: number;
  reason: RelayEnd['reason'];
  error: Error | undefined;
}

/** ms. */
export interface ProxyTimings {
  /** Until it was known what the client wants, since it connected. */
  helloMs: number;
  /** How long the remote took: TCP, and TLS where the proxy makes it. Not since the beginning. */
  connectMs: number;
  totalMs: number;
  /** How TurboTLS went, since the remote was dialled; undefined for what goes without (a CancelRequest). */
  turbo: Readonly<Timeline> | undefined;
}
