/** A LocalProxy between TLS clients and servers; `local-proxy-clients.test.ts` has real programs on both sides. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { type Network, nodeNetwork, PathMemory } from '../../src/experimental.js';
import type { GatewayError } from '../../src/gateway/errors.js';
import type { OriginateMode } from '../../src/gateway/local-proxy.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { clientHello } from '../support/client-hello.js';
import { CountingNetwork, FlightCounter } from '../support/flights.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { secured } from './clients.js';
import { closeRigs, startProxy, startTls } from './proxy-rig.js';

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const STARTUP = Buffer.from('\0\0\0\x14\0\x03\0\0user\0alice\0\0', 'latin1');
const GSSENC_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 48]);

describe('gateway: local proxy', () => {
  let certificate: Certificate;
  let folder: string;
  const opened = new Set<Socket>();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1', 'db.example.test'] });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-proxy-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    for (const socket of opened) socket.destroy();
    opened.clear();
    await closeRigs();
  });

  function own<S extends Socket>(socket: S): S {
    opened.add(socket);
    socket.on('error', () => {});
    return socket;
  }

  function dial(port: number): Socket {
    return own(connect({ host: '127.0.0.1', port, noDelay: true }));
  }

  async function secure(port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const target = { host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca };
    return secured(own(tls.connect({ ...target, ...options })));
  }

  function closed(emitter: EventEmitter): Promise<void> {
    return new Promise((resolve) => {
      emitter.once('close', resolve);
    });
  }

  async function reads(socket: Socket, length: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    while (Buffer.concat(chunks).length < length) {
      const [chunk] = await once(socket, 'data');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async function says(socket: Socket, text: string): Promise<string> {
    socket.write(text);
    return (await reads(socket, text.length)).toString();
  }

  describe('transparent', () => {
    it('carries a client of TLS over TurboTLS, end to end', async () => {
      const server = await startTls({ ...certificate, ALPNProtocols: ['http/1.1'] });
      const { port, ends } = await startProxy({ to: server });
      const client = await secure(port, { ALPNProtocols: ['h2', 'http/1.1'] });
      expect(client.authorized).to.equal(true);
      expect(client.alpnProtocol).to.equal('http/1.1');
      expect(await says(client, 'hello')).to.equal('hello');
      client.end();
      await closed(client);
      const [end] = await ends(1);
      expect(end).to.deep.include({ carrier: 'turbo', protocol: 'tls', serverName: 'localhost', error: undefined });
      expect(end?.alpn).to.deep.equal(['h2', 'http/1.1']);
      expect(end?.target).to.include({ port: server.port });
      expect(end?.timings.turbo).to.have.all.keys('udpSent', 'udpAnswered', 'tcpConnected', 'carrierChosen', 'replied');
      expect(end?.up).to.be.greaterThan(300);
      expect(end?.down).to.be.greaterThan(300);
    });

    it('goes over TCP where UDP is blocked, and learns it', async () => {
      const server = await startTls({ ...certificate });
      const memory = new PathMemory();
      const network = new LossyNetwork({ loss: 1, seed: 1 });
      const { port, ends } = await startProxy({ to: server }, { network, memory, limits: {} });
      for (let count = 1; count <= 4; count++) {
        const client = await secure(port);
        expect(await says(client, 'hello')).to.equal('hello');
        client.end();
        expect((await ends(count)).at(-1)?.carrier).to.equal('tcp');
      }
      expect(memory.plan(`127.0.0.1:${server.port}`).udp).to.equal(false);
      expect(network.udpSockets).to.equal(0);
    });

    it('learns from handshakes that were completed, and from no other', async () => {
      const server = await startTls({ ...certificate });
      const memory = new PathMemory();
      const { port, ends } = await startProxy({ to: server }, { memory });
      const known = () => memory.plan(`127.0.0.1:${server.port}`, 'careful').contact === 'fast';
      const distrustful = own(tls.connect({ host: '127.0.0.1', port, servername: 'localhost' }));
      const [error] = await once(distrustful, 'error');
      expect(error.code).to.equal('SELF_SIGNED_CERT_IN_CHAIN');
      await ends(1);
      expect(known()).to.equal(false);
      const client = await secure(port);
      await says(client, 'hello');
      expect(known()).to.equal(true);
    });

    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      it(`is done with the handshake of ${maxVersion} when the client is`, async () => {
        const server = await startTls({ ...certificate, maxVersion });
        const memory = new PathMemory();
        const { port } = await startProxy({ to: server }, { memory });
        const client = await secure(port);
        await says(client, 'hello');
        expect(memory.plan(`127.0.0.1:${server.port}`, 'careful').contact).to.equal('fast');
      });
    }

    it('answers SSLRequest here: connecting, SSLRequest and TLS take one round trip', async () => {
      const server = await startTls({ ...certificate });
      const counter = new FlightCounter();
      const network = new CountingNetwork(counter);
      const { port, ends } = await startProxy({ to: server }, { network });
      const raw = dial(port);
      raw.write(SSL_REQUEST);
      expect((await reads(raw, 1)).toString()).to.equal('S');
      expect(counter.roundTrips).to.equal(0);
      const client = await secured(own(tls.connect({ socket: raw, servername: 'localhost', ca: certificate.ca })));
      expect(counter.roundTrips).to.equal(1);
      expect(await says(client, 'hello')).to.equal('hello');
      client.end();
      expect((await ends(1))[0]).to.include({ protocol: 'postgresql', carrier: 'turbo' });
    });

    it('takes two round trips where UDP is blocked', async () => {
      const server = await startTls({ ...certificate });
      const counter = new FlightCounter();
      const network = new CountingNetwork(counter, new LossyNetwork({ loss: 1, seed: 1 }));
      const { port } = await startProxy({ to: server }, { network, limits: {} });
      await secure(port);
      expect(counter.roundTrips).to.equal(2);
    });

    it('declines GSS encryption, then takes SSLRequest', async () => {
      const server = await startTls({ ...certificate });
      const { port } = await startProxy({ to: server });
      const raw = dial(port);
      raw.write(GSSENC_REQUEST);
      expect((await reads(raw, 1)).toString()).to.equal('N');
      raw.write(SSL_REQUEST);
      expect((await reads(raw, 1)).toString()).to.equal('S');
      const client = await secured(own(tls.connect({ socket: raw, servername: 'localhost', ca: certificate.ca })));
      expect(await says(client, 'hello')).to.equal('hello');
    });

    it('takes a ClientHello byte by byte', async () => {
      const server = await startTls({ ...certificate });
      const { port, ends } = await startProxy({ to: server });
      const socket = byteByByte(dial(port));
      const client = await secured(own(tls.connect({ socket, servername: 'localhost', ca: certificate.ca })));
      client.end();
      expect((await ends(1))[0]?.carrier).to.equal('turbo');
    });

    for (const [what, bytes] of [
      ['plaintext', 'GET / HTTP/1.1\r\n\r\n'],
      ['bytes behind an SSLRequest', Buffer.concat([SSL_REQUEST, Buffer.from([0x16, 3, 1])])],
      ['a second SSLRequest', Buffer.concat([SSL_REQUEST])],
    ] as const) {
      it(`closes a connection with ${what}`, async () => {
        const server = await startTls({ ...certificate });
        const { port, refusals } = await startProxy({ to: server });
        const raw = dial(port);
        raw.write(bytes);
        if (what === 'a second SSLRequest') {
          await reads(raw, 1);
          raw.write(SSL_REQUEST);
        }
        raw.resume();
        await closed(raw);
        const [refusal] = await refusals(1);
        expect(refusal?.reason).to.equal('protocol');
        expect(refusal?.error?.message).to.match(/start the proxy with --tls/);
      });
    }

    it('says where nobody speaks first, or leaves', async () => {
      const server = await startTls({ ...certificate });
      const impatient = await startProxy({ to: server, limits: { firstBytesTimeoutMs: 50 } });
      await closed(dial(impatient.port).resume());
      expect((await impatient.refusals(1))[0]).to.include({ reason: 'timeout' });
      const { port, refusals } = await startProxy({ to: server });
      const leaving = dial(port).resume();
      leaving.end('\x16');
      await closed(leaving);
      expect((await refusals(1))[0]).to.include({ reason: 'client-gone' });
      const resetting = dial(port);
      await once(resetting, 'connect');
      resetting.resetAndDestroy();
      expect((await refusals(2))[1]).to.include({ reason: 'client-gone' });
    });

    it('passes each end of the stream on, and the other direction goes on', async () => {
      const asked = randomBytes(1 << 20);
      const answered = randomBytes(1 << 20);
      const heard: Buffer[] = [];
      const server = await startTls({ ...certificate, allowHalfOpen: true } as tls.TlsOptions, (socket) => {
        socket.on('data', (chunk: Buffer) => heard.push(chunk));
        socket.on('end', () => socket.end(answered));
      });
      const { port } = await startProxy({ to: server });
      const client = await secure(port, { allowHalfOpen: true } as tls.ConnectionOptions);
      client.allowHalfOpen = true;
      client.end(asked);
      const got: Buffer[] = [];
      for await (const chunk of client) got.push(chunk);
      expect(Buffer.concat(heard).equals(asked)).to.equal(true);
      expect(Buffer.concat(got).equals(answered)).to.equal(true);
    });

    it('carries many at once', async function () {
      this.timeout(60_000);
      const server = await startTls({ ...certificate });
      const { port, ends, proxy } = await startProxy({ to: server });
      const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      await Promise.all(
        Array.from({ length: 200 }, async () => {
          const client = await secure(port);
          const bytes = randomBytes(20_000);
          client.write(bytes);
          expect(digest(await reads(client, bytes.length))).to.equal(digest(bytes));
          client.end();
          await closed(client);
        }),
      );
      const all = await ends(200);
      expect(all.filter(({ error }) => error)).to.deep.equal([]);
      expect(all.filter(({ carrier }) => carrier === 'turbo').length).to.be.greaterThan(100);
      expect(proxy.connections).to.equal(0);
    });

    it('fails only where the session was lost, says so, and is careful from then on', async () => {
      // UDP leads to another server than TCP.
      const udp = await startTls({ ...certificate });
      const tcp = await startTls({ ...certificate });
      const network = {
        ...nodeNetwork,
        connectTcp: (options: Parameters<typeof nodeNetwork.connectTcp>[0]) => {
          const socket = nodeNetwork.connectTcp({ ...options, port: tcp.port });
          const emit = socket.emit.bind(socket);
          return Object.assign(socket, {
            emit: (event: string, ...args: unknown[]) =>
              event === 'connectionAttempt' ? emit(event, args[0], udp.port, args[2]) : emit(event, ...args),
          });
        },
      };
      const { port, ends } = await startProxy({ to: udp }, { network });
      const first = own(tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca }));
      await closed(first);
      expect((await ends(1))[0]?.error).to.include({ code: 'ERR_TURBO_SESSION_LOST' });
      const second = await secure(port);
      expect(await says(second, 'hello')).to.equal('hello');
    });
  });

  describe('originating', () => {
    const verified = (): OriginateMode => ({ kind: 'originate', ca: certificate.ca, verify: true });

    it('makes TLS for a client that has none', async () => {
      const server = await startTls({ ...certificate, ALPNProtocols: ['redis'] });
      const mode = { ...verified(), serverName: 'db.example.test', alpn: ['redis'] };
      const { port, ends } = await startProxy({ to: server, mode });
      const names: unknown[] = [];
      server.server.on('secureConnection', ({ servername }) => names.push(servername));
      const client = dial(port);
      expect(await says(client, 'hello')).to.equal('hello');
      client.end();
      expect((await ends(1))[0]).to.deep.include({
        carrier: 'turbo',
        protocol: 'other',
        serverName: 'db.example.test',
        alpn: ['redis'],
        up: 5,
        down: 5,
      });
      expect(names).to.deep.equal(['db.example.test']);
    });

    it('connects at once, for protocols in which the server speaks first', async () => {
      const server = await startTls({ ...certificate }, (socket) => socket.write('greeting'));
      const { port } = await startProxy({ to: server, mode: verified() });
      expect((await reads(dial(port), 8)).toString()).to.equal('greeting');
    });

    it('shows a client certificate', async () => {
      const alice = await makeCertificate({ names: ['alice'], usage: 'client' });
      const server = await startTls(
        { ...certificate, ca: alice.ca, requestCert: true, rejectUnauthorized: true },
        (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
      );
      const mode = { ...verified(), cert: alice.cert, key: alice.key };
      const { port } = await startProxy({ to: server, mode });
      expect((await reads(dial(port), 5)).toString()).to.equal('alice');
    });

    it('refuses a certificate that it cannot verify, or one for another name', async () => {
      const server = await startTls({ ...certificate });
      for (const [mode, code] of [
        [{ kind: 'originate', verify: true }, 'SELF_SIGNED_CERT_IN_CHAIN'],
        [{ ...verified(), serverName: 'other.test' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
      ] as const) {
        const { port, refusals } = await startProxy({ to: server, mode });
        const client = dial(port).resume();
        await closed(client);
        const [refusal] = await refusals(1);
        expect(refusal?.reason).to.equal('remote-failed');
        expect(refusal?.error).to.include({ code });
      }
      const { port } = await startProxy({ to: server, mode: { kind: 'originate', verify: false } });
      expect(await says(dial(port), 'hello')).to.equal('hello');
    });

    it('tells a PostgreSQL client why it cannot be served', async () => {
      const server = await startTls({ ...certificate });
      const mode: OriginateMode = { kind: 'originate', verify: true, postgres: true };
      const { port } = await startProxy({ to: server, mode });
      const client = dial(port);
      client.write(SSL_REQUEST);
      expect((await reads(client, 1)).toString()).to.equal('N');
      client.write(STARTUP);
      const said: Buffer[] = [];
      for await (const chunk of client) said.push(chunk);
      const text = Buffer.concat(said).toString();
      expect(text).to.match(/^E.*SFATAL\0.*C08006\0Mself-signed certificate in certificate chain/s);
    });
  });

  describe('several remotes', () => {
    let refusing: number;

    beforeEach(async () => {
      const closed = createServer().listen(0, '127.0.0.1');
      await once(closed, 'listening');
      refusing = (closed.address() as AddressInfo).port;
      closed.close();
    });

    for (const kind of ['transparent', 'originate'] as const) {
      it(`takes the next one where TCP does not connect: ${kind}`, async () => {
        const server = await startTls({ ...certificate });
        const mode = kind === 'transparent' ? { kind } : { kind, ca: certificate.ca, verify: true };
        const to = { host: '127.0.0.1', port: refusing };
        const { port, events, ends } = await startProxy({ to, backups: [server], mode });
        for (let count = 1; count <= 2; count++) {
          const client = kind === 'transparent' ? await secure(port) : dial(port);
          expect(await says(client, 'hello')).to.equal('hello');
          client.end();
          expect((await ends(count)).at(-1)?.target.port).to.equal(server.port);
        }
        // The second time it came last.
        const unreachable = events.filter(({ type }) => type === 'unreachable');
        expect(unreachable).to.have.lengthOf(1);
        expect(unreachable[0]).to.deep.include({ target: to });
        expect(unreachable[0]).to.have.nested.property('next.port', server.port);
        expect(unreachable[0]).to.have.nested.property('error.code', 'ECONNREFUSED');
      });
    }

    it('closes the client where none connects', async () => {
      const to = { host: '127.0.0.1', port: refusing };
      const { port, refusals } = await startProxy({ to, backups: [{ host: 'localhost', port: refusing }] });
      const client = own(tls.connect({ host: '127.0.0.1', port }));
      await closed(client);
      const [refusal] = await refusals(1);
      expect(refusal?.reason).to.equal('unreachable');
      expect(refusal?.error).to.include({ code: 'ERR_GATEWAY_UNREACHABLE', retryable: true });
    });

    it('tells a PostgreSQL client that it may try its next host', async () => {
      const mode: OriginateMode = { kind: 'originate', verify: true, postgres: true };
      const { port } = await startProxy({ to: { host: '127.0.0.1', port: refusing }, mode });
      const client = dial(port);
      client.write(STARTUP);
      const said: Buffer[] = [];
      for await (const chunk of client) said.push(chunk);
      expect(Buffer.concat(said).toString()).to.match(/^E.*SFATAL\0.*C57P03\0MNo remote could be connected to: 127/s);
    });

    it('gives one that does not answer up in time', async () => {
      const server = await startTls({ ...certificate });
      // A network in which nothing answers (RFC 5737: documentation).
      const to = { host: '192.0.2.1', port: 443 };
      const network = blackHole(to.host);
      const { port, events, ends } = await startProxy(
        { to, backups: [server], limits: { connectTimeoutMs: 500 } },
        { network },
      );
      const client = await secure(port);
      client.end();
      await ends(1);
      const [unreachable] = events.filter(({ type }) => type === 'unreachable');
      expect(unreachable).to.have.nested.property('error.message').that.includes('no answer in 500 ms');
    });

    it('is not dialled on for a client that has left', async () => {
      const to = { host: '192.0.2.1', port: 443 };
      const dialled = new EventEmitter();
      const hole = blackHole(to.host);
      const network: Network = {
        ...hole,
        connectTcp: (options) => {
          setImmediate(() => dialled.emit('to'));
          return hole.connectTcp(options);
        },
      };
      const { port, proxy, refusals } = await startProxy({ to }, { network });
      const client = dial(port);
      client.write(clientHello());
      await once(dialled, 'to');
      client.resetAndDestroy();
      expect((await refusals(1))[0]?.reason).to.equal('client-gone');
      expect(proxy.connections).to.equal(0);
    });

    /** The network as it is, but that one host never answers. */
    function blackHole(host: string): Network {
      return {
        ...nodeNetwork,
        connectTcp: (options) =>
          nodeNetwork.connectTcp(
            options.host === host ? { ...options, host: 'nowhere.test', lookup: () => {} } : options,
          ),
      };
    }
  });

  describe('listening', () => {
    it("is on both of localhost's addresses", async () => {
      const server = await startTls({ ...certificate });
      const { addresses, port } = await startProxy({ to: server, listen: [{ host: 'localhost', port: 0 }] });
      expect(addresses[0]).to.deep.equal({ host: '127.0.0.1', port });
      for (const address of addresses as { host: string; port: number }[]) {
        expect(address.port).to.equal(port);
        const client = await secure(port, { host: address.host });
        expect(await says(client, 'hello')).to.equal('hello');
      }
    });

    it('is on a Unix socket, also where a dead process left its file', async () => {
      const server = await startTls({ ...certificate });
      const path = join(folder, 'proxy.sock');
      await leaveSocket(path);
      const { proxy } = await startProxy({ to: server, listen: [{ path }] });
      const client = await secured(own(tls.connect({ path, servername: 'localhost', ca: certificate.ca })));
      expect(await says(client, 'hello')).to.equal('hello');
      await proxy.close();
      expect(await stat(path).catch(({ code }) => code)).to.equal('ENOENT');
    });

    it('takes no file and no socket that is not its own', async () => {
      const to = { host: '127.0.0.1', port: 1 };
      const file = join(folder, 'file');
      await writeFile(file, 'text');
      expect(await failure({ to, listen: [{ path: file }] })).to.include({ code: 'ERR_GATEWAY_LISTEN' });
      expect((await stat(file)).isFile()).to.equal(true);
      const path = join(folder, 'served.sock');
      const other = createServer((socket) => socket.destroy()).listen(path);
      await once(other, 'listening');
      expect(await failure({ to, listen: [{ path }] })).to.include({ code: 'ERR_GATEWAY_LISTEN' });
      expect(other.listening).to.equal(true);
      other.close();
      await closed(other);
    });

    it('opens all addresses or none', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      const path = join(folder, 'all.sock');
      const error = await failure({
        to: { host: '127.0.0.1', port: 1 },
        listen: [{ path }, { host: '127.0.0.1', port }],
      });
      expect(error).to.include({ code: 'ERR_GATEWAY_LISTEN' });
      expect(error?.message).to.include(`127.0.0.1:${port}`);
      expect(error?.cause).to.include({ code: 'EADDRINUSE' });
      expect(await stat(path).catch(({ code }) => code)).to.equal('ENOENT');
      taken.close();
      await closed(taken);
    });

    it('refuses what is more than its limit', async () => {
      const server = await startTls({ ...certificate });
      const { port, refusals } = await startProxy({ to: server, limits: { connections: 1 } });
      const first = await secure(port);
      const second = dial(port).resume();
      await closed(second);
      expect((await refusals(1))[0]?.reason).to.equal('too-many-connections');
      expect(await says(first, 'hello')).to.equal('hello');
    });

    it('drains: what is open may end by itself until the deadline', async () => {
      const server = await startTls({ ...certificate });
      const { port, proxy, ends } = await startProxy({ to: server });
      const ending = await secure(port);
      const staying = await secure(port);
      const drained = proxy.drain(300);
      const late = dial(port);
      const [error] = await once(late, 'error');
      expect(error.code).to.equal('ECONNREFUSED');
      expect(await says(ending, 'hello')).to.equal('hello');
      ending.end();
      await ends(1);
      expect(proxy.connections).to.equal(1);
      await Promise.all([drained, closed(staying)]);
      expect(proxy.connections).to.equal(0);
      expect((await ends(2))[1]?.reason).to.equal('aborted');
    });

    it('closes in the midst of everything', async () => {
      const server = await startTls({ ...certificate });
      const { port, proxy, refusals } = await startProxy({ to: server });
      const silent = dial(port);
      await once(silent, 'connect');
      const busy = await secure(port);
      busy.write(randomBytes(1 << 20));
      await proxy.close();
      expect(proxy.connections).to.equal(0);
      expect((await refusals(1))[0]?.reason).to.equal('closing');
    });

    it('takes another plan for the connections that come', async () => {
      const [one, two] = [await startTls({ ...certificate }), await startTls({ ...certificate })];
      const { port, proxy, addresses, ends } = await startProxy({ to: one });
      const before = await secure(port);
      proxy.reload({ listen: addresses, to: two, backups: [], mode: { kind: 'transparent' } });
      const after = await secure(port);
      expect(await says(before, 'hello')).to.equal('hello');
      expect(await says(after, 'hello')).to.equal('hello');
      before.end();
      after.end();
      expect((await ends(2)).map(({ target }) => target.port).sort()).to.deep.equal([one.port, two.port].sort());
    });
  });

  /** What is written goes out in parts of one byte. */
  function byteByByte(socket: Socket): Duplex {
    const slow = new Duplex({
      read: () => socket.resume(),
      write: (chunk: Buffer, _encoding, callback) => {
        const next = (at: number): void => {
          if (at === chunk.length) callback();
          else socket.write(chunk.subarray(at, at + 1), () => setImmediate(next, at + 1));
        };
        next(0);
      },
      final: (callback) => void socket.end(callback),
    });
    socket.on('data', (chunk) => slow.push(chunk));
    socket.on('end', () => slow.push(null));
    return slow;
  }

  async function failure(plan: Parameters<typeof startProxy>[0]): Promise<GatewayError | undefined> {
    try {
      await startProxy(plan);
      return undefined;
    } catch (error) {
      return error as GatewayError;
    }
  }

  /** A socket's file without anyone behind it: the process that made it was killed. */
  async function leaveSocket(path: string): Promise<void> {
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 9))`;
    const child = spawn(process.execPath, ['-e', script]);
    await closed(child);
    expect((await stat(path)).isSocket()).to.equal(true);
  }
});
