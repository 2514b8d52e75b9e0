/**
 * A slow way to a server on this machine: a UDP and a TCP port of the same number, whose bytes arrive later on the other
 * side. Only TCP's own handshake is as fast as loopback is; a CountingNetwork holds that back.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface SlowLink {
  host: string;
  port: number;
  close(): Promise<void>;
}

/** With a number that TCP got and UDP has already, how often another one is tried. */
const PORT_TRIES = 16;

/** @param delayMs one way */
export async function startSlowLink(to: { host: string; port: number }, delayMs: number): Promise<SlowLink> {
  const sockets = new Set<Socket>();
  const tcp = createServer({ allowHalfOpen: true, noDelay: true }, (here) => {
    const there = connect({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true });
    for (const [from, into] of [
      [here, there],
      [there, here],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => void setTimeout(() => into.write(chunk), delayMs));
      from.on('end', () => void setTimeout(() => into.end(), delayMs));
      from.on('error', () => into.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  const udp = await bindBoth(tcp);
  const flows = new Map<number, UdpSocket>();
  udp.on('message', (message, { port }) => {
    const flow = flows.get(port) ?? openFlow((answer) => later(() => udp.send(answer, port, to.host)));
    flows.set(port, flow);
    later(() => flow.send(message, to.port, to.host));
  });
  let closed = false;
  const later = (act: () => void) => void setTimeout(() => closed || act(), delayMs);
  return {
    host: '127.0.0.1',
    port: (tcp.address() as AddressInfo).port,
    close: async () => {
      closed = true;
      for (const socket of sockets) socket.destroy();
      for (const socket of [udp, ...flows.values()]) socket.close();
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
}

function openFlow(onAnswer: (message: Buffer) => void): UdpSocket {
  return createSocket('udp4')
    .on('error', () => {})
    .on('message', onAnswer);
}

async function bindBoth(tcp: Server): Promise<UdpSocket> {
  for (let tries = 1; ; tries++) {
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const udp = createSocket('udp4').bind((tcp.address() as AddressInfo).port, '127.0.0.1');
    try {
      await once(udp, 'listening');
      return udp.on('error', () => {});
    } catch (error) {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
      if (tries === PORT_TRIES) throw error;
    }
  }
}
