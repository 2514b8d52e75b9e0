/** The hand-made records talk to a node:tls server that knows nothing of it. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { expect } from 'chai';
import { connectByKeys } from '../../../bench/overhead/extracted-keys.js';
import { makeCertificate } from '../../support/certificates.js';

const BYTES = 1024 * 1024;

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('benchmark of overhead: handshake by node:tls, records by hand', () => {
  let server: Server | undefined;

  async function listen(options: TlsOptions, serve: (socket: TLSSocket) => void) {
    const { key, cert, ca } = await makeCertificate({ names: ['localhost'] });
    server = createServer({ ...options, key, cert }, serve);
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { ca, host: '127.0.0.1', port: (server.address() as AddressInfo).port, servername: 'localhost' };
  }

  afterEach(() => server?.close());

  for (const suite of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384']) {
    it(`carries 1 MiB each way with ${suite}, tickets in between`, async () => {
      const atServer: string[] = [];
      const options = await listen({}, (socket) => {
        const taken: Buffer[] = [];
        atServer.push(socket.getCipher().standardName);
        socket.on('data', (chunk: Buffer) => {
          taken.push(chunk);
          const all = Buffer.concat(taken);
          if (all.length < BYTES) return;
          atServer.push(sha256(all));
          socket.end(all.reverse());
        });
      });
      const sent = randomBytes(BYTES);
      const hash = sha256(sent);
      const connection = await connectByKeys({ ...options, ciphers: suite });
      try {
        const received: Buffer[] = [];
        const done = new Promise<void>((resolve, reject) => {
          connection.onError = reject;
          connection.onBytes = (bytes) => {
            received.push(bytes);
            if (Buffer.concat(received).length === BYTES) resolve();
          };
        });
        connection.write(sent);
        await done;
        expect(atServer).to.deep.equal([suite, hash]);
        expect(sha256(Buffer.concat(received).reverse())).to.equal(hash);
        expect(connection.opener.tickets).to.equal(2);
      } finally {
        connection.destroy();
      }
    });
  }

  it('hears what the server says first', async () => {
    const connection = await connectByKeys(await listen({}, (socket) => void socket.write('hello')));
    try {
      const [bytes] = await new Promise<Buffer[]>((resolve) => {
        connection.onBytes = (bytes) => resolve([bytes]);
      });
      expect(bytes?.toString()).to.equal('hello');
    } finally {
      connection.destroy();
    }
  });

  it('fails where the certificate is not trusted, and where TLS 1.3 is not spoken', async () => {
    const { ca, ...untrusted } = await listen({ maxVersion: 'TLSv1.2' }, () => {});
    const failure = async (options: object) =>
      connectByKeys(options).then(
        () => 'connected',
        ({ code }) => code,
      );
    expect(await failure({ ...untrusted, ca })).to.equal('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    server?.close();
    const { ca: _, ...modern } = await listen({}, () => {});
    expect(await failure(modern)).to.equal('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
});
