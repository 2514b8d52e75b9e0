/** A TLS handshake with itself, in memory: it succeeds if the key signs and is the certificate's. */
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { connect, type SecureContext, TLSSocket } from 'node:tls';

/** @throws the error of the side that signs */
export async function signOnce(secureContext: SecureContext): Promise<void> {
  const [here, there] = duplexPair();
  const server = new TLSSocket(here, { isServer: true, secureContext });
  // Whoever signed the certificate, the client verifies what its key signed.
  const client = connect({ socket: there, rejectUnauthorized: false });
  client.on('error', () => {});
  try {
    await once(server, 'secure');
  } finally {
    client.destroy();
    server.destroy();
  }
}
