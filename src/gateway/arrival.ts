/** A connection as it arrives: what carries it, since when, and whose it is. */
import type { Duplex } from 'node:stream';
import { filter, firstValueFrom } from 'rxjs';
import type { TcpSocket } from '../platform/network.js';
import { HandshakeState } from '../server/future-tcp-link.js';
import type { ServerIO } from '../server/server-io.js';
import type { ClientAddress } from './events.js';
import { Refusal } from './stop.js';

export interface Endpoints {
  client: ClientAddress;
  /** Where the client connected to. */
  local: ClientAddress;
}

/** It speaks TLS next. */
export type Arrival =
  | { carrier: 'tcp'; stream: Duplex; since: number; endpoints: Endpoints; protocol: 'tls' | 'pg-ssl-request' }
  | {
      carrier: 'turbo';
      stream: ServerIO;
      since: number;
      /** Once TCP has claimed the session; rejects with a Refusal, 'unclaimed', where that does not happen in time. */
      endpoints: Promise<Endpoints>;
    };

/** Of a TCP connection itself. */
export function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: TcpSocket): Endpoints {
  return { client: addressOf(remoteAddress, remotePort), local: addressOf(localAddress, localPort) };
}

/** Of the TCP connection that claims the session; `known` knows more than that says itself. */
export async function endpointsOfSession(io: ServerIO, known: (tcp: TcpSocket) => Endpoints): Promise<Endpoints> {
  const { BOUND, CLOSED } = HandshakeState;
  const bound$ = io.state$.pipe(filter((state) => state === BOUND || state === CLOSED));
  await firstValueFrom(bound$, { defaultValue: undefined });
  if (!io.tcp) throw new Refusal('unclaimed');
  return known(io.tcp);
}

/** A dual-stack socket has IPv4 addresses in the form of IPv6: those of one client are to be the same everywhere. */
function addressOf(address = '', port = 0): ClientAddress {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return { address: mapped?.[1] ?? address, port };
}
