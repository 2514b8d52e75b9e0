/**
 * @redis/client, which takes no stream of others, through the local proxy: no TLS in the program, TurboTLS on the way.
 *
 *   turbotls proxy --listen /run/user/1000/redis.sock --to cache.example:6380 --tls --ca ca.pem
 *   node dist/examples/clients/redis-client-by-proxy.js --socket /run/user/1000/redis.sock
 *
 *   turbotls proxy --listen localhost:6379 --to cache.example:6380 --tls --ca ca.pem
 *   node dist/examples/clients/redis-client-by-proxy.js --url redis://localhost:6379
 */
import { createClient } from '@redis/client';
import { commandLine, fail } from '../command-line.js';

const { url, socket, password } = commandLine('Counts to three in a Redis server, by @redis/client.', {
  url: {
    kind: 'text',
    value: 'URL',
    default: 'redis://localhost:6379',
    about: 'of the proxy, where it listens on a port',
  },
  socket: { kind: 'text', value: 'PATH', about: 'of the proxy, where it listens on a Unix socket: in place of --url' },
  password: { kind: 'text', value: 'TEXT', about: 'of the server' },
});

async function run(): Promise<void> {
  const server = socket === undefined ? { url } : { socket: { path: socket, tls: false as const } };
  const client = createClient({ ...server, ...(password !== undefined && { password }) });
  client.on('error', (error) => console.error(error.message)); // of a connection; the client makes the next
  await client.connect();
  await client.del('count');
  for (const count of await Promise.all([1, 2, 3].map(() => client.incr('count')))) console.log(count);
  await client.close();
}

run().catch(fail);
