/** What an operation costs on a connection that is there: a request and an answer of the same size, one at a time. */
import type { Connection } from './connection.js';
import { Host, type Way } from './host.js';
import { byTurns, type Pace, perUnit, type Table } from './measure.js';
import { writeOrder } from './service.js';

const AMONG: readonly Way[] = ['tcp', 'tls', 'tls128', 'bridgeHere', 'bridge', 'turbo', 'keys', 'keys128'];
const WARM_UP_MS = 50;

export async function requests(pace: Pace, bytes: number): Promise<Table> {
  const host = await Host.start('ecdsa');
  const title = `request and answer of ${bytes.toLocaleString('en')} bytes each, one at a time`;
  try {
    return await byTurns(pace, { title, unit: 'operations/s', per: 'operation', among: AMONG }, async (way) => {
      const connection = await host.connect(way);
      connection.write(writeOrder({ service: 'answer', bytes }));
      await operate(connection, bytes, WARM_UP_MS);
      const { result, cpu } = await host.cpuOf(() => operate(connection, bytes, pace.roundMs));
      connection.destroy();
      return { speed: (result.operations / result.ms) * 1000, cpu: perUnit(cpu, result.operations) };
    });
  } finally {
    await host.stop();
  }
}

function operate(connection: Connection, bytes: number, forMs: number): Promise<{ operations: number; ms: number }> {
  const request = Buffer.alloc(bytes, 7);
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let operations = 0;
    let missing = bytes;
    connection.onBytes = ({ length }) => {
      missing -= length;
      if (missing > 0) return;
      missing = bytes;
      operations++;
      const ms = performance.now() - startedAt;
      if (ms < forMs) connection.write(request);
      else resolve({ operations, ms });
    };
    connection.write(request);
  });
}
