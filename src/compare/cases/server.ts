/** A target as clients are told of it. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { HostAddress } from '../../transport.js';
import type { Target } from '../case.js';
import type { Stopwatch } from './stopwatch.js';

/** Where a server is: IP addresses, so that no client's time has DNS in it. */
export interface Server {
  tls: HostAddress;
  turbo: HostAddress;
}

export async function resolveServer({ address, turboAddress = address }: Target): Promise<Server> {
  return { tls: await resolved(address), turbo: await resolved(turboAddress) };
}

async function resolved({ host, port }: HostAddress): Promise<HostAddress> {
  return { host: (await lookup(host)).address, port };
}

/** The certificate is verified and the name in it, whatever the client thinks that the name is. */
export interface VerifyingTls {
  ca?: string;
  servername?: string;
  checkServerIdentity: NonNullable<ConnectionOptions['checkServerIdentity']>;
}

/** Options of node:tls for clients that take them. Node asks for the name as the last step of its handshake. */
export function verifyingTls({ ca, serverName }: Target, watch: Stopwatch): VerifyingTls {
  return {
    ...(ca !== undefined && { ca }),
    // An IP address is no server name (RFC 6066, section 3).
    ...(isIP(serverName) === 0 && { servername: serverName }),
    checkServerIdentity: (_name, certificate) => {
      const error = checkServerIdentity(serverName, certificate);
      if (error === undefined) watch.reached('secure');
      return error;
    },
  };
}
