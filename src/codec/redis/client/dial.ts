/** The stream of a connection: plain, or TLS by whichever of the two ways the transport allows. */
import type { Duplex } from 'node:stream';
import { startTls, withServerName } from '../../../transport.js';
import type { RedisConfig } from './options.js';

export async function dial({ address, tls, transport }: RedisConfig, signal: AbortSignal): Promise<Duplex> {
  if (transport.secure || !tls) return transport(address, { signal, tls });
  const stream = await transport(address, { signal });
  const host = 'host' in address ? { host: address.host } : {};
  // The host is what the certificate is verified against where there is no server name, for it is an address.
  return startTls(stream, withServerName({ ...host, ...tls }), signal);
}
