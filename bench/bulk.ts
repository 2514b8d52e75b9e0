/** Bulk throughput of one connection after TCP has taken over, each way. */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { byTurns, type Figure } from './measure.js';
import { Peer, type Transport } from './peer.js';

const WRITE_BYTES = 64 * 1024;

export async function bulk(megabytes: number, rounds: number): Promise<Figure[]> {
  return [await upload(megabytes, rounds), await download(megabytes, rounds)];
}

async function upload(megabytes: number, rounds: number): Promise<Figure> {
  const peer = await Peer.start('sink');
  try {
    const rate = await byTurns(rounds, async (transport: Transport) => {
      const socket = await peer.connect(transport);
      const startedAt = performance.now();
      const chunk = Buffer.alloc(WRITE_BYTES, 7);
      for (let left = megabytes * 1e6; left > 0; left -= chunk.length) {
        if (!socket.write(chunk)) await once(socket, 'drain');
      }
      socket.end();
      socket.resume();
      await once(socket, 'end');
      return rateOf(socket, megabytes, startedAt);
    });
    return { name: 'bulk, client to server', unit: 'MB/s', ...rate, aim: '>= 0.95' };
  } finally {
    await peer.stop();
  }
}

async function download(megabytes: number, rounds: number): Promise<Figure> {
  const peer = await Peer.start('source');
  try {
    const rate = await byTurns(rounds, async (transport: Transport) => {
      const socket = await peer.connect(transport);
      const startedAt = performance.now();
      socket.write(String(megabytes * 1e6));
      socket.on('data', () => {});
      await once(socket, 'end');
      return rateOf(socket, megabytes, startedAt);
    });
    return { name: 'bulk, server to client', unit: 'MB/s', ...rate, aim: '>= 0.95' };
  } finally {
    await peer.stop();
  }
}

function rateOf(socket: TLSSocket, megabytes: number, startedAt: number): number {
  socket.destroy();
  return megabytes / ((performance.now() - startedAt) / 1000);
}
