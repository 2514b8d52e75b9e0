/**
 * Clients that do no TLS: each sends the datagrams of a handshake, and its tombstone when they are answered. `plain`
 * ones say what begins a ClientHello, and no more.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { decodeDatagram, encodeDatagram } from '../../src/wire/datagram.js';
import { encodeTombstone } from '../../src/wire/frame.js';
import { connectionIdOf, makeSecret } from '../../src/wire/identity.js';

export interface BareJob {
  port: number;
  plain: boolean;
  count: number;
  concurrency: number;
}

const HOST = '127.0.0.1';
/** As Node 24 and 26 send it. */
const CLIENT_HELLO = Buffer.concat([Buffer.from([0x16, 3, 1, 5, 0xdc]), Buffer.alloc(1500, 1)]);
/** A ClientHello in two datagrams: the answer is the flight of an ECDSA certificate, in two. */
const PIECES = [CLIENT_HELLO.subarray(0, 1100), CLIENT_HELLO.subarray(1100)];

async function handshake(port: number): Promise<void> {
  const secret = makeSecret();
  const connectionId = connectionIdOf(secret);
  const udp = createSocket('udp4');
  let instance: Buffer | undefined;
  await new Promise<void>((resolve, reject) => {
    let answers = 0;
    const late = setTimeout(() => reject(new Error('no answer over UDP')), 5000);
    udp.on('message', (message) => {
      const datagram = decodeDatagram(message);
      if (typeof datagram !== 'string' && datagram.side === 'server') instance = datagram.instance;
      if (++answers < PIECES.length) return;
      clearTimeout(late);
      resolve();
    });
    for (const [i, payload] of PIECES.entries()) {
      udp.send(encodeDatagram({ side: 'client', connectionId, sequence: i + 1, acknowledged: 0, payload }), port, HOST);
    }
  });
  udp.close();
  if (!instance) throw new Error('the answer has no instance');
  await say(port, encodeTombstone({ secret, instance, serverSequence: 2, clientSequence: 2 }));
}

function say(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: HOST, port, noDelay: true }, () => socket.write(bytes));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

process.on('message', async ({ port, plain, count, concurrency }: BareJob) => {
  let left = count;
  let failed = 0;
  const each = async () => {
    while (left-- > 0) await (plain ? say(port, CLIENT_HELLO) : handshake(port)).catch(() => failed++);
  };
  await Promise.all(Array.from({ length: concurrency }, each));
  process.send?.({ failed });
});
