/** What a gateway reports. Logs and metrics are made of these, and of nothing else. */
import type { EngineEvent, RefuseReason as EngineRefusal } from '../engine/events.js';
import type { HostAddress } from '../transport.js';
import type { CertificateNews } from './ops/certificate-store.js';
import type { RouteProtocol } from './plan.js';

/** Of a client, as TCP has it or as a trusted PROXY header says. */
export interface ClientAddress {
  address: string;
  port: number;
}

/** `turbo`: TLS began over UDP. */
export type Carrier = 'turbo' | 'tcp';

/** What is known of a connection once it has its route. */
export interface RoutedConnection {
  /** Unique within a gateway; in the order in which routes were found. */
  id: number;
  /** The route's name. */
  route: string;
  mode: 'passthrough' | 'terminate';
  carrier: Carrier;
  protocol: RouteProtocol;
  serverName: string | undefined;
  /** Agreed to in terminate mode, else what the client offers if it is one alone. */
  alpn: string | undefined;
  /** Undefined for a session over UDP that TCP has not claimed: addresses of UDP prove nothing. */
  client: ClientAddress | undefined;
}

/** Since the gateway saw the connection, ms; undefined where it did not come to that. */
export interface ConnectionTimings {
  /** Until the ClientHello was read. */
  helloMs: number;
  /** Until the TLS handshake was done; terminate mode only. */
  handshakeMs: number | undefined;
  /** How long the backend took: TCP, PROXY header, SSLRequest, TLS. Not since the beginning. */
  backendMs: number | undefined;
  /** Until the first byte came from the backend. */
  firstByteMs: number | undefined;
  totalMs: number;
}

/** Why a connection that had a route ended. */
export type EndReason =
  /** That side ended it, or both did. */
  | 'client'
  | 'backend'
  | 'client-error'
  | 'backend-error'
  /** Nothing in either direction for the idle timeout. */
  | 'idle'
  /** The gateway closed, or its drain deadline was over. */
  | 'closing'
  /** No target of the route could be connected to. */
  | 'backend-unreachable'
  /** TLS with the client did not come about; terminate mode only. */
  | 'handshake-failed'
  | 'handshake-timeout'
  /** It brought a CancelRequest, which was passed on. */
  | 'cancel'
  /** The client left, or TCP did not claim its session, before there was a backend. */
  | 'client-gone'
  /** PostgreSQL over TLS: the first message did not come in time. */
  | 'startup-timeout'
  /** PostgreSQL over TLS: the first message is none. */
  | 'startup-invalid'
  | 'too-many-cancels'
  /** A failure of the gateway's own: a bug. */
  | 'internal-error';

export type LimitReason = 'too-many-connections' | 'too-many-on-route' | 'too-many-from-source';

/** Why a connection got no route. */
export type RefusedReason =
  /** As the engine has it: bytes of no protocol, a bad tombstone, silence, … */
  | EngineRefusal
  /** A PROXY header from a network that is not trusted with it. */
  | 'proxy-header-untrusted'
  | 'proxy-header-invalid'
  | 'proxy-header-repeated'
  /** PostgreSQL without TLS. */
  | 'tls-required'
  /** Bytes together with SSLRequest, before its answer (CVE-2021-23222). */
  | 'injected-bytes'
  /** GSSENCRequest a second time. */
  | 'gssenc-repeated'
  | 'client-hello-invalid'
  | 'client-hello-too-long'
  | 'route-timeout'
  /** The session over UDP was not claimed by TCP in time. */
  | 'unclaimed'
  /** No route for the server name, or none without one. */
  | 'no-route'
  /** Routes for the name, none for the ALPN that is offered. */
  | 'no-alpn'
  | LimitReason
  /** More CancelRequests than are passed on. */
  | 'too-many-cancels'
  | 'cancel-request-invalid'
  /** A failure of the gateway's own: a bug. */
  | 'internal-error';

export type GatewayEvent =
  /** A TCP and a UDP port are open. */
  | { type: 'listening'; address: HostAddress }
  /** They take nothing new. */
  | { type: 'unlistening'; address: HostAddress }
  /** A connection has its route and room in its limits. One 'connection-end' follows. */
  | ({ type: 'connection-start' } & RoutedConnection)
  | ({
      type: 'connection-end';
      target: HostAddress | undefined;
      timings: ConnectionTimings;
      /** Bytes from client to backend; plaintext in terminate mode. */
      up: number;
      down: number;
      reason: EndReason;
      error: Error | undefined;
    } & RoutedConnection)
  /** A connection ended without a route; `route` is there where its limits refused it. */
  | {
      type: 'refused';
      reason: RefusedReason;
      carrier: Carrier;
      client: ClientAddress | undefined;
      route: string | undefined;
      serverName: string | undefined;
      error: Error | undefined;
    }
  /** A PostgreSQL CancelRequest was passed on. */
  | {
      type: 'cancel';
      /** Whether it came inside TLS. */
      encrypted: boolean;
      /** Whether the gateway had seen the key. Else it went to every PostgreSQL backend. */
      known: boolean;
      /** How many backends took it. */
      reached: number;
      client: ClientAddress | undefined;
    }
  /** A target's health changed. */
  | { type: 'backend'; route: string; target: HostAddress; healthy: boolean; error: Error | undefined }
  /** A file of a route's certificates was read, at the start and at every change; see CertificateNews. */
  | ({ type: 'certificate'; route: string } & CertificateNews)
  /** No key of a token signs any more in this process: KeyError ERR_KEY_LOST. Once. */
  | { type: 'key-lost'; error: Error }
  /** Another plan is in force. */
  | { type: 'reload'; routes: number; added: HostAddress[]; removed: HostAddress[] }
  | { type: 'drain'; connections: number; deadlineMs: number }
  /** What the engine of one address reports, but refusals: they are 'refused'. `dropped` is one for each datagram. */
  | { type: 'engine'; listen: HostAddress; event: Exclude<EngineEvent, { type: 'refused' }> };

export type GatewayEventListener = (event: GatewayEvent) => void;
