/**
 * Session tickets that several processes take from each other: all of them make the same keys of one seed.
 *
 * Each TLS server has keys of its own, so that a session is resumed under no other name, by no other route's policy, and
 * not after a change of certificate (CVE-2025-23419).
 */
import { createHash, hkdfSync } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { TerminateMode } from './plan.js';

export const TICKET_SEED_BYTES = 32;

/** What node:tls takes: names, the key of an HMAC and one of AES (tls.createServer, ticketKeys). */
const TICKET_KEYS_BYTES = 48;
/** As hexadecimal digits, what OpenSSL has room for. */
const CONTEXT_BYTES = 16;

/** What a session was agreed under: it is resumed where all of this is the same. */
export interface TicketScope {
  route: string;
  /** Clients that send a server name, or those that send none. */
  clients: 'named' | 'nameless';
  /** PEM. */
  cert: string;
  clientCertificate: TerminateMode['clientCertificate']['mode'];
  /** Of client certificates, PEM. */
  authorities: string | undefined;
  minVersion: TerminateMode['minVersion'];
  alpn: readonly string[];
}

/** Options of a TLS server. */
export function ticketOptions(seed: Buffer, scope: TicketScope): Pick<TlsOptions, 'ticketKeys' | 'sessionIdContext'> {
  const { route, clients, cert, clientCertificate, authorities = null, minVersion, alpn } = scope;
  const described = JSON.stringify([route, clients, cert, clientCertificate, authorities, minVersion, alpn]);
  const info = `turbotls session tickets ${createHash('sha256').update(described).digest('hex')}`;
  const made = Buffer.from(hkdfSync('sha256', seed, '', info, TICKET_KEYS_BYTES + CONTEXT_BYTES));
  return {
    ticketKeys: made.subarray(0, TICKET_KEYS_BYTES),
    sessionIdContext: made.subarray(TICKET_KEYS_BYTES).toString('hex'),
  };
}
