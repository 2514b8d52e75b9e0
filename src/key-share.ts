/**
 * The key-share group that a server asked for by HelloRetryRequest is offered first next time: it saves a round trip at
 * every connection to PostgreSQL 17, whose default is P-256 alone. Groups are reordered, never removed.
 */
import { type ConnectionOptions, DEFAULT_ECDH_CURVE, type TLSSocket } from 'node:tls';

/** What OpenSSL offers by itself, in its order (SSL_CTX_set1_groups; with ML-KEM from OpenSSL 3.5 on). */
const DEFAULT_GROUPS = hasMlKem()
  ? ['X25519MLKEM768', 'X25519', 'P-256', 'X448', 'P-384', 'P-521', 'ffdhe2048', 'ffdhe3072']
  : ['X25519', 'P-256', 'X448', 'P-521', 'P-384', 'ffdhe2048', 'ffdhe3072', 'ffdhe4096', 'ffdhe6144', 'ffdhe8192'];

/** getEphemeralKeyInfo's names of the groups that have no key share in OpenSSL's first ClientHello. */
const ASKED_FOR: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
  X448: 'X448',
};

function hasMlKem(): boolean {
  const [major = 0, minor = 0] = process.versions.openssl.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 5);
}

/** What a TLSSocket tells of its handshake. */
export type Negotiated = Pick<TLSSocket, 'getProtocol' | 'isSessionReused' | 'getEphemeralKeyInfo'>;

/** The group of a completed TLS 1.3 handshake, where the server must have asked for it. */
export function groupAskedFor(socket: Negotiated): string | undefined {
  if (socket.getProtocol() !== 'TLSv1.3' || socket.isSessionReused()) return undefined;
  const info = socket.getEphemeralKeyInfo();
  return info && 'name' in info && typeof info.name === 'string' ? ASKED_FOR[info.name] : undefined;
}

/** The options with `group` offered first, unless the caller has chosen groups. */
export function withGroupFirst<T extends ConnectionOptions>(options: T, group: string | undefined): T {
  if (!group || options.ecdhCurve || options.secureContext || DEFAULT_ECDH_CURVE !== 'auto') return options;
  return { ...options, ecdhCurve: [group, ...DEFAULT_GROUPS.filter((other) => other !== group)].join(':') };
}
