/** What a connection says of its carrier when its owner first may ask: at secureConnect and at the first byte. */
import { once } from 'node:events';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { connect, type FirstContact, PathMemory, TurboListener } from '../../src/experimental.js';
import { VirtualNetwork } from '../simulator/network.js';
import { VirtualClock } from '../simulator/virtual-clock.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';

const CLIENT = '10.0.0.1';
const SERVER = '10.0.0.2';
const PORT = 443;

describe('carrier', () => {
  let certificate: Certificate;
  let clock: VirtualClock;
  let net: VirtualNetwork;
  let memory: PathMemory;

  before(async () => {
    certificate = await makeCertificate({ names: [SERVER] });
  });

  beforeEach(async () => {
    clock = new VirtualClock();
    net = new VirtualNetwork({ clock, link: { delayMs: 25 } });
    memory = new PathMemory({ clock });
    const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    const listener = new TurboListener({ network: net.host(SERVER), clock });
    await clock.run(listener.listen({ host: SERVER, port: PORT }));
    void (async () => {
      for await (const { stream } of listener) server.emit('connection', stream);
    })();
  });

  afterEach(() => net.close());

  for (const firstContact of ['fast', 'careful'] satisfies FirstContact[]) {
    it(`${firstContact}: is known at once, and the path memory learns of it`, async () => {
      const turbo = { network: net.host(CLIENT), clock, memory, firstContact };
      const unknown = memory.plan(`${SERVER}:${PORT}`).datagrams;
      const socket = connect({ host: SERVER, port: PORT, ca: certificate.ca, turbo });
      const seen: unknown[] = [];
      socket.once('secureConnect', () => {
        seen.push(socket.turbo?.carrier);
        socket.write('hello');
      });
      socket.once('data', () => seen.push(socket.turbo?.carrier));
      await clock.run(once(socket, 'data'));
      expect(seen).to.deep.equal(['udp', 'udp']);
      expect(memory.plan(`${SERVER}:${PORT}`).datagrams).to.be.lessThan(unknown);
      socket.destroy();
      await clock.run(once(socket, 'close'));
      expect(socket.turbo?.carrier, 'of a connection that is over').to.equal('udp');
    });
  }
});
