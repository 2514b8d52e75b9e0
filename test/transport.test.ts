import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { startTls, type Transport, tcpTransport, tlsTransport, untilEvent } from '../src/transport.js';
import { makeCertificate } from './support/certificates.js';

const certificate = await makeCertificate({ names: ['localhost'] });
const { cert, key, ca } = certificate;

describe('transports', () => {
  const servers: Server[] = [];

  async function listen(server: Server, path?: string): Promise<number> {
    servers.push(server);
    server.listen(path ?? { host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const echo = () => createServer((socket) => socket.on('error', () => {}).pipe(socket));
  const tlsEcho = () => createTlsServer({ cert, key, ALPNProtocols: ['echo'] }, (socket) => socket.pipe(socket));

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function expectEcho(stream: Duplex): Promise<void> {
    stream.write('hello');
    const [answer] = await once(stream, 'data');
    expect(String(answer)).to.equal('hello');
    stream.destroy();
    await once(stream, 'close');
  }

  async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
    return promise.then(
      () => expect.fail('it was not rejected'),
      (error) => error,
    );
  }

  it('over TCP', async () => {
    const dial = tcpTransport();
    expect(dial.secure).not.to.equal(true);
    await expectEcho(await dial({ host: '127.0.0.1', port: await listen(echo()) }));
  });

  it('over a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'turbotls-'));
    const path = join(folder, 'echo');
    await listen(echo(), path);
    await expectEcho(await tcpTransport()({ path }));
    await rm(folder, { recursive: true });
  });

  it('over TLS, verified, with what the dialler decides over what the transport was made with', async () => {
    const port = await listen(tlsEcho());
    const dial = tlsTransport({ ca, servername: 'elsewhere.test' });
    expect(dial.secure).to.equal(true);
    const wrong = await rejection(dial({ host: '127.0.0.1', port }));
    expect(wrong.code).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
    const tls = { servername: 'localhost', ALPNProtocols: ['echo'] };
    const stream = await dial({ host: '127.0.0.1', port }, { tls });
    expect(stream).to.include({ authorized: true, alpnProtocol: 'echo' });
    await expectEcho(stream);
    expect((await rejection(tlsTransport()({ host: '127.0.0.1', port }))).code).to.match(/SELF_SIGNED|VERIFY/);
  });

  it('start TLS on a stream that is connected', async () => {
    const port = await listen(tlsEcho());
    const stream = await tcpTransport()({ host: '127.0.0.1', port });
    const secure: TLSSocket = await startTls(stream, { ca, servername: 'localhost' });
    expect(secure.authorized).to.equal(true);
    await expectEcho(secure);
    expect(stream.destroyed).to.equal(true);
  });

  it('reject with the error of the connection', async () => {
    const port = await listen(echo());
    for (const server of servers.splice(0)) server.close();
    for (const dial of [tcpTransport(), tlsTransport()] as Transport[]) {
      expect((await rejection(dial({ host: '127.0.0.1', port }))).code).to.equal('ECONNREFUSED');
    }
  });

  it('are ended by a signal, before and while they dial', async () => {
    const silent = createServer((socket) => socket.on('error', () => {}).resume());
    const address = { host: '127.0.0.1', port: await listen(silent) };
    const reason = new Error('enough');
    expect(await rejection(tcpTransport()(address, { signal: AbortSignal.abort(reason) }))).to.equal(reason);
    const controller = new AbortController();
    const dialling = rejection(tlsTransport()(address, { signal: controller.signal }));
    const [socket] = await once(silent, 'connection');
    controller.abort(reason);
    expect(await dialling).to.equal(reason);
    await once(socket, 'close');
  });

  it('throw nothing at the process when a stream fails before its caller can listen', async () => {
    const failing = new Duplex({ read() {}, write() {} });
    const dialled = untilEvent('connect', undefined, () => {
      setImmediate(() => {
        failing.emit('connect');
        failing.destroy(new Error('at once'));
      });
      return failing;
    });
    const stream = await dialled;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(stream.destroyed).to.equal(true);
    expect(stream.errored).to.have.property('message', 'at once');
    expect(stream.listenerCount('error')).to.equal(0);
  });
});
