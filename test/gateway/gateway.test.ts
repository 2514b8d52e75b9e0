/** The gateway as a whole: starting, limits, reloading under traffic, draining, closing, and what is left behind. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import {
  connect as connectTurbo,
  type Network,
  nodeNetwork,
  PathMemory,
  type TurboSocket,
} from '../../src/experimental.js';
import { Gateway } from '../../src/gateway/index.js';
import type { GatewayPlan } from '../../src/gateway/plan.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { clientHello } from '../support/client-hello.js';
import { until } from '../support/engine-rig.js';
import { takeUdpPort } from '../support/ports.js';
import { echoes, failure, secured } from './clients.js';
import { closeBackends, type EchoBackend, startEcho } from './echo-backend.js';
import {
  closeGateways,
  filesOf,
  type GatewayRig,
  passthrough,
  planOf,
  GatewayRig as Rig,
  startGateway,
  terminate,
} from './gateway-rig.js';

/** How many sockets this process has. */
function resources(): number {
  const kinds = ['TCPSocketWrap', 'TCPServerWrap', 'UDPWrap', 'UDPWRAP', 'TCPWRAP', 'PipeWrap'];
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind)).length;
}

async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; cause?: unknown }> {
  return promise.then(
    () => new Error('it succeeded'),
    (error) => error,
  );
}

