import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect } from 'chai';
import { attach } from '../../src/engine/attach.js';
import { createServer, type ServerOptions } from '../../src/engine/create-server.js';
import { TurboError, type TurboErrorCode } from '../../src/errors.js';
import { until } from '../support/engine-rig.js';
import { takeUdpPort } from '../support/ports.js';

function expectCode(run: () => unknown, code: TurboErrorCode): void {
  expect(run).to.throw(TurboError).with.property('code', code);
}

describe('engine/attach', () => {
  it('refuses bad limits, and leaves the server as it was', () => {
    const server = createTlsServer();
    const listeners = server.listeners('connection');
    expectCode(() => attach(server, { limits: { flightBytes: -1 } }), 'ERR_TURBO_BAD_OPTION');
    expect(server.listeners('connection')).to.deep.equal(listeners);
    attach(server);
  });

  it('refuses a server that has its port', () => {
    const server = createTlsServer();
    attach(server);
    expectCode(() => attach(server), 'ERR_TURBO_ALREADY_ATTACHED');
    expectCode(() => attach(createServer()), 'ERR_TURBO_ALREADY_ATTACHED');
  });

  it('opens and closes the UDP port with the server, as often as that listens', async () => {
    const server = createTlsServer();
    const port = attach(server);
    for (let times = 0; times < 3; times++) {
      expect(port.address()).to.equal(null);
      expect(port.engine).to.equal(undefined);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      await until(() => port.address() !== null);
      expect(port.address()?.port).to.equal((server.address() as AddressInfo).port);
      server.close();
      await once(server, 'close');
    }
    expect(port.address()).to.equal(null);
  });

  it('frees both ports at close(), while connections go on', async () => {
    const server = createTlsServer();
    const port = attach(server);
    const ports = async () => {
      await once(server, 'listening');
      await until(() => port.address() !== null);
      return server.address() as AddressInfo;
    };
    server.listen(0, '127.0.0.1');
    const address = await ports();
    const client = connectTcp(address.port, address.address);
    await once(client, 'connect');
    await until(() => port.engine?.unrouted === 1);
    server.close();
    expect(port.address()).to.equal(null);
    server.listen(address.port, address.address);
    expect(await ports()).to.deep.equal(address);
    client.destroy();
    server.close();
    await once(server, 'close');
    expect(port.engine).to.equal(undefined);
  });

  it('calls a listener of one connection once', async () => {
    const server = createTlsServer();
    let calls = 0;
    server.once('connection', () => calls++);
    attach(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port, address } = server.address() as AddressInfo;
    for (let count = 0; count < 3; count++) {
      const client = connectTcp(port, address);
      client.on('error', () => {});
      client.end(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x01, 0x00]));
      await once(client.resume(), 'close');
    }
    server.close();
    await once(server, 'close');
    expect(calls).to.equal(1);
  });

  it('takes a server that listens already', async () => {
    const server = createTlsServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = attach(server);
    await until(() => port.address() !== null);
    server.close();
    await once(server, 'close');
  });

  it('closes the server where UDP has the port, and says why', async () => {
    const { socket: taken, port } = await takeUdpPort();
    const server = createServer();
    server.listen(port, '127.0.0.1');
    const [error] = await once(server, 'error');
    expect(error).to.be.instanceOf(TurboError).with.property('code', 'ERR_TURBO_LISTEN');
    expect((error as TurboError).cause).to.have.property('code', 'EADDRINUSE');
    await until(() => !server.listening);
    taken.close();
  });
});

describe('engine/create-server', () => {
  it('refuses modes that are none', () => {
    for (const mode of ['require', 'on', true, null]) {
      expectCode(() => createServer({ turbo: { mode } } as unknown as ServerOptions), 'ERR_TURBO_BAD_OPTION');
    }
  });

  it('refuses turbo options that are none', () => {
    for (const turbo of ['yes', 5, null]) {
      expectCode(() => createServer({ turbo } as unknown as ServerOptions), 'ERR_TURBO_BAD_OPTION');
    }
  });

  it("has no port with mode 'off'", () => {
    expect(createServer({ turbo: { mode: 'off' } }).turbo).to.equal(undefined);
    expect(createServer().turbo).not.to.equal(undefined);
  });
});
