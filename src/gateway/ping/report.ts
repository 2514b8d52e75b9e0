/** What a ping has found out; `turbotls ping --json` prints it as it is. All times are ms. */
import type { Timeline } from '../../client/connection.js';

export interface PingReport {
  /** Of this shape; another number is another shape. */
  version: 1;
  host: string;
  port: number;
  /** Sent as SNI and looked for in the certificate; null for an IP address. */
  serverName: string | null;
  /** When it began, ISO 8601. */
  startedAt: string;
  /** Finding the address of the host. */
  dns: Outcome<{ address: string; ms: number }>;
  tcp: Outcome<{ ms: number }>;
  /** How TLS begins: with the first byte, or behind PostgreSQL's SSLRequest; null: not at all. */
  tlsBegins: 'direct' | 'ssl-request' | null;
  tls: Record<TlsVersion, Outcome<TlsProbe>>;
  /** null where there is no TLS. */
  certificate: CertificateReport | null;
  /** Each protocol was offered alone. */
  alpn: AlpnReport[];
  turbo: Outcome<TurboProbe>;
  postgres: PostgresReport;
}

export type TlsVersion = 'TLSv1.3' | 'TLSv1.2';

/** `error` says why it did not come about, and `code` is Node's, OpenSSL's or ours. */
export type Outcome<T> = ({ ok: true } & T) | { ok: false; error: string; code: string | null };

export interface TlsProbe {
  /** Until TCP was connected. */
  tcpMs: number;
  /** Until the client knew that the handshake was done, since it began to connect. */
  totalMs: number;
  cipher: string;
  /** The group of the key exchange, where it is known. */
  group: string | null;
  /** The server asked for another group than the first that was offered: one round trip more. */
  helloRetry: boolean;
}

export interface TurboProbe {
  /** What the first flights went over. */
  carrier: 'udp' | 'tcp';
  totalMs: number;
  /** When each thing happened, since connecting began. */
  timeline: Timeline;
}

export interface CertificateReport {
  subject: string;
  issuer: string;
  /** DNS names and IP addresses. */
  names: string[];
  /** ISO 8601. */
  validFrom: string;
  validTo: string;
  /** Whole days until it ends; negative: since. */
  daysLeft: number;
  /** Subjects, the server's own first, up to the root as far as they were sent or are trusted here. */
  chain: string[];
  /** Whether a client that verifies takes it; `reason` says why not. */
  trusted: boolean;
  reason: string | null;
}

export interface AlpnReport {
  protocol: string;
  /** `ignored`: the connection came about without a protocol. */
  answer: 'agreed' | 'ignored' | 'refused';
}

/** The server's first byte after a request, or what came in its place. */
export type PostgresAnswer = 'S' | 'N' | 'G' | 'E' | 'other' | 'closed' | 'silent';

export interface PostgresReport {
  /** Whether it answers as PostgreSQL does, or takes its ALPN. */
  spoken: boolean;
  sslRequest: PostgresAnswer;
  gssencRequest: PostgresAnswer;
  /** TLS from the first byte with ALPN "postgresql" (PostgreSQL 17 or later). */
  direct: boolean;
}
