/** Two ends of a real TCP connection on loopback. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpPair {
  here: Socket;
  there: Socket;
}

export async function tcpPair(): Promise<TcpPair> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const there = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  const [[here]] = await Promise.all([once(server, 'connection') as Promise<[Socket]>, once(there, 'connect')]);
  server.close();
  here.on('error', () => {});
  there.on('error', () => {});
  return { here, there };
}

/** What a socket receives from now on, as it comes. */
export function gather(socket: Socket): { bytes: () => Buffer; ended: () => boolean } {
  const chunks: Buffer[] = [];
  let ended = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    ended = true;
  });
  return { bytes: () => Buffer.concat(chunks), ended: () => ended };
}
