/** Redis by our own client. */

import { onAbort } from '../../abort.js';
import { PathMemory } from '../../client/path-memory.js';
import { RedisClient } from '../../codec/redis/index.js';
import type { HostAddress, Transport } from '../../transport.js';
import type { Case, Prepared, RedisTarget } from '../case.js';
import { KEY } from './redis-key.js';
import { resolveServer, verifyingTls } from './server.js';
import { Stopwatch } from './stopwatch.js';
import { contactFirst, watchedTls, watchedTurbo } from './watched-transport.js';

export const ownClientCases: Case<RedisTarget>[] = [
  {
    id: 'redisclient-tls',
    title: 'RedisClient over TLS',
    group: 'redis',
    reference: 'ioredis',
    prepare: async (target) => prepared(target, (await resolveServer(target)).tls, watchedTls),
  },
  {
    id: 'redisclient-turbo',
    title: 'RedisClient over turbo, first contact',
    group: 'redis',
    reference: 'ioredis',
    prepare: async (target) => {
      return prepared(target, (await resolveServer(target)).turbo, (watch) => watchedTurbo(watch, new PathMemory()));
    },
  },
  {
    id: 'redisclient-turbo-known',
    title: 'RedisClient over turbo, known path',
    group: 'redis',
    reference: 'ioredis',
    prepare: async (target, signal) => {
      const memory = new PathMemory();
      const way = prepared(target, (await resolveServer(target)).turbo, (watch) => watchedTurbo(watch, memory));
      await contactFirst(way, signal);
      return way;
    },
  },
];

function prepared(target: RedisTarget, address: HostAddress, transportFor: (watch: Stopwatch) => Transport): Prepared {
  const { username, password } = target;
  return {
    async once(signal) {
      signal.throwIfAborted();
      const watch = new Stopwatch();
      const client = RedisClient.open({
        ...address,
        username,
        password,
        tls: verifyingTls(target, watch),
        transport: transportFor(watch),
      });
      client.state$.subscribe(({ name }) => {
        if (name === 'ready') watch.reached('ready');
      });
      const stopListening = onAbort(signal, () => client.destroy());
      try {
        await client.command('GET', KEY);
        const sample = watch.sample();
        await client.close();
        return sample;
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      } finally {
        stopListening();
        client.destroy();
      }
    },
  };
}
