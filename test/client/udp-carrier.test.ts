/** What the kernel does with UDP must never end a connection, let alone the process. */
import { once } from 'node:events';
import { expect } from 'chai';
import { ClientIO, connect, createServer, nodeNetwork, PathMemory, type UdpSocket } from '../../src/experimental.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';

describe('client/udp-carrier', () => {
  it('there is no way to the address: TCP alone decides', async () => {
    // Broadcast: the kernel refuses it for UDP without SO_BROADCAST, and for TCP.
    const io = new ClientIO({ tcp: { host: '255.255.255.255', port: 9 }, memory: new PathMemory() });
    let failure: Error | undefined;
    io.onFailure = (error) => {
      failure = error;
      io.destroy();
    };
    io.write('first flight');
    await once(io, 'close');
    expect(failure).to.have.property('syscall', 'connect');
  });

  describe('with a server', () => {
    let certificate: Certificate;

    before(async () => {
      certificate = await makeCertificate({ names: ['localhost'] });
    });

    it('UDP alone has no way to the address: TLS goes over TCP', async () => {
      const server = createServer({ key: certificate.key, cert: certificate.cert }, (socket) => socket.end('x'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const network = {
        ...nodeNetwork,
        // The real socket, told to connect to where UDP may not go.
        createUdpSocket: (...args: Parameters<typeof nodeNetwork.createUdpSocket>): UdpSocket => {
          const socket = nodeNetwork.createUdpSocket(...args);
          const connectUdp = socket.connect.bind(socket);
          socket.connect = (port, _address, callback) => connectUdp(port, '255.255.255.255', callback);
          return socket;
        },
      };
      const { port } = server.address() as { port: number };
      const turbo = { network, memory: new PathMemory() };
      const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca, turbo });
      await once(socket, 'data');
      expect(socket.turbo?.carrier).to.equal('tcp');
      socket.destroy();
      server.close();
      await once(server, 'close');
    });

    it('a lookup that answers at once is in time for UDP', async () => {
      const server = createServer({ key: certificate.key, cert: certificate.cert }, (socket) => socket.end('x'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const socket = connect({
        host: 'localhost',
        port,
        servername: 'localhost',
        ca: certificate.ca,
        lookup: (_hostname, options, callback) => {
          if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
          else callback(null, '127.0.0.1', 4);
        },
        turbo: { memory: new PathMemory(), limits: { graceMinMs: 5000 } },
      });
      await once(socket, 'data');
      expect(socket.turbo?.carrier).to.equal('udp');
      socket.destroy();
      server.close();
      await once(server, 'close');
    });
  });
});
