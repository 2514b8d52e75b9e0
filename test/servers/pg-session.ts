import pg from 'pg';

/** A session of the library `pg`, which ends with `use`; rejects with the error of the login or of `use`. */
export async function withPg<T>(config: pg.ClientConfig, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ database: 'postgres', ssl: false, connectionTimeoutMillis: 5_000, ...config });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    void client.end(); // not awaited: where a TLS alert ended the connection, it may never resolve
    throw error;
  }
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
