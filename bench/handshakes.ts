/** Full handshakes: how many a second, and what each costs the server's CPU. */
import { byTurns, type Figure, median } from './measure.js';
import { Peer, type Transport } from './peer.js';

const CONCURRENCY = 16;

export async function handshakes(keyType: 'ecdsa' | 'rsa', count: number, rounds: number): Promise<Figure[]> {
  const peer = await Peer.start('farewell', keyType);
  const cpu: Record<Transport, number[]> = { tls: [], turbo: [] };
  const run = async (transport: Transport): Promise<number> => {
    const before = await peer.cpu();
    const startedAt = performance.now();
    let left = count;
    const worker = async () => {
      while (left-- > 0) (await peer.greeted(transport)).destroy();
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await peer.cpu();
    cpu[transport].push((after.cpuUs - before.cpuUs) / count);
    return count / seconds;
  };
  try {
    for (const transport of ['tls', 'turbo'] as const) await run(transport);
    cpu.tls.length = cpu.turbo.length = 0;
    const rate = await byTurns(rounds, run);
    const name = `full handshakes, ${keyType}`;
    const ratio = median(cpu.turbo.map((us, round) => us / (cpu.tls[round] as number)));
    return [
      { name, unit: '1/s', ...rate },
      { name: `${name}, server CPU`, unit: 'µs', tls: median(cpu.tls), turbo: median(cpu.turbo), ratio, aim: '<= 1.2' },
    ];
  } finally {
    await peer.stop();
  }
}
