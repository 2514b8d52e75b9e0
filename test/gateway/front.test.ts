/** What comes before TLS, on TCP: the first bytes of every protocol, in order, out of order, too late, too long. */
import { once } from 'node:events';
import { BlockList, connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { BackendDecoder, FrontendEncoder } from '../../src/codec/pg/index.js';
import { connect as connectTurbo, type Network, nodeNetwork, PathMemory } from '../../src/experimental.js';
import { encodeProxyV2 } from '../../src/wire/proxy-protocol.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { clientHello } from '../support/client-hello.js';
import { until } from '../support/engine-rig.js';
import { alpn, helloMessage, records, serverName } from '../support/hello-bytes.js';
import { echoes, secured } from './clients.js';
import { closeBackends, type EchoBackend, startEcho } from './echo-backend.js';
import { closeGateways, type GatewayRig, passthrough, startGateway } from './gateway-rig.js';

const SSL_REQUEST = new FrontendEncoder().write({ name: 'SSLRequest' }).take();
const GSSENC_REQUEST = new FrontendEncoder().write({ name: 'GSSENCRequest' }).take();
const STARTUP = new FrontendEncoder()
  .write({ name: 'StartupMessage', version: 0x30000, parameters: new Map([['user', 'alice']]) })
  .take();

/** TLS alerts of RFC 8446, section 6.2, as records. */
const ALERT = {
  decode_error: Buffer.from('15030300020232', 'hex'),
  internal_error: Buffer.from('15030300020250', 'hex'),
  unrecognized_name: Buffer.from('15030300020270', 'hex'),
  no_application_protocol: Buffer.from('15030300020278', 'hex'),
};

const SOURCE = { address: '203.0.113.7', port: 4711 };
const DESTINATION = { address: '198.51.100.1', port: 443 };
const PROXY_V1 = Buffer.from('PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n');
const PROXY_V2 = encodeProxyV2({ command: 'proxy', version: 2, source: SOURCE, destination: DESTINATION });

describe('gateway/front', () => {
  let certificate: Certificate;
  let backend: EchoBackend;
  const clients = new Set<Socket>();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', 'named.test'] });
  });
  beforeEach(async () => {
    backend = await startEcho({ tls: certificate });
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients.clear();
    await closeGateways();
    await closeBackends();
  });

  async function dial({ port }: { port: number }, bytes: Buffer = Buffer.alloc(0)): Promise<Socket> {
    const socket = connectTcp({ host: '127.0.0.1', port, noDelay: true });
    clients.add(socket);
    await once(socket, 'connect');
    if (bytes.length > 0) socket.write(bytes);
    return socket;
  }

  /** All that comes until the end. */
  async function answer(socket: Socket): Promise<Buffer> {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    return Buffer.concat(chunks);
  }

  async function startTls(socket: Socket, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const client = connectTls({ socket, ca: certificate.ca, servername: 'localhost', ...options });
    clients.add(client);
    return secured(client);
  }

  function trusting(network: string, prefix: number): BlockList {
    const list = new BlockList();
    list.addSubnet(network, prefix);
    return list;
  }

  function refusals({ events }: GatewayRig): string[] {
    return events.flatMap((event) => (event.type === 'refused' ? [event.reason] : []));
  }

  describe('PostgreSQL', () => {
    it('answers SSLRequest with S, then TLS begins', async () => {
      const rig = await startGateway([passthrough('pg', [backend], { match: { protocols: ['postgresql'] } })]);
      const socket = await dial(rig, SSL_REQUEST);
      expect(String((await once(socket, 'data'))[0])).to.equal('S');
      const client = await startTls(socket);
      await echoes(client);
      client.destroy();
      const [end] = await rig.ended(1);
      expect(end).to.include({ route: 'pg', protocol: 'postgresql', carrier: 'tcp', serverName: 'localhost' });
    });

    it('answers GSSENCRequest with N, once, and goes on in the same connection', async () => {
      const rig = await startGateway([passthrough('pg', [backend])]);
      const socket = await dial(rig, GSSENC_REQUEST);
      expect(String((await once(socket, 'data'))[0])).to.equal('N');
      socket.write(SSL_REQUEST);
      expect(String((await once(socket, 'data'))[0])).to.equal('S');
      await echoes(await startTls(socket));

      const again = await dial(rig, GSSENC_REQUEST);
      expect(String((await once(again, 'data'))[0])).to.equal('N');
      again.write(GSSENC_REQUEST);
      expect(await answer(again)).to.have.length(0);
      expect(refusals(rig)).to.deep.equal(['gssenc-repeated']);
    });

    it('takes GSSENCRequest and SSLRequest in one piece, as PostgreSQL does', async () => {
      const rig = await startGateway([passthrough('pg', [backend])]);
      const socket = await dial(rig, Buffer.concat([GSSENC_REQUEST, SSL_REQUEST]));
      const answers: Buffer[] = [];
      while (Buffer.concat(answers).length < 2) answers.push((await once(socket, 'data'))[0]);
      expect(Buffer.concat(answers).toString()).to.equal('NS');
      await echoes(await startTls(socket));
    });

    for (const [what, bytes] of Object.entries({ 'a ClientHello': clientHello(), 'a StartupMessage': STARTUP })) {
      it(`refuses ${what} that came together with SSLRequest, before its answer (CVE-2021-23222)`, async () => {
        const rig = await startGateway([passthrough('pg', [backend])]);
        const socket = await dial(rig, Buffer.concat([SSL_REQUEST, bytes]));
        expect(await answer(socket)).to.have.length(0);
        expect(refusals(rig)).to.deep.equal(['injected-bytes']);
        expect(backend.seen).to.equal(0);
      });
    }

    it('wants TLS behind SSLRequest, and nothing else', async () => {
      const rig = await startGateway([passthrough('pg', [backend])]);
      const socket = await dial(rig, SSL_REQUEST);
      await once(socket, 'data');
      socket.write(STARTUP);
      expect(await answer(socket)).to.deep.equal(ALERT.decode_error);
      expect(refusals(rig)).to.deep.equal(['client-hello-invalid']);
    });

    for (const [when, before] of Object.entries({ 'at once': '', 'behind GSSENCRequest': 'N' })) {
      it(`says that TLS is mandatory where a client starts without, ${when}`, async () => {
        const rig = await startGateway([passthrough('pg', [backend])]);
        const socket = await dial(rig, before ? Buffer.concat([GSSENC_REQUEST, STARTUP]) : STARTUP);
        const bytes = await answer(socket);
        expect(bytes.toString('latin1', 0, before.length)).to.equal(before);
        const decoder = new BackendDecoder();
        decoder.push(bytes.subarray(before.length));
        const message = decoder.next();
        expect(message).to.have.property('name', 'ErrorResponse');
        expect(message).to.have.nested.property('fields.S', 'FATAL');
        expect(message).to.have.nested.property('fields.C', '28000');
        expect(message)
          .to.have.nested.property('fields.M')
          .that.matches(/TLS is mandatory/);
        expect(message)
          .to.have.nested.property('fields.H')
          .that.matches(/sslmode/);
        expect(decoder.next()).to.equal(undefined);
        const [refused] = await rig.refused(1);
        expect(refused).to.include({ reason: 'tls-required', carrier: 'tcp' });
        expect(refused?.client?.address).to.equal('127.0.0.1');
      });
    }
  });

  describe('PROXY headers', () => {
    const trustingLoopback = () => ({ proxyProtocolFrom: trusting('127.0.0.0', 8) });

    for (const [version, header] of Object.entries({ 1: PROXY_V1, 2: PROXY_V2 })) {
      it(`version ${version}, from a network that is trusted: the client is who it says`, async () => {
        const rig = await startGateway([passthrough('all', [backend])], trustingLoopback());
        const client = await startTls(await dial(rig, header));
        await echoes(client);
        client.destroy();
        const [end] = await rig.ended(1);
        expect(end?.client).to.deep.equal(SOURCE);
      });

      it(`version ${version}, in one piece with SSLRequest, and byte by byte`, async () => {
        const rig = await startGateway([passthrough('all', [backend])], trustingLoopback());
        const together = await dial(rig, Buffer.concat([header, SSL_REQUEST]));
        expect(String((await once(together, 'data'))[0])).to.equal('S');
        await echoes(await startTls(together));
        const slow = await dial(rig);
        for (const byte of Buffer.concat([header, SSL_REQUEST])) {
          slow.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(String((await once(slow, 'data'))[0])).to.equal('S');
      });

      it(`version ${version}, in front of a tombstone: a session over UDP has the address, too`, async () => {
        const rig = await startGateway([passthrough('all', [backend])], trustingLoopback());
        const network: Network = {
          ...nodeNetwork,
          connectTcp(options) {
            const socket = connectTcp(options);
            socket.once('connect', () => socket.write(header));
            return socket;
          },
        };
        const turbo = { network, memory: new PathMemory(), limits: { graceMinMs: 1000 } };
        const client = connectTurbo({ ...rig, servername: 'localhost', ca: certificate.ca, turbo });
        clients.add(client);
        await once(client, 'secureConnect');
        expect(client.turbo?.carrier).to.equal('udp');
        await echoes(client);
        client.destroy();
        const [end] = await rig.ended(1);
        expect(end?.client).to.deep.equal(SOURCE);
        expect(end?.carrier).to.equal('turbo');
      });

      it(`version ${version}, from a network that is not: it ends the connection`, async () => {
        const rig = await startGateway([passthrough('all', [backend])], { proxyProtocolFrom: trusting('10.0.0.0', 8) });
        expect(await answer(await dial(rig, Buffer.concat([header, clientHello()])))).to.have.length(0);
        expect(refusals(rig)).to.deep.equal(['proxy-header-untrusted']);
        expect(backend.seen).to.equal(0);
      });
    }

    it('twice: it ends the connection', async () => {
      const rig = await startGateway([passthrough('all', [backend])], trustingLoopback());
      expect(await answer(await dial(rig, Buffer.concat([PROXY_V2, PROXY_V1])))).to.have.length(0);
      expect(refusals(rig)).to.deep.equal(['proxy-header-repeated']);
    });

    it('malformed: it ends the connection', async () => {
      const rig = await startGateway([passthrough('all', [backend])], trustingLoopback());
      expect(await answer(await dial(rig, Buffer.from('PROXY TCP4 me you 1 2\r\n')))).to.have.length(0);
      expect(refusals(rig)).to.deep.equal(['proxy-header-invalid']);
    });

    it('LOCAL and UNKNOWN: the client is the proxy itself', async () => {
      const rig = await startGateway([passthrough('all', [backend])], trustingLoopback());
      for (const header of [encodeProxyV2({ command: 'local', version: 2 }), Buffer.from('PROXY UNKNOWN\r\n')]) {
        const socket = await dial(rig, header);
        const client = await startTls(socket);
        await echoes(client);
        client.destroy();
      }
      const ends = await rig.ended(2);
      expect(ends.map(({ client }) => client?.address)).to.deep.equal(['127.0.0.1', '127.0.0.1']);
    });

    it('none: the connection is taken as it is, from trusted networks too', async () => {
      const rig = await startGateway([passthrough('all', [backend])], trustingLoopback());
      await echoes(await startTls(await dial(rig)));
    });
  });

  describe('ClientHello', () => {
    it('without a route for its name: unrecognized_name; with a default: that', async () => {
      const route = passthrough('named', [backend], { match: { serverNames: ['named.test'] } });
      const rig = await startGateway([route]);
      for (const options of [{}, { servername: 'other.test' }]) {
        expect(await answer(await dial(rig, clientHello(options)))).to.deep.equal(ALERT.unrecognized_name);
      }
      expect(refusals(rig)).to.deep.equal(['no-route', 'no-route']);
      expect(rig.of('refused')[1]?.serverName).to.equal('other.test');
      await echoes(await startTls(await dial(rig), { servername: 'named.test' }));

      const withDefault = await startGateway([route, passthrough('default', [backend])]);
      const client = await startTls(await dial(withDefault), { servername: '', checkServerIdentity: () => undefined });
      await echoes(client);
      client.destroy();
      expect((await withDefault.ended(1))[0]).to.include({ route: 'default', serverName: undefined });
    });

    it('with ALPN that no route of its name has: no_application_protocol (ALPACA)', async () => {
      const rig = await startGateway([
        passthrough('web', [backend], { match: { serverNames: ['named.test'], alpn: ['h2'] } }),
        passthrough('default', [backend]),
      ]);
      const hello = records(helloMessage({ extensions: [serverName('named.test'), alpn('smtp')] }));
      expect(await answer(await dial(rig, hello))).to.deep.equal(ALERT.no_application_protocol);
      const [refused] = await rig.refused(1);
      expect(refused).to.include({ reason: 'no-alpn', serverName: 'named.test' });
      // As a TLS library says it.
      const client = connectTls({ ...rig, servername: 'named.test', ALPNProtocols: ['smtp'] });
      clients.add(client);
      expect((await once(client, 'error'))[0]).to.have.property('code', 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
      expect(backend.seen).to.equal(0);
    });

    it('byte by byte, and in records of one byte', async () => {
      const rig = await startGateway([passthrough('all', [backend])]);
      const slow = await dial(rig);
      for (const byte of clientHello({ servername: 'localhost' })) slow.write(Buffer.from([byte]));
      await until(() => backend.seen === 1);
      const message = helloMessage({ extensions: [serverName('localhost')] });
      await dial(rig, records(message, ...Array<number>(message.length - 1).fill(1)));
      await until(() => backend.seen === 2);
      expect(rig.of('connection-start').map((event) => event.serverName)).to.deep.equal(['localhost', 'localhost']);
    });

    it('longer than its limit: decode_error, before it is all there', async () => {
      const rig = await startGateway([passthrough('all', [backend])], { limits: { clientHelloBytes: 512 } });
      const hello = records(helloMessage({ extensions: [alpn('x'.repeat(200), 'y'.repeat(200), 'z'.repeat(200))] }));
      expect(await answer(await dial(rig, hello.subarray(0, 100)))).to.deep.equal(ALERT.decode_error);
      expect(refusals(rig)).to.deep.equal(['client-hello-too-long']);
    });

    it('that is none: decode_error', async () => {
      const rig = await startGateway([passthrough('all', [backend])]);
      expect(await answer(await dial(rig, Buffer.from('1603010005ffffffffff', 'hex')))).to.deep.equal(
        ALERT.decode_error,
      );
      expect(refusals(rig)).to.deep.equal(['client-hello-invalid']);
    });
  });

  describe('too late', () => {
    const limits = { routeTimeoutMs: 150 };

    const beginnings: [string, Buffer, string][] = [
      ['silence', Buffer.alloc(0), 'timeout'],
      ['a first byte', Buffer.from([0x16]), 'timeout'],
      ['half a ClientHello', clientHello().subarray(0, 100), 'route-timeout'],
      ['SSLRequest and silence', SSL_REQUEST, 'route-timeout'],
      ['GSSENCRequest and silence', GSSENC_REQUEST, 'route-timeout'],
      ['half a PROXY header', PROXY_V2.subarray(0, 20), 'route-timeout'],
      ['a PROXY header and silence', PROXY_V1, 'route-timeout'],
      ['half a CancelRequest', Buffer.from('0000001004d2162e00000001', 'hex'), 'route-timeout'],
    ];
    for (const [what, bytes, reason] of beginnings) {
      it(`${what}: ${reason}`, async () => {
        const proxyProtocolFrom = trusting('127.0.0.0', 8);
        const rig = await startGateway([passthrough('all', [backend])], { limits, proxyProtocolFrom });
        await answer(await dial(rig, bytes));
        expect((await rig.refused(1)).map((event) => event.reason)).to.deep.equal([reason]);
      });
    }

    it('a ClientHello that never ends, one byte at a time', async () => {
      const rig = await startGateway([passthrough('all', [backend])], { limits });
      const socket = await dial(rig, Buffer.from('1603010200010001fc0303', 'hex'));
      const timer = setInterval(() => socket.write(Buffer.from([0])), 5);
      expect(await answer(socket)).to.deep.equal(ALERT.internal_error);
      clearInterval(timer);
      expect(refusals(rig)).to.deep.equal(['route-timeout']);
    });

    it('all steps together, each in time by itself', async () => {
      const proxyProtocolFrom = trusting('127.0.0.0', 8);
      const rig = await startGateway([passthrough('all', [backend])], { limits, proxyProtocolFrom });
      const socket = await dial(rig, PROXY_V1);
      const steps = [GSSENC_REQUEST, SSL_REQUEST, ...Array.from(clientHello(), (byte) => Buffer.from([byte]))];
      const timer = setInterval(() => socket.write(steps.shift() ?? Buffer.from([0])), 80);
      await answer(socket);
      clearInterval(timer);
      expect(refusals(rig)).to.deep.equal(['route-timeout']);
      expect(backend.seen).to.equal(0);
    });
  });

  it('bytes of no protocol, and a peer that leaves: refused by name', async () => {
    const rig = await startGateway([passthrough('all', [backend])]);
    expect(await answer(await dial(rig, Buffer.from('GET / HTTP/1.1\r\n\r\n')))).to.have.length(0);
    const leaver = await dial(rig, clientHello().subarray(0, 100));
    leaver.end();
    await rig.refused(2);
    expect(refusals(rig)).to.deep.equal(['unknown-protocol', 'peer-gone']);
  });
});
