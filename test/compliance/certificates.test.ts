/** Who is believed: certificates of both ends, names, and what is told where one is refused. */
import type * as tls from 'node:tls';
import { expect } from 'chai';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.js';
import {
  type ClientOptions,
  type Lab,
  onClientError,
  onEach,
  type ServerOptions,
  sameAsNative,
  trace,
  until,
} from './transports.js';

const LIFE = ['connect', 'secureConnect', 'end', 'error', 'close'];

/** What becomes of a connection that one end refuses, at both ends. */
async function refused(lab: Lab, serverOptions: ServerOptions, clientOptions: ClientOptions) {
  const seen = { client: [] as string[], server: [] as string[], message: '', connections: 0 };
  const server = await lab.serve(serverOptions, (socket) => {
    seen.server.push('secureConnection');
    socket.resume();
    for (const event of ['end', 'error', 'close']) socket.on(event, () => seen.server.push(event));
  });
  server.on('connection', () => seen.connections++);
  onClientError(server, (code) => seen.server.push(`tlsClientError ${code}`));
  const client = lab.connect(server, clientOptions);
  seen.client = trace(client, LIFE);
  client.on('error', (error) => {
    seen.message = error.message;
  });
  client.resume();
  await lab.closing(client);
  const over = () => /tlsClientError|close/.test(seen.server.at(-1) ?? '');
  await until(over, 'the server has seen the end');
  return seen;
}

describe('compliance: certificates', () => {
  let client: Certificate;
  let stranger: Certificate;
  let expired: Certificate;

  before(async () => {
    const other = await makeAuthority({ name: 'Another Authority' });
    client = await makeCertificate({ names: ['a client'], usage: 'client' });
    stranger = await makeCertificate({ names: ['a stranger'], usage: 'client', authority: other });
    expired = await makeCertificate({ names: ['localhost'], notAfter: new Date(Date.now() - 3_600_000) });
  });

  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    describe(maxVersion, () => {
      sameAsNative('an authority that the client does not know', (lab) => refused(lab, {}, { ca: [], maxVersion }));

      sameAsNative('another name', (lab) => refused(lab, {}, { servername: 'elsewhere.test', maxVersion }));

      sameAsNative('checkServerIdentity says no', (lab) =>
        refused(lab, {}, { maxVersion, checkServerIdentity: () => new Error('not this one') }),
      );

      sameAsNative('an expired certificate', (lab) =>
        refused(lab, { key: expired.key, cert: expired.cert }, { maxVersion }),
      );

      sameAsNative('a client without the certificate that is required', (lab) =>
        refused(lab, { requestCert: true, ca: lab.certificate.ca, maxVersion }, {}),
      );

      sameAsNative('a client with a certificate of an authority that the server does not know', (lab) =>
        refused(
          lab,
          { requestCert: true, ca: lab.certificate.ca, maxVersion },
          { key: stranger.key, cert: stranger.cert },
        ),
      );

      sameAsNative('a client with the certificate that is required', async (lab) => {
        const { client: socket, peer } = await lab.pair(
          { requestCert: true, ca: lab.certificate.ca, maxVersion },
          { key: client.key, cert: client.cert },
        );
        const own = socket.getCertificate() as tls.PeerCertificate;
        const seenByServer = peer.getPeerCertificate(true);
        const seenByClient = socket.getPeerCertificate(true);
        expect(seenByServer.raw.equals(own.raw)).to.equal(true);
        expect(seenByClient.raw.equals((peer.getCertificate() as tls.PeerCertificate).raw)).to.equal(true);
        return {
          version: socket.getProtocol(),
          authorized: [socket.authorized, peer.authorized],
          names: [seenByServer.subject.CN, seenByClient.subject.CN, seenByClient.issuerCertificate.subject.CN],
          x509: [peer.getPeerX509Certificate()?.subject, socket.getPeerX509Certificate()?.subject],
          own: own.subject.CN,
        };
      });

      sameAsNative('a certificate that is asked for and not required', async (lab) => {
        const { client: socket, peer } = await lab.pair({
          requestCert: true,
          rejectUnauthorized: false,
          ca: lab.certificate.ca,
          maxVersion,
        });
        return [peer.authorized, peer.authorizationError, peer.getPeerCertificate(), socket.authorized];
      });
    });
  }

  sameAsNative('rejectUnauthorized: false goes on, and says why it would not', async (lab) => {
    const { client: socket, peer } = await lab.pair(
      {},
      { ca: [], rejectUnauthorized: false, servername: 'elsewhere.test' },
    );
    peer.end('hello');
    let said = '';
    for await (const chunk of socket) said += chunk;
    return { authorized: socket.authorized, why: socket.authorizationError, said, servername: peer.servername };
  });

  onEach('a refused certificate is not tried again over another carrier', async (lab) => {
    const server = await lab.serve();
    let handshakes = 0;
    onClientError(server, () => handshakes++);
    const port = lab.ports.get(server);
    let sessions = 0;
    port?.events$.subscribe(({ type }) => {
      if (type === 'session' || type === 'plain') sessions++;
    });
    const socket = lab.connect(server, { servername: 'elsewhere.test' });
    const seen = trace(socket, ['error', 'close']);
    await lab.closing(socket);
    await until(() => handshakes > 0, 'the server has seen the refusal');
    expect(seen).to.deep.equal(['error ERR_TLS_CERT_ALTNAME_INVALID', 'close true']);
    expect(handshakes).to.equal(1);
    // Where datagrams get lost, a session may stay that the client went past: still one handshake that was begun.
    if (lab.transport.carrier) expect(sessions).to.equal(1);
  });

  onEach('a chain of twenty certificates arrives whole', async (lab) => {
    const { key, cert } = await makeCertificate({ names: ['localhost'], chainLength: 20 });
    const server = await lab.serve({ key, cert });
    const { client: socket } = await lab.join(server);
    let length = 1;
    let certificate = socket.getPeerCertificate(true);
    while (certificate.issuerCertificate && certificate.issuerCertificate !== certificate) {
      certificate = certificate.issuerCertificate;
      length++;
    }
    expect(length).to.equal(21);
  });

  sameAsNative('what the server is set to later holds for later connections', async (lab) => {
    const server = await lab.serve();
    const { key, cert } = await makeCertificate({ names: ['renewed.test', 'localhost'] });
    const before = await lab.join(server);
    server.setSecureContext({ key, cert });
    const after = await lab.join(server);
    return [before, after].map(({ client: socket }) => socket.getPeerCertificate().subject.CN);
  });

  sameAsNative('a bad certificate of its own is refused when it is given', async (lab) => {
    const server = await lab.serve();
    try {
      lab.connect(server, { key: 'no key', cert: 'no certificate' });
      return 'taken';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  });
});
