import type { PostgresServer } from '../../../servers/index.js';

const TIMEOUT_MS = 5_000;

/** Resolves once the server is at this query: from then on a CancelRequest hits it. */
export async function untilRunning(server: PostgresServer, query: string): Promise<void> {
  const text = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = '${query}'`;
  for (const deadline = Date.now() + TIMEOUT_MS; Date.now() < deadline; ) {
    if ((await server.sql(text)).length > 0) return;
  }
  throw new Error(`${query} does not run`);
}
