/**
 * A worker that does no TLS: it answers datagrams and tombstones as one would, so that only the front has work to do.
 */
import { decodeDatagram, encodeDatagram } from '../../src/wire/datagram.js';
import { encodeReply } from '../../src/wire/frame.js';
import { makeInstance } from '../../src/wire/identity.js';
import { WorkerNetwork } from '../../src/workers/index.js';

const FLIGHT = Buffer.alloc(1000, 7);

const network = WorkerNetwork.of();
const tcp = network.createTcpServer();
tcp.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end(encodeReply({ accepted: true, reason: '' })));
});
tcp.listen({ host: '127.0.0.1', port: 0 });
await new Promise<void>((resolve) => tcp.once('listening', resolve));
const address = tcp.address();
if (address === null || typeof address === 'string') throw new Error('the front gave no address');
const udp = network.createUdpSocket();
udp.on('message', (message, from) => {
  const datagram = decodeDatagram(message);
  if (typeof datagram === 'string') return;
  const { connectionId, sequence } = datagram;
  const answer = { connectionId, sequence: sequence || 1, acknowledged: sequence, payload: FLIGHT, remaining: 0 };
  udp.send(
    encodeDatagram({ side: 'server', ...answer, instance: makeInstance(), lifetimeMs: 10_000 }),
    from.port,
    from.address,
  );
});
udp.bind({ address: address.address, port: address.port });