describe('gateway', function () {
  this.timeout(60_000);
  let certificate: Certificate;
  let renewed: Certificate;
  let echo: EchoBackend;
  let before_: number;
  const clients = new Set<Socket>();

  before(async () => {
    certificate = await makeCertificate();
    renewed = await makeCertificate({ commonName: 'renewed' });
  });
  beforeEach(async () => {
    before_ = resources();
    echo = await startEcho({ tls: certificate });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients.clear();
    await closeGateways();
    await closeBackends();
    await until(() => resources() <= before_);
  });

  function open({ host, port }: { host: string; port: number }, turbo = false): TLSSocket {
    const target = { host, port, servername: 'localhost', ca: certificate.ca };
    const limits = { graceMinMs: 1000 };
    const client = turbo
      ? connectTurbo({ ...target, turbo: { memory: new PathMemory(), limits } })
      : connectTls(target);
    clients.add(client);
    return client;
  }

  function secure(...args: Parameters<typeof open>): Promise<TLSSocket> {
    return secured(open(...args));
  }

  function withListen(plan: GatewayPlan, ...ports: number[]): GatewayPlan {
    return { ...plan, listen: ports.map((port) => ({ host: '127.0.0.1', port })) };
  }

  describe('starts', () => {
    it('on every address', async () => {
      const two = [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port: 0 },
      ];
      const rig = await startGateway([passthrough('all', [echo])], { listen: two });
      const { listening, phase } = rig.gateway.state;
      expect(phase).to.equal('running');
      expect(listening).to.have.length(2);
      for (const address of listening) await echoes(await secure(address));
      expect(rig.of('listening').map(({ address }) => address)).to.deep.equal(listening);
    });

    it('on all addresses or on none, and may be started again', async () => {
      const { socket, port } = await takeUdpPort();
      const plan = planOf([passthrough('all', [echo])], {
        listen: [
          { host: '127.0.0.1', port: 0 },
          { host: '127.0.0.1', port },
        ],
      });
      const { gateway } = new Rig(plan);
      const error = await rejection(gateway.start());
      expect(error).to.have.property('code', 'ERR_GATEWAY_LISTEN');
      expect(error).to.have.property('message').that.includes(`127.0.0.1:${port}`);
      expect(error).to.have.nested.property('cause.code', 'ERR_TURBO_LISTEN');
      expect(gateway.state).to.deep.include({ phase: 'new', listening: [], routes: [] });
      await new Promise<void>((resolve) => socket.close(resolve));
      await gateway.start();
      await gateway.close();
    });

    it('not without its certificates', async () => {
      const mode = { certificates: [{ cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' }] };
      const { gateway } = new Rig(planOf([passthrough('first', [echo]), terminate('all', [echo], { mode })]));
      expect(await rejection(gateway.start())).to.have.property('code', 'ERR_GATEWAY_CERTIFICATE');
      const tls = {
        ca: '/nowhere/ca.pem',
        cert: undefined,
        key: undefined,
        serverName: undefined,
        alpn: [],
        verify: true,
      };
      const backend = { transport: 'tls', tls } as const;
      const other = terminate('all', [echo], { mode: { certificates: [filesOf(certificate)] }, backend });
      expect(await rejection(new Gateway(planOf([other])).start())).to.have.property('code', 'ERR_GATEWAY_CERTIFICATE');
    });

    it('once', async () => {
      const { gateway } = await startGateway([]);
      expect(await rejection(gateway.start())).to.have.property('code', 'ERR_GATEWAY_STATE');
      await gateway.close();
      expect(await rejection(gateway.start())).to.have.property('code', 'ERR_GATEWAY_STATE');
      expect(await rejection(gateway.reload(planOf([])))).to.have.property('code', 'ERR_GATEWAY_STATE');
    });
  });

  describe('limits', () => {
    const cases = {
      'too-many-connections': { limits: { limits: { connections: 2 } }, route: {} },
      'too-many-on-route': { limits: {}, route: { connections: 2 } },
      'too-many-from-source': { limits: {}, route: { connectionsPerSource: 2 } },
    };
    for (const [reason, { limits, route }] of Object.entries(cases)) {
      for (const turbo of [false, true]) {
        it(`${reason}, over ${turbo ? 'UDP' : 'TCP'}; a place that was left is taken again`, async () => {
          const rig = await startGateway([passthrough('all', [echo], { limits: route })], limits);
          const [first, second] = [await secure(rig, turbo), await secure(rig, turbo)];
          await echoes(second as TLSSocket);
          expect(rig.gateway.state.connections).to.equal(2);
          const third = open(rig, turbo);
          await failure(third);
          const [refused] = await rig.refused(1);
          expect(refused).to.include({
            reason,
            route: 'all',
            carrier: turbo ? 'turbo' : 'tcp',
            serverName: 'localhost',
          });
          expect(refused?.client?.address).to.equal('127.0.0.1');
          first?.destroy();
          await rig.ended(1);
          await echoes(await secure(rig, turbo));
        });
      }
    }

    it('sessions over UDP that TCP does not claim take a quarter of the route at the backend, and no place of others', async () => {
      const rig = await startGateway([passthrough('all', [echo], { limits: { connections: 8 } })]);
      const network: Network = {
        ...nodeNetwork,
        // TCP connects, and says nothing.
        connectTcp: (options) => Object.assign(nodeNetwork.connectTcp(options), { write: () => true }),
      };
      const spoofed: TurboSocket[] = [];
      for (let i = 0; i < 10; i++) {
        const turbo = { network, memory: new PathMemory(), limits: { graceMinMs: 100 } };
        const client = connectTurbo({
          host: rig.host,
          port: rig.port,
          servername: 'localhost',
          ca: certificate.ca,
          turbo,
        });
        client.on('error', () => {});
        spoofed.push(client);
        clients.add(client);
      }
      await until(() => rig.gateway.state.engine.halfOpen.sessions === 10 && echo.seen === 2);
      expect(rig.gateway.state.connections).to.equal(0);
      for (let i = 0; i < 8; i++) await echoes(await secure(rig));
      expect(echo.seen).to.equal(10);
    });

    it('silence for longer than the idle timeout', async () => {
      const rig = await startGateway([passthrough('all', [echo])], { limits: { idleTimeoutMs: 500 } });
      const client = await secure(rig);
      await echoes(client);
      await failure(client);
      expect((await rig.ended(1))[0]).to.include({ reason: 'idle' });
    });
  });

  describe('reloads', () => {
    it('routes: for new connections; those that are open go on', async () => {
      const rig = await startGateway([passthrough('old', [echo])]);
      const early = await secure(rig);
      const late = await startEcho({ tls: certificate });
      await rig.gateway.reload(planOf([passthrough('new', [late])]));
      await echoes(early);
      await echoes(await secure(rig));
      expect([echo.seen, late.seen]).to.deep.equal([1, 1]);
      early.destroy();
      const [end] = await rig.ended(1);
      expect(end?.route).to.equal('old');
      expect(rig.of('reload')).to.deep.equal([{ type: 'reload', routes: 1, added: [], removed: [] }]);
      expect(rig.gateway.state.routes.map(({ name, connections }) => ({ name, connections }))).to.deep.equal([
        { name: 'new', connections: 1 },
      ]);
    });

    it('certificates', async () => {
      const plain = await startEcho();
      const plan = ({ cert, key }: Certificate) => {
        const files = filesOf({ cert, key, ca: cert });
        return planOf([terminate('all', [plain], { mode: { certificates: [files] } })]);
      };
      const rig = await startGateway(plan(certificate).routes);
      const early = await secure(rig);
      await rig.gateway.reload(plan(renewed));
      await echoes(early);
      const late = await secure(rig);
      expect(late.getPeerCertificate().subject.CN).to.equal('renewed');
      expect(early.getPeerCertificate().subject.CN).to.equal('localhost');
    });

    it('limits: connections of before count', async () => {
      const route = (connections: number) => passthrough('all', [echo], { limits: { connections } });
      const rig = await startGateway([route(1)]);
      await secure(rig);
      await rig.gateway.reload(planOf([route(2)]));
      const second = await secure(rig);
      await failure(open(rig));
      await rig.gateway.reload(planOf([route(1)]));
      await echoes(second);
      await failure(open(rig));
      expect(rig.of('refused').map(({ reason }) => reason)).to.deep.equal(['too-many-on-route', 'too-many-on-route']);
    });

    it('addresses: added and removed without touching connections; a removed port is free at once', async () => {
      const rig = await startGateway([passthrough('all', [echo])]);
      const first = rig.port;
      const [viaTcp, viaUdp] = [await secure(rig), await secure(rig, true)];
      const [free] = await freePorts(1);
      const { gateway } = rig;
      // The plan says port 0 still: it stays. A second one comes.
      const plan = planOf([passthrough('all', [echo])]);
      await gateway.reload({ ...plan, listen: [...plan.listen, { host: '127.0.0.1', port: free as number }] });
      expect(gateway.state.listening.map(({ port }) => port)).to.deep.equal([first, free]);
      await echoes(await secure({ host: rig.host, port: free as number }));
      await echoes(await secure(rig));

      await gateway.reload(withListen(plan, free as number));
      expect(gateway.state.listening.map(({ port }) => port)).to.deep.equal([free]);
      for (const client of [viaTcp, viaUdp]) await echoes(client);
      expect(await failure(open(rig))).to.equal('ECONNREFUSED');
      const [tcp, udp] = [createTcpServer().listen(first, '127.0.0.1'), createSocket('udp4').bind(first, '127.0.0.1')];
      await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
      await new Promise((resolve) => tcp.close(resolve));
      await new Promise<void>((resolve) => udp.close(resolve));
      await echoes(await secure({ host: rig.host, port: free as number }, true));
      for (const client of [viaTcp, viaUdp]) await echoes(client);
      expect(rig.of('reload').map(({ added, removed }) => [added.length, removed.length])).to.deep.equal([
        [1, 0],
        [0, 1],
      ]);
    });

    it('backends: those of before are left alone when their last connection is over', async () => {
      const checked = await startEcho({ tls: certificate });
      const backend = { health: { intervalMs: 10, timeoutMs: 1000 } };
      const rig = await startGateway([passthrough('all', [checked], { backend })]);
      const client = await secure(rig);
      await rig.gateway.reload(planOf([passthrough('all', [echo])]));
      const before = checked.seen;
      await until(() => checked.seen > before + 2);
      client.destroy();
      await rig.ended(1);
      const after = checked.seen;
      await new Promise((resolve) => setTimeout(resolve, 100));
      // One may have been on its way.
      expect(checked.seen).to.be.within(after, after + 1);
    });

    it('or stays as it was, where the new plan cannot be had', async () => {
      const rig = await startGateway([passthrough('all', [echo])]);
      const { socket, port } = await takeUdpPort();
      const [free] = await freePorts(1);
      const plan = planOf([passthrough('new', [echo])]);
      expect(await rejection(rig.gateway.reload(withListen(plan, free as number, port)))).to.have.property(
        'code',
        'ERR_GATEWAY_LISTEN',
      );
      expect(await failure(open({ host: rig.host, port: free as number }))).to.equal('ECONNREFUSED');
      const mode = { certificates: [{ cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' }] };
      const broken = planOf([terminate('all', [echo], { mode })]);
      expect(await rejection(rig.gateway.reload(broken))).to.have.property('code', 'ERR_GATEWAY_CERTIFICATE');
      await echoes(await secure(rig));
      expect(rig.of('reload')).to.have.length(0);
      expect(rig.gateway.state.routes[0]?.name).to.equal('all');
      await new Promise<void>((resolve) => socket.close(resolve));
    });

    it('one after the other, however many are asked for at once', async () => {
      const rig = await startGateway([passthrough('all', [echo])]);
      const plans = Array.from({ length: 5 }, (_, index) => planOf([passthrough(`number ${index}`, [echo])]));
      await Promise.all(plans.map((plan) => rig.gateway.reload(plan)));
      expect(rig.gateway.state.routes[0]?.name).to.equal('number 4');
      const closing = rejection(rig.gateway.reload(planOf([passthrough('late', [echo])])));
      await rig.gateway.close();
      expect(await closing).to.have.property('code', 'ERR_GATEWAY_STATE');
    });

    it('under traffic: no connection is lost', async () => {
      const plain = await startEcho();
      const mode = { certificates: [filesOf(certificate)] };
      const routes = [
        passthrough('through', [echo], { match: { alpn: ['through'] } }),
        terminate('ends', [plain], { mode }),
      ];
      const rig = await startGateway(routes);
      let over = false;
      const reloading = (async () => {
        while (!over) {
          await rig.gateway.reload(planOf(routes));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      })();
      let served = 0;
      const worker = async (turbo: boolean) => {
        for (let i = 0; i < 25; i++) {
          const client = await secure(rig, turbo);
          await echoes(client);
          client.end();
          await once(client, 'close');
          clients.delete(client);
          served++;
        }
      };
      await Promise.all([worker(false), worker(false), worker(true), worker(true)]);
      over = true;
      await reloading;
      expect(served).to.equal(100);
      expect(rig.of('reload').length).to.be.above(5);
      const ends = await rig.ended(100);
      expect(ends.every(({ reason }) => reason === 'client')).to.equal(true);
      expect(rig.of('refused')).to.have.length(0);
    });
  });

  describe('drains', () => {
    for (const turbo of [false, true]) {
      it(`a connection over ${turbo ? 'UDP' : 'TCP'} may end by itself; nothing new begins, and the port is free`, async () => {
        const rig = await startGateway([passthrough('all', [echo])]);
        const client = await secure(rig, turbo);
        await echoes(client);
        let drained = false;
        const draining = rig.gateway.drain(30_000).then(() => {
          drained = true;
        });
        expect(rig.gateway.state.phase).to.equal('draining');
        expect(await failure(open(rig))).to.equal('ECONNREFUSED');
        await echoes(client);
        expect(drained).to.equal(false);
        client.end();
        await draining;
        expect(rig.gateway.state).to.deep.include({ phase: 'closed', listening: [], connections: 0 });
        expect((await rig.ended(1))[0]).to.include({ reason: 'client' });
        expect(rig.of('drain')).to.deep.equal([{ type: 'drain', connections: 1, deadlineMs: 30_000 }]);
        expect(rig.of('unlistening')).to.have.length(1);
      });
    }

    it('what is open at the deadline is ended', async () => {
      const rig = await startGateway([passthrough('all', [echo])], { limits: { drainTimeoutMs: 100 } });
      const client = await secure(rig);
      const ended = failure(client);
      await rig.gateway.drain();
      await ended;
      expect((await rig.ended(1))[0]?.reason).to.be.oneOf(['closing', 'client-error']);
    });

    it('and may be closed meanwhile', async () => {
      const rig = await startGateway([passthrough('all', [echo])]);
      const client = await secure(rig);
      const ended = failure(client);
      const draining = rig.gateway.drain(30_000);
      await rig.gateway.close();
      await Promise.all([draining, ended]);
    });
  });

  describe('closes', () => {
    it('at once, whatever is under way', async () => {
      const plain = await startEcho();
      const slow = { host: '192.0.2.1', port: 1 };
      const rig = await startGateway([
        terminate('ends', [plain], {
          mode: { certificates: [filesOf(certificate)] },
          match: { serverNames: ['localhost'] },
        }),
        passthrough('slow', [slow], { match: { serverNames: ['slow.test'] } }),
        passthrough('through', [echo]),
      ]);
      const beginnings = [
        Buffer.alloc(0),
        Buffer.from([0x16]),
        clientHello().subarray(0, 50),
        clientHello(),
        clientHello({ servername: 'localhost' }),
        clientHello({ servername: 'slow.test' }),
        Buffer.from('0000000804d2162f', 'hex'),
        Buffer.from('0000000804d21630', 'hex'),
        Buffer.from('0000001004d2162e00000001', 'hex'),
      ];
      for (const bytes of beginnings) {
        const socket = connectTcp({ host: rig.host, port: rig.port });
        socket.on('error', () => {}).resume();
        clients.add(socket);
        await once(socket, 'connect');
        if (bytes.length > 0) socket.write(bytes);
      }
      const open_ = [await secure(rig), await secure(rig, true)];
      for (const client of open_) client.on('error', () => {});
      await rig.gateway.close();
      await rig.gateway.close();
      expect(rig.of('connection-start').length).to.equal(rig.of('connection-end').length);
      expect(rig.gateway.state).to.deep.include({ phase: 'closed', connections: 0, listening: [], routes: [] });
      await until(() => [...clients].every((client) => client.closed));
    });

    it('without ever having been started', async () => {
      await new Gateway(planOf([])).close();
      await new Gateway(planOf([])).drain();
    });

    it('while it starts', async () => {
      const { gateway } = new Rig(planOf([passthrough('all', [echo])]));
      const starting = rejection(gateway.start());
      await gateway.close();
      expect(await starting).to.have.property('code', 'ERR_GATEWAY_STATE');
    });
  });

  it('has the ports of the network that it is given, at the start and after a reload', async () => {
    const made: string[] = [];
    const network: Network = {
      ...nodeNetwork,
      createTcpServer: (options) => {
        made.push('tcp');
        return nodeNetwork.createTcpServer(options);
      },
      createUdpSocket: (options) => {
        made.push('udp');
        return nodeNetwork.createUdpSocket(options);
      },
    };
    const routes = [passthrough('all', [echo])];
    const rig = await startGateway(routes, {}, { network });
    for (const turbo of [false, true]) await echoes(await secured(open(rig, turbo)));
    expect(made).to.deep.equal(['tcp', 'udp']);
    await rig.gateway.reload(planOf(routes, { listen: [{ host: '127.0.0.2', port: 0 }] }));
    expect(made).to.deep.equal(['tcp', 'udp', 'tcp', 'udp']);
  });

  it('a listener of events that throws does not harm connections', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const gateway = new Gateway(planOf([passthrough('all', [echo])]), {
      onEvent: () => {
        throw new Error('a listener of a test');
      },
    });
    const [address] = await gateway.start();
    await echoes(await secure(address as AddressInfo & { host: string }));
    await gateway.close();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings.map(({ message }) => message)).to.include('a listener of a test');
  });

  it('500 connections at once, by every way, and nothing is left of them', async () => {
    const plain = await startEcho();
    const rig: GatewayRig = await startGateway([
      terminate('ends', [plain], {
        mode: { certificates: [filesOf(certificate)] },
        match: { serverNames: ['localhost'] },
      }),
      passthrough('through', [echo]),
    ]);
    const target = { host: rig.host, port: rig.port, ca: certificate.ca, checkServerIdentity: () => undefined };
    const sockets: TLSSocket[] = [];
    for (let wave = 0; wave < 10; wave++) {
      const opened = Array.from({ length: 50 }, (_, index) => {
        const servername = index % 2 ? 'localhost' : 'through.test';
        const turbo = { memory: new PathMemory(), limits: { graceMinMs: 2000 } };
        const client =
          index % 4 < 2 ? connectTls({ ...target, servername }) : connectTurbo({ ...target, servername, turbo });
        clients.add(client);
        return client;
      });
      await Promise.all(opened.map(secured));
      sockets.push(...opened);
    }
    await Promise.all(sockets.map((client) => echoes(client)));
    const { state } = rig.gateway;
    expect(state.connections).to.equal(500);
    expect(state.routes.map(({ connections }) => connections)).to.deep.equal([250, 250]);
    const carriers = rig.of('connection-start').map(({ carrier }) => carrier);
    // Not all: the engine gives UDP its share of a busy processor and no more.
    expect(carriers.filter((carrier) => carrier === 'turbo').length).to.be.above(50);
    for (const client of sockets) client.end();
    await rig.ended(500);
    expect(rig.gateway.state.connections).to.equal(0);
    expect(rig.gateway.state.engine.halfOpen.sessions).to.equal(0);
    await until(() => echo.open.size === 0 && plain.open.size === 0);
  });
});

/** Numbers that are free for TCP and UDP now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createTcpServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
