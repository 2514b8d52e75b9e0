import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { type EventEmitter, once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type Server, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { connect, type TurboSocket } from '../../src/client/connect.js';
import { PathMemory } from '../../src/client/path-memory.js';
import { type Accepted, TurboListener, type TurboListenerOptions } from '../../src/engine/turbo-listener.js';
import { TurboError, type TurboErrorCode } from '../../src/errors.js';
import { type Network, nodeNetwork } from '../../src/platform/network.js';
import { clientDatagram } from '../support/bytes.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { clientHello } from '../support/client-hello.js';
import { readAll, settle, until } from '../support/engine-rig.js';
import { requireIPv6 } from '../support/ipv6.js';
import { ManualClock } from '../support/manual-clock.js';
import { takeUdpPort } from '../support/ports.js';

async function expectCode(promise: Promise<unknown>, code: TurboErrorCode): Promise<TurboError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(TurboError).with.property('code', code);
  return error as TurboError;
}

/** How many sockets this process has open. */
function openHandles(): number {
  const kinds = ['TCPSocketWrap', 'TCPServerWrap', 'UDPWrap', 'UDPWRAP', 'TCPWRAP', 'PipeWrap'];
  return process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind)).length;
}

describe('engine/turbo-listener', () => {
  let certificate: Certificate;
  let server: Server;
  let listener: TurboListener;
  let handles: number;
  const clients: (TLSSocket | Socket)[] = [];

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1', '::1'] });
    const { key, cert } = certificate;
    // TLS of one's own: never listens, is handed streams. It echoes.
    server = createTlsServer({ key, cert }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    server.on('tlsClientError', () => {});
  });

  beforeEach(() => {
    handles = openHandles();
    listener = new TurboListener();
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await listener.close({ deadlineMs: 1 });
    await until(() => openHandles() <= handles);
  });

  function make(options: TurboListenerOptions): TurboListener {
    listener = new TurboListener(options);
    return listener;
  }

  /** Serves whatever comes, and keeps account of it. */
  function serve(): Accepted[] {
    const accepted: Accepted[] = [];
    void (async () => {
      for await (const each of listener) {
        accepted.push(each);
        server.emit('connection', each.stream);
      }
    })();
    return accepted;
  }

  async function turbo(port: number, host = '127.0.0.1'): Promise<TurboSocket> {
    // In one process client and server share the event loop: give UDP all the time that it needs.
    const limits = { graceMinMs: 1000 };
    const memory = new PathMemory({ limits });
    const client = connect({ host, port, ca: certificate.ca, turbo: { memory, limits } });
    clients.push(client);
    await once(client, 'secureConnect');
    return client;
  }

  async function plain(port: number, host = '127.0.0.1'): Promise<TLSSocket> {
    const client = connectTls({ host, port, ca: certificate.ca });
    clients.push(client);
    await once(client, 'secureConnect');
    return client;
  }

  async function echoes(client: TLSSocket, text = 'over and out'): Promise<void> {
    client.write(text);
    let got = '';
    while (got.length < text.length) got += String((await once(client, 'data'))[0]);
    expect(got).to.equal(text);
  }

  /** Begins a session that nobody will claim. */
  function sayHello(port: number): void {
    const payload = clientHello({ servername: 'localhost' }).subarray(0, 1100);
    const udp = createSocket('udp4');
    const hello = clientDatagram({ connectionId: randomBytes(16), sequence: 1, payload });
    udp.send(hello, port, '127.0.0.1', () => udp.close());
  }

  describe('listens', () => {
    it("listen takes the caller's signal: before it listens, and while it does", async () => {
      const early = new TurboListener();
      const reason = new Error('enough');
      const error = await expectCode(early.listen({ signal: AbortSignal.abort(reason) }), 'ERR_TURBO_LISTENER_CLOSED');
      expect(error.cause).to.equal(reason);
      const late = new TurboListener();
      const controller = new AbortController();
      await late.listen({ host: '127.0.0.1', signal: controller.signal });
      const accepted = expectCode(late.accept(), 'ERR_TURBO_LISTENER_CLOSED');
      controller.abort();
      await accepted;
      await late.close();
      expect(late.address()).to.equal(null);
    });

    it('on a UDP and a TCP port of the same number, which port 0 finds', async () => {
      const { port, address } = await listener.listen({ host: '127.0.0.1' });
      expect(port).to.be.above(0);
      expect(address).to.equal('127.0.0.1');
      expect(listener.address()).to.include({ port, address });
      const udp = createSocket('udp4');
      udp.bind(port, '127.0.0.1');
      expect((await once(udp, 'error'))[0]).to.have.property('code', 'EADDRINUSE');
      udp.close();
      const client = connectTcp(port, '127.0.0.1');
      clients.push(client);
      await once(client, 'connect');
    });

    const addresses: [string, string, string[]][] = [
      ['IPv4', '127.0.0.1', ['127.0.0.1']],
      ['IPv6', '::1', ['::1']],
      ['both families at once', '::', ['127.0.0.1', '::1']],
    ];
    for (const [name, host, from] of addresses) {
      it(`on ${name}, for turbo and for plain TLS`, async function () {
        if (host.includes(':')) requireIPv6(this);
        const { port } = await listener.listen({ host });
        const accepted = serve();
        for (const address of from) {
          const client = await turbo(port, address);
          expect(client.turbo?.carrier).to.equal('udp');
          await echoes(client);
          await echoes(await plain(port, address));
        }
        expect(accepted.map(({ carrier }) => carrier)).to.deep.equal(from.flatMap(() => ['turbo', 'tcp']));
      });
    }

    it('on every address where none is given', async () => {
      const { port } = await listener.listen();
      serve();
      await echoes(await turbo(port));
    });

    it('on IPv6 alone where it is told so', async function () {
      requireIPv6(this);
      const { port } = await listener.listen({ host: '::', ipv6Only: true });
      serve();
      await echoes(await turbo(port, '::1'));
      const udp = createSocket('udp4');
      udp.bind(port);
      await once(udp, 'listening');
      udp.close();
    });

    it('on another number where UDP has the one that TCP got', async () => {
      const { socket: taken, port: takenPort } = await takeUdpPort();
      let tries = 0;
      // The kernel's choice of the first port, made for it.
      const network: Network = {
        ...nodeNetwork,
        createTcpServer(options) {
          const tcp = createTcpServer(options);
          const listen = tcp.listen.bind(tcp);
          tries++;
          if (tries === 1) tcp.listen = ((given: object) => listen({ ...given, port: takenPort })) as typeof tcp.listen;
          return tcp;
        },
      };
      make({ network });
      const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
      expect(port).not.to.equal(takenPort);
      expect(tries).to.equal(2);
      serve();
      await echoes(await turbo(port));
      taken.close();
    });
  });

  describe('refuses', () => {
    it('to listen where UDP has the port; says so, leaves nothing, and may be asked again', async () => {
      const { socket: taken, port } = await takeUdpPort();
      const error = await expectCode(listener.listen({ host: '127.0.0.1', port }), 'ERR_TURBO_LISTEN');
      expect(error.cause).to.have.property('code', 'EADDRINUSE');
      expect(error.retryable).to.equal(true);
      expect(error.message).to.include(String(port));
      expect(listener.address()).to.equal(null);
      const refused = connectTcp(port, '127.0.0.1');
      expect((await once(refused, 'error'))[0]).to.have.property('code', 'ECONNREFUSED');

      taken.close();
      await once(taken, 'close');
      expect(await listener.listen({ host: '127.0.0.1', port })).to.include({ port });
    });

    it("to listen where TCP has the port, with TCP's own error", async () => {
      const taken = createTcpServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      const error = await listener.listen({ host: '127.0.0.1', port }).catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'EADDRINUSE');
      expect(error).not.to.be.instanceOf(TurboError);
      taken.close();
      await once(taken, 'close');
      await listener.listen({ host: '127.0.0.1', port });
    });

    it("a port that is none, with Node's own error", async () => {
      const error = await listener.listen({ port: 70_000 }).catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'ERR_SOCKET_BAD_PORT');
      await listener.listen({ host: '127.0.0.1' });
    });

    it('a path: there is no UDP beside a unix socket', async () => {
      await expectCode(listener.listen({ path: '/nowhere/socket' }), 'ERR_TURBO_BAD_OPTION');
    });

    it('to listen twice, while it opens and afterwards', async () => {
      const first = listener.listen({ host: '127.0.0.1' });
      await expectCode(listener.listen(), 'ERR_TURBO_LISTENER_STATE');
      await first;
      await expectCode(listener.listen(), 'ERR_TURBO_LISTENER_STATE');
      await listener.close();
      await expectCode(listener.listen(), 'ERR_TURBO_LISTENER_STATE');
    });

    it('what it does not serve', async () => {
      const { port } = await listener.listen({ host: '127.0.0.1' });
      const reasons: string[] = [];
      listener.events$.subscribe((event) => event.type === 'refused' && reasons.push(event.reason));
      const client = connectTcp(port, '127.0.0.1', () => client.write(Buffer.from('0000000804d2162f', 'hex')));
      clients.push(client);
      client.resume();
      await once(client, 'close');
      expect(reasons).to.deep.equal(['unserved-protocol']);
    });

    it('what waits for accept beyond the backlog', async () => {
      make({ limits: { acceptBacklog: 1 } });
      const { port } = await listener.listen({ host: '127.0.0.1' });
      const first = connectTls({ host: '127.0.0.1', port, ca: certificate.ca });
      clients.push(first);
      first.on('error', () => {});
      await until(() => listener.connections === 1 && listener.engine.unrouted === 0);
      const second = connectTls({ host: '127.0.0.1', port, ca: certificate.ca });
      clients.push(second);
      const [error] = await once(second, 'error');
      expect(error).to.have.property('code', 'ECONNRESET');
      server.emit('connection', (await listener.accept()).stream);
      await once(first, 'secureConnect');
    });
  });

  describe('accepts', () => {
    it('what came before it was asked, in order, and what comes afterwards', async () => {
      const early = listener.accept();
      const { port } = await listener.listen({ host: '127.0.0.1' });
      const sessions: unknown[] = [];
      listener.sessions$.subscribe((session) => sessions.push(session));
      const client = turbo(port);
      const { carrier, protocol, stream } = await early;
      expect([carrier, protocol]).to.deep.equal(['turbo', 'tls']);
      expect(sessions).to.deep.equal([stream]);
      server.emit('connection', stream);
      await echoes(await client);

      const two = Promise.all([plain(port), plain(port)]);
      await until(() => listener.connections === 3 && listener.engine.unrouted === 0);
      for (let count = 0; count < 2; count++) {
        const accepted = await listener.accept();
        expect([accepted.carrier, accepted.protocol]).to.deep.equal(['tcp', 'tls']);
        server.emit('connection', accepted.stream);
      }
      for (const each of await two) await echoes(each);
    });

    it('other protocols where it is told to', async () => {
      make({ protocols: ['tls', 'pg-ssl-request'] });
      const { port } = await listener.listen({ host: '127.0.0.1' });
      const request = Buffer.from('0000000804d2162f', 'hex');
      const client = connectTcp(port, '127.0.0.1', () => client.write(request));
      clients.push(client);
      const { protocol, stream } = await listener.accept();
      expect(protocol).to.equal('pg-ssl-request');
      await until(() => stream.readableLength === 8);
      expect(readAll(stream)).to.deep.equal(request);
    });

    describe('takes back a connection', () => {
      const prefix = Buffer.from('PROXY UNKNOWN\r\n');

      /** Accepts what begins with the prefix, takes that away, and gives the connection back. */
      async function stripPrefix(): Promise<void> {
        const { protocol, stream } = await listener.accept();
        expect(protocol).to.equal('proxy-v1');
        await until(() => stream.readableLength >= prefix.length);
        const bytes = readAll(stream);
        expect(bytes.subarray(0, prefix.length)).to.deep.equal(prefix);
        stream.unshift(bytes.subarray(prefix.length));
        if (stream instanceof Socket) listener.readmit(stream);
      }

      for (const [name, claims] of Object.entries({ 'a tombstone': true, TLS: false })) {
        it(`whose next bytes are ${name}, together with what it has sent before`, async () => {
          make({ protocols: ['tls', 'proxy-v1'] });
          const { port } = await listener.listen({ host: '127.0.0.1' });
          const prefixed: Network = {
            ...nodeNetwork,
            connectTcp(options) {
              const socket = connectTcp(options);
              socket.once('connect', () => socket.write(prefix));
              return socket;
            },
          };
          const options = { port, host: '127.0.0.1', servername: 'localhost', ca: certificate.ca };
          if (claims) {
            const turbo = { network: prefixed, memory: new PathMemory(), limits: { graceMinMs: 1000 } };
            const client = connect({ ...options, turbo });
            clients.push(client);
            server.emit('connection', (await listener.accept()).stream);
            await stripPrefix();
            await echoes(client);
            expect(client.turbo?.carrier).to.equal('udp');
          } else {
            const client = connectTls({ ...options, socket: prefixed.connectTcp(options) as Socket });
            clients.push(client);
            await stripPrefix();
            serve();
            await echoes(client);
          }
        });
      }

      it('that is closed already: nothing comes of it', async () => {
        make({ protocols: ['pg-ssl-request'] });
        const { port } = await listener.listen({ host: '127.0.0.1' });
        const client = connectTcp(port, '127.0.0.1', () => client.write(Buffer.from('0000000804d2162f', 'hex')));
        clients.push(client);
        const { stream } = await listener.accept();
        stream.destroy();
        if (stream instanceof Socket) listener.readmit(stream);
        expect(listener.engine.unrouted).to.equal(0);
      });
    });

    it('by asynchronous iteration, which ends when it closes', async () => {
      const { port } = await listener.listen({ host: '127.0.0.1' });
      let ended = false;
      const loop = (async () => {
        for await (const { stream } of listener) server.emit('connection', stream);
        ended = true;
      })();
      const client = await turbo(port);
      await echoes(client);
      client.destroy();
      expect(ended).to.equal(false);
      await listener.close();
      await loop;
      expect(ended).to.equal(true);
    });

    it('nothing any more when it is closed: those that wait hear of it', async () => {
      await listener.listen({ host: '127.0.0.1' });
      const waiting = [listener.accept(), listener.accept()];
      const refused = waiting.map((each) => expectCode(each, 'ERR_TURBO_LISTENER_CLOSED'));
      await listener.close();
      await Promise.all(refused);
      await expectCode(listener.accept(), 'ERR_TURBO_LISTENER_CLOSED');
    });
  });

  it('reports that a connection could not be accepted, and goes on', async () => {
    let tcp: ReturnType<Network['createTcpServer']> | undefined;
    const network: Network = { ...nodeNetwork, createTcpServer: (options) => (tcp = createTcpServer(options)) };
    make({ network });
    const { port } = await listener.listen({ host: '127.0.0.1' });
    const errors: Error[] = [];
    listener.events$.subscribe((event) => event.type === 'tcp-error' && errors.push(event.error));
    // As net.Server says it: https://nodejs.org/api/net.html#event-error
    const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
    (tcp as unknown as EventEmitter).emit('error', error);
    expect(errors).to.deep.equal([error]);
    serve();
    await echoes(await turbo(port));
  });

  describe('closes', () => {
    it('gracefully: what is open goes on, nothing new begins, and then both ports are free', async () => {
      const { port } = await listener.listen({ host: '127.0.0.1' });
      serve();
      const client = await turbo(port);
      await echoes(client);
      let completed = 0;
      listener.sessions$.subscribe({ complete: () => completed++ });
      listener.events$.subscribe({ complete: () => completed++ });
      let closed = false;
      const closing = listener.close().then(() => (closed = true));

      await echoes(client, 'still here');
      expect(closed).to.equal(false);
      expect(listener.address()).to.equal(null);
      const next = new TurboListener();
      await next.listen({ host: '127.0.0.1', port });
      await next.close();
      await echoes(client, 'and still');
      const refused = connectTcp(port, '127.0.0.1');
      expect((await once(refused, 'error'))[0]).to.have.property('code', 'ECONNREFUSED');

      client.end();
      await closing;
      expect(completed).to.equal(2);
      expect(listener.connections).to.equal(0);
    });

    it('gracefully: a session that waits may still be claimed, and nothing else begins', async () => {
      let acceptLate: (() => void) | undefined;
      const network: Network = {
        ...nodeNetwork,
        createTcpServer(options) {
          const tcp = createTcpServer(options);
          const emit = tcp.emit.bind(tcp);
          tcp.emit = (event: string, ...args: unknown[]) => {
            if (event !== 'connection' || acceptLate) return emit(event, ...args);
            acceptLate = () => emit(event, ...args);
            return true;
          };
          return tcp;
        },
      };
      make({ network });
      const { port } = await listener.listen({ host: '127.0.0.1' });
      serve();
      const limits = { graceMinMs: 1000 };
      const client = connect({
        port,
        host: '127.0.0.1',
        ca: certificate.ca,
        turbo: { limits, memory: new PathMemory() },
      });
      clients.push(client);
      await until(() => listener.engine.halfOpen.sessions === 1 && acceptLate !== undefined);
      let closed = false;
      const closing = listener.close().then(() => (closed = true));

      const late = connectTls({ host: '127.0.0.1', port, ca: certificate.ca });
      clients.push(late);
      expect((await once(late, 'error'))[0]).to.have.property('code', 'ECONNRESET');
      sayHello(port);
      await until(() => listener.engine.drops.get('closing') === 1);
      expect(closed).to.equal(false);

      acceptLate?.();
      await echoes(client);
      expect(client.turbo?.carrier).to.equal('udp');
      expect(listener.address()).to.equal(null);
      client.destroy();
      await closing;
    });

    it('at its deadline, whatever is open then', async () => {
      const clock = new ManualClock();
      make({ clock });
      const { port } = await listener.listen({ host: '127.0.0.1' });
      serve();
      const client = await plain(port);
      await echoes(client);
      const silent = connectTcp(port, '127.0.0.1');
      clients.push(silent);
      await until(() => listener.engine.unrouted === 1);
      let closed = false;
      const closing = listener.close({ deadlineMs: 5000 }).then(() => (closed = true));
      clock.advance(4999);
      await settle();
      expect(closed).to.equal(false);
      client.on('error', () => {});
      clock.advance(1);
      await closing;
      if (!client.closed) await once(client, 'close');
      expect(listener.engine.unrouted).to.equal(0);
      expect(clock.pending).to.equal(0);
    });

    it('at its deadline, although a session waits for its tombstone', async () => {
      const clock = new ManualClock();
      make({ clock });
      const { port } = await listener.listen({ host: '127.0.0.1' });
      serve();
      sayHello(port);
      await until(() => listener.engine.halfOpen.sessions === 1);
      const closing = listener.close({ deadlineMs: 5000 });
      await settle();
      clock.advance(5000);
      await closing;
      expect(listener.engine.halfOpen.sessions).to.equal(0);
      expect(clock.pending).to.equal(0);
    });

    it('at once where nothing is open, and again without harm, and without ever having listened', async () => {
      await listener.listen({ host: '127.0.0.1' });
      await Promise.all([listener.close(), listener.close()]);
      await listener.close();
      await new TurboListener().close();
    });

    it('while it opens', async () => {
      const opening = expectCode(listener.listen({ host: '127.0.0.1' }), 'ERR_TURBO_LISTENER_CLOSED');
      await listener.close();
      await opening;
      expect(listener.address()).to.equal(null);
    });
  });

  it('falls back: a client whose UDP is lost is served over TCP', async () => {
    const { port } = await listener.listen({ host: '127.0.0.1' });
    const accepted = serve();
    const network: Network = {
      ...nodeNetwork,
      createUdpSocket(options) {
        const udp = createSocket(options);
        udp.send = (() => {}) as typeof udp.send;
        return udp;
      },
    };
    const client = connect({
      port,
      host: '127.0.0.1',
      ca: certificate.ca,
      turbo: { network, memory: new PathMemory() },
    });
    clients.push(client);
    await once(client, 'secureConnect');
    await echoes(client);
    expect(client.turbo?.carrier).to.equal('tcp');
    expect(accepted.map(({ carrier }) => carrier)).to.deep.equal(['tcp']);
  });
});
