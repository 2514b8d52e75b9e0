/**
 * What a connection needs to know, once strings, environment, files and defaults have been read: a PgTarget. Hosts are
 * in the order in which they were given; `hostsInOrder` is the order in which to try them.
 */
import type { Address } from '../../../transport.js';

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** `turbo` is this project's: TLS before TCP is connected, by a transport that does so. */
export const SSL_NEGOTIATIONS = ['postgres', 'direct', 'turbo'] as const;
export type SslNegotiation = (typeof SSL_NEGOTIATIONS)[number];

export const CHANNEL_BINDINGS = ['disable', 'prefer', 'require'] as const;
export type ChannelBinding = (typeof CHANNEL_BINDINGS)[number];

/** What require_auth may name; `none`: the server asks for no authentication (trust, client certificate). */
export const AUTH_METHODS = ['password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'oauth', 'none'] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

export const TARGET_SESSION_ATTRS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
export type TargetSessionAttrs = (typeof TARGET_SESSION_ATTRS)[number];

export const LOAD_BALANCE_HOSTS = ['disable', 'random'] as const;
export type LoadBalanceHosts = (typeof LOAD_BALANCE_HOSTS)[number];

export const TLS_VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

export const PROTOCOL_VERSIONS = ['3.0', '3.2', 'latest'] as const;
export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** One server to try. */
export interface PgHost {
  /** Where to dial. The path of a Unix socket is `<dir>/.s.PGSQL.<port>`. */
  readonly address: Address;
  /** The host as it was given, else hostaddr: what certificates are checked against, and what messages call it. */
  readonly name: string;
  /** The numeric address that is dialled in place of the name. */
  readonly hostaddr: string | undefined;
  readonly port: number;
  /** Given, or from the password file for this host. */
  readonly password: string | undefined;
}

/** A file that TLS may need: `given` by name, or the `default` place, where it may or may not exist. */
export interface TlsFile {
  readonly path: string;
  readonly origin: 'given' | 'default';
}

/** What TLS needs, not read yet: paths, and names as libpq has them. */
export interface PgTlsSettings {
  /** `system`: the trust store of Node, whatever files exist. */
  readonly sslrootcert: TlsFile | 'system' | undefined;
  /** Undefined: none is sent (sslcertmode=disable, or no home directory). */
  readonly sslcert: TlsFile | undefined;
  readonly sslkey: TlsFile | undefined;
  /** Of the private key. */
  readonly sslpassword: string | undefined;
  readonly sslcrl: TlsFile | undefined;
  readonly sslcrldir: string | undefined;
  /** Whether the host name is sent in the ClientHello; it is verified either way. */
  readonly sslsni: boolean;
  /** Undefined: Node's own, TLSv1.2, which is libpq's default too. */
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
}

export interface PgTarget {
  /** At least one. */
  readonly hosts: readonly PgHost[];
  readonly user: string;
  readonly dbname: string;
  /** Undefined: given by nobody; then `prefer` over a plain transport, `verify-full` over a secure one. */
  readonly sslmode: SslMode | undefined;
  readonly sslnegotiation: SslNegotiation | undefined;
  readonly channelBinding: ChannelBinding;
  /** The methods that the server may ask for; undefined: any. */
  readonly requireAuth: ReadonlySet<AuthMethod> | undefined;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly loadBalanceHosts: LoadBalanceHosts;
  /** Per host, ms; 0: no limit. */
  readonly connectTimeoutMs: number;
  readonly applicationName: string | undefined;
  /** The parameters of StartupMessage, in the order in which they go. */
  readonly startup: Readonly<Record<string, string>>;
  readonly tls: PgTlsSettings;
  readonly keepalives: { readonly enabled: boolean; readonly idleMs: number | undefined };
  readonly minProtocolVersion: ProtocolVersion;
  readonly maxProtocolVersion: ProtocolVersion;
}
