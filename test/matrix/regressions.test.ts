/** What the work on the matrix found broken, beside what its suites cover, each test named after what broke. */
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { attach } from '../../src/experimental.js';
import { makeWorld, NAME } from './support.js';

const HOST = '127.0.0.1';

describe('regressions', () => {
  it('a connection whose first bytes were put back before it was handed to an attached server', async () => {
    const { key, cert, ca } = (await makeWorld()).certificate;
    const server = tls.createServer({ key, cert }, (socket) => socket.end('hello'));
    const turbo = attach(server);
    server.listen(0, HOST);
    await once(server, 'listening');
    const front = createTcpServer((socket) => {
      socket.once('data', (head) => {
        socket.pause();
        socket.unshift(head);
        server.emit('connection', socket);
      });
    });
    front.listen(0, HOST);
    await once(front, 'listening');
    try {
      const { port } = front.address() as AddressInfo;
      const client = tls.connect({ host: HOST, port, servername: NAME, ca });
      const [bytes] = await once(client, 'data');
      expect(String(bytes)).to.equal('hello');
      await once(client, 'close');
      expect(turbo.engine?.unrouted).to.equal(0);
    } finally {
      front.close();
      server.close();
      await once(server, 'close');
    }
  });
});
