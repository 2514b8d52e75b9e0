/** What an idle connection holds in the server's memory. */
import type { TLSSocket } from 'node:tls';
import { byTurns, type Figure, median } from './measure.js';
import { Peer, type Transport } from './peer.js';

const CONCURRENCY = 32;

export async function idle(connections: number, rounds: number): Promise<Figure[]> {
  const heap: Record<Transport, number[]> = { tls: [], turbo: [] };
  const resident = await byTurns(rounds, async (transport) => {
    const peer = await Peer.start('greet');
    try {
      await open(peer, transport, 100).then(close); // what the first connections load stays loaded
      const before = await peer.memory();
      const sockets = await open(peer, transport, connections);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const after = await peer.memory();
      close(sockets);
      heap[transport].push((after.heldBytes - before.heldBytes) / connections / 1000);
      return (after.rssBytes - before.rssBytes) / connections / 1000;
    } finally {
      await peer.stop();
    }
  });
  const ratio = median(heap.turbo.map((kB, round) => kB / (heap.tls[round] as number)));
  return [
    { name: 'idle connection, resident', unit: 'kB', ...resident },
    {
      name: 'idle connection, JS heap and buffers',
      unit: 'kB',
      tls: median(heap.tls),
      turbo: median(heap.turbo),
      ratio,
    },
  ];
}

async function open(peer: Peer, transport: Transport, count: number): Promise<TLSSocket[]> {
  const sockets: TLSSocket[] = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) sockets.push(await peer.greeted(transport));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return sockets;
}

function close(sockets: readonly TLSSocket[]): void {
  for (const socket of sockets) socket.destroy();
}
