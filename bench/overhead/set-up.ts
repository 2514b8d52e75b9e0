/** What a new connection costs: from connecting to the first byte of an answer, one after the other. */
import type { Connection } from './connection.js';
import { Host, type KeyType, type Way } from './host.js';
import { byTurns, type Pace, perUnit, type Table } from './measure.js';
import { writeOrder } from './service.js';

const AMONG: readonly Way[] = ['tcp', 'tls', 'bridgeHere', 'bridge', 'turbo', 'keys'];
const KEYS: Record<KeyType, string> = { ecdsa: 'ECDSA P-256', rsa: 'RSA-2048' };

export async function setUp(pace: Pace, keyType: KeyType): Promise<Table> {
  const host = await Host.start(keyType);
  const title = `set-up, ${KEYS[keyType]}: from connecting to the first byte of an answer`;
  try {
    return await byTurns(pace, { title, unit: 'ms', per: 'connection', among: AMONG }, async (way) => {
      const { result: ms, cpu } = await host.cpuOf(() => connectAndAsk(host, way, pace.connections));
      return { speed: ms / pace.connections, cpu: perUnit(cpu, pace.connections) };
    });
  } finally {
    await host.stop();
  }
}

async function connectAndAsk(host: Host, way: Way, connections: number): Promise<number> {
  const startedAt = performance.now();
  for (let count = 0; count < connections; count++) {
    const connection = await host.connect(way);
    await firstAnswer(connection);
    connection.destroy();
  }
  return performance.now() - startedAt;
}

function firstAnswer(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    connection.onBytes = () => resolve();
    connection.write(Buffer.concat([writeOrder({ service: 'answer', bytes: 1 }), Buffer.of(1)]));
  });
}
