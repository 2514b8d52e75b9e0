/** Much data on a connection that is there, each way. */
import type { Connection } from './connection.js';
import { Host, type Way } from './host.js';
import { byTurns, type Pace, perUnit, type Table } from './measure.js';
import { WRITE_BYTES, writeOrder } from './service.js';

const AMONG: readonly Way[] = ['tcp', 'tls', 'tls128', 'bridgeHere', 'bridge', 'turbo', 'keys', 'keys128'];

const directions = {
  'client to server': upload,
  'server to client': download,
};

export async function bulk(pace: Pace): Promise<Table[]> {
  const host = await Host.start('ecdsa');
  const tables: Table[] = [];
  try {
    for (const [direction, transfer] of Object.entries(directions)) {
      const title = `bulk, ${direction}`;
      const table = await byTurns(pace, { title, unit: 'MB/s', per: 'MB', among: AMONG }, async (way) => {
        const connection = await host.connect(way);
        const writes = Math.ceil((pace.megabytes * 1e6) / WRITE_BYTES);
        const megabytes = (writes * WRITE_BYTES) / 1e6;
        const { result: ms, cpu } = await host.cpuOf(async () => {
          const startedAt = performance.now();
          await transfer(connection, writes);
          return performance.now() - startedAt;
        });
        connection.destroy();
        return { speed: megabytes / (ms / 1000), cpu: perUnit(cpu, megabytes) };
      });
      tables.push(table);
    }
    return tables;
  } finally {
    await host.stop();
  }
}

async function upload(connection: Connection, writes: number): Promise<void> {
  const done = new Promise<void>((resolve) => {
    connection.onBytes = () => resolve();
  });
  connection.write(writeOrder({ service: 'sink', bytes: writes * WRITE_BYTES }));
  const chunk = Buffer.alloc(WRITE_BYTES, 7);
  for (let left = writes; left > 0; left--) {
    if (!connection.write(chunk)) await connection.drained();
  }
  await done;
}

function download(connection: Connection, writes: number): Promise<void> {
  let missing = writes * WRITE_BYTES;
  return new Promise((resolve) => {
    connection.onBytes = ({ length }) => {
      missing -= length;
      if (missing === 0) resolve();
    };
    connection.write(writeOrder({ service: 'source', bytes: missing }));
  });
}
