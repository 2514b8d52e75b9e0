/**
 * ioredis over TurboTLS:
 *
 *   node dist/examples/clients/ioredis.js --url rediss://:password@cache.example --ca ca.pem
 */
import { Redis } from 'ioredis';
import { TurboConnector } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Counts to three in a Redis server, by ioredis.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'rediss://, with user:password@ and /database' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  const redis = new Redis(url, { tls: { ca }, maxRetriesPerRequest: 2, Connector: TurboConnector });
  redis.on('error', (error) => console.error(error.message)); // of a connection; ioredis makes the next
  try {
    await redis.del('count');
    for (const count of await Promise.all([1, 2, 3].map(() => redis.incr('count')))) console.log(count);
    await redis.quit();
  } finally {
    redis.disconnect();
  }
}

run().catch(fail);
