/** What a TLS client is told of a server: the name to send and to verify, and whom to trust. */
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';

export function tlsPeer({ serverName, ca }: { serverName: string; ca?: string | undefined }): ConnectionOptions {
  return {
    // An IP address is no server name to send (RFC 6066, section 3); in the certificate it is looked for all the same.
    ...(isIP(serverName)
      ? { checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate) }
      : { servername: serverName }),
    ...(ca !== undefined && { ca }),
  };
}
