import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TLSSocket,
} from 'node:tls';
import { expect } from 'chai';
import { connect, type TurboConnectionOptions, type TurboSocket } from '../../src/client/connect.js';
import { PathMemory } from '../../src/client/path-memory.js';
import { createServer, type TurboServer } from '../../src/engine/create-server.js';
import { TurboError, type TurboErrorCode } from '../../src/errors.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';

type AnyConnect = (...args: unknown[]) => TurboSocket;

function expectCode(run: () => unknown, code: TurboErrorCode, text: string): void {
  expect(run, text).to.throw(TurboError, text).with.property('code', code);
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|UDP/.test(kind)).length;
}

describe('client/connect', () => {
  let certificate: Certificate;
  let server: TurboServer;
  let port: number;
  const clients: TLSSocket[] = [];

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1', '::1'] });
    const { key, cert } = certificate;
    server = createServer({ key, cert }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    server.on('tlsClientError', () => {});
    server.listen(0);
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    await until(() => server.turbo?.address() !== null);
  });

  after(async () => {
    server.close();
    await once(server, 'close');
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
  });

  const options = (): TurboConnectionOptions => ({
    ca: certificate.ca,
    turbo: { memory: new PathMemory(), limits: { graceMinMs: 1000 } },
  });

  async function secure(client: TurboSocket): Promise<TurboSocket> {
    clients.push(client);
    await once(client, 'secureConnect');
    expect(client.authorized).to.equal(true);
    client.write('x');
    await once(client, 'data');
    return client;
  }

  describe('takes the arguments of tls.connect:', () => {
    const forms: [string, (given: TurboConnectionOptions) => unknown[]][] = [
      ['(options)', (given) => [{ ...given, port, host: '127.0.0.1' }]],
      ['(options) without a host', (given) => [{ ...given, port, servername: 'localhost' }]],
      ['(options) with the port as a string', (given) => [{ ...given, port: String(port), host: '127.0.0.1' }]],
      ['(port, options)', (given) => [port, { ...given, servername: 'localhost' }]],
      ['(port as a string, options)', (given) => [String(port), { ...given, servername: 'localhost' }]],
      ['(port, host, options)', (given) => [port, '127.0.0.1', given]],
      ['(port, options with a host)', (given) => [port, { ...given, host: '127.0.0.1' }]],
      ['(port, undefined, options)', (given) => [port, undefined, { ...given, host: '127.0.0.1' }]],
    ];
    for (const [name, args] of forms) {
      it(name, async () => {
        const client = await secure((connect as AnyConnect)(...args(options())));
        expect(client.turbo?.carrier).to.equal('udp');
      });

      it(`${name}, and a listener`, async () => {
        let called = 0;
        await secure((connect as AnyConnect)(...args(options()), () => called++));
        expect(called).to.equal(1);
      });
    }

    it('(path, options, listener): a unix socket, as tls.connect', async () => {
      const path = join(tmpdir(), `turbotls-${process.pid}.sock`);
      const { key, cert, ca } = certificate;
      const unix = createTlsServer({ key, cert }, (socket) => socket.pipe(socket)).listen(path);
      await once(unix, 'listening');
      let called = 0;
      const client = await secure(connect(path, { ca, servername: 'localhost' }, () => called++));
      expect(client.turbo).to.equal(undefined);
      expect(called).to.equal(1);
      await secure(connect({ path, ca, servername: 'localhost' }));
      for (const each of clients.splice(0)) each.destroy();
      unix.close();
      await once(unix, 'close');
    });

    it('and changes none of the objects that it is given', async () => {
      const given = Object.freeze({ ...options(), port, host: '127.0.0.1' });
      await secure(connect(given));
    });
  });

  it('with a socket of the caller is tls.connect itself', async () => {
    const { ca } = certificate;
    const client = await secure(connect({ socket: connectTcp(port, '127.0.0.1'), ca, servername: 'localhost' }));
    expect(client.turbo).to.equal(undefined);
  });

  it("with mode 'off' is tls.connect itself", async () => {
    const client = await secure(connect({ ...options(), port, host: '127.0.0.1', turbo: { mode: 'off' } }));
    expect(client.turbo).to.equal(undefined);
  });

  describe('refuses at once, and leaves nothing:', () => {
    const bad: [string, unknown[], TurboErrorCode, string][] = [
      ['an unknown mode', [{ port: 1, turbo: { mode: 'always' } }], 'ERR_TURBO_BAD_OPTION', "got 'always'"],
      ['a mode that is no string', [{ port: 1, turbo: { mode: true } }], 'ERR_TURBO_BAD_OPTION', 'got true'],
      ['an unknown contact', [{ port: 1, turbo: { firstContact: 'slow' } }], 'ERR_TURBO_BAD_OPTION', "got 'slow'"],
      ['an unknown limit', [{ port: 1, turbo: { limits: { speed: 9 } } }], 'ERR_TURBO_BAD_OPTION', 'limits.speed'],
      ['a bad limit', [{ port: 1, turbo: { limits: { flightBytes: 0 } } }], 'ERR_TURBO_BAD_OPTION', 'flightBytes'],
      ['turbo options that are none', [{ port: 1, turbo: 'yes' }], 'ERR_TURBO_BAD_OPTION', "got 'yes'"],
      ['turbo options that are null', [{ port: 1, turbo: null }], 'ERR_TURBO_BAD_OPTION', 'got null'],
      ["a path with mode 'require'", [{ path: '/x', turbo: { mode: 'require' } }], 'ERR_TURBO_REQUIRED', "'path'"],
    ];
    for (const [name, args, code, text] of bad) {
      it(name, () => {
        const before = openSockets();
        expectCode(() => (connect as AnyConnect)(...args), code, text);
        expect(openSockets()).to.equal(before);
      });
    }

    const native: [string, TurboConnectionOptions, string][] = [
      ['no port', { host: 'localhost' }, 'ERR_MISSING_ARGS'],
      ['a port that is none', { port: 70_000 }, 'ERR_SOCKET_BAD_PORT'],
      ['a host that is no string', { port: 443, host: 5 as unknown as string }, 'ERR_INVALID_ARG_TYPE'],
      ['a version that is none', { port: 443, minVersion: 'TLSv9' as 'TLSv1' }, 'ERR_TLS_INVALID_PROTOCOL_VERSION'],
    ];
    for (const [name, given, code] of native) {
      it(`${name}, with the error of tls.connect`, async () => {
        const before = openSockets();
        expect(() => connectTls({ host: '127.0.0.1', ...given } as ConnectionOptions))
          .to.throw()
          .with.property('code', code);
        await new Promise((resolve) => setTimeout(resolve, 5));
        // net.connect itself leaves a handle to the garbage collector where it throws.
        const natively = openSockets() - before;
        expect(() => connect({ host: '127.0.0.1', ...given }))
          .to.throw()
          .with.property('code', code);
        await until(() => openSockets() <= before + 2 * natively);
      });
    }
  });

  it('reports a refused port as tls.connect does, and leaves nothing', async () => {
    const taken = createTcpServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port: closedPort } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, 'close');
    const before = openSockets();
    const client = connect({ ...options(), port: closedPort, host: '127.0.0.1' });
    const [error] = await once(client, 'error');
    expect(error).to.include({ code: 'ECONNREFUSED', port: closedPort });
    await until(() => openSockets() <= before);
  });
});
