import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
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
