/** Ports that are taken on purpose. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A UDP socket on a port of 127.0.0.1 that is free for TCP. */
export async function takeUdpPort(): Promise<{ socket: Socket; port: number }> {
  const tcp = createServer().listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  tcp.close();
  await once(tcp, 'close');
  return { socket, port };
}
