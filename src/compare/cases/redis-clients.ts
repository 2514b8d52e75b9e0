/** Redis by the clients that people use. Options that are not about the server are left at their defaults. */
import { onAbort } from '../../abort.js';
import { TurboConnector } from '../../adapters/ioredis.js';
import { PathMemory } from '../../client/path-memory.js';
import type { Case, Missing, Prepared, RedisTarget } from '../case.js';
import { isMissing, optional } from './optional.js';
import { KEY } from './redis-key.js';
import { resolveServer, verifyingTls } from './server.js';
import { Stopwatch } from './stopwatch.js';

export const clientsCases: Case<RedisTarget>[] = [
  {
    id: 'ioredis',
    title: 'ioredis',
    group: 'redis',
    reference: 'ioredis',
    prepare: (target) => prepareIoredis(target, {}),
  },
  {
    id: 'ioredis-noready',
    title: 'ioredis, enableReadyCheck: false',
    group: 'redis',
    reference: 'ioredis',
    prepare: (target) => prepareIoredis(target, { enableReadyCheck: false }),
  },
  {
    id: 'ioredis-turbo',
    title: 'ioredis by TurboConnector, first contact',
    group: 'redis',
    reference: 'ioredis',
    prepare: (target) => prepareIoredis(target, 'turbo'),
  },
  {
    id: 'redis-client',
    title: '@redis/client, connect, then GET',
    group: 'redis',
    reference: 'ioredis',
    prepare: prepareRedisClient,
  },
];

async function prepareIoredis(
  target: RedisTarget,
  way: { enableReadyCheck?: boolean } | 'turbo',
): Promise<Prepared | Missing> {
  const module = await optional('ioredis', () => import('ioredis'));
  if (isMissing(module)) return module;
  const { Redis } = module;
  const server = await resolveServer(target);
  return {
    async once(signal) {
      signal.throwIfAborted();
      const watch = new Stopwatch();
      const client = new Redis({
        ...credentials(target),
        tls: verifyingTls(target, watch),
        retryStrategy: () => null, // a failure is one
        ...(way === 'turbo'
          ? { ...server.turbo, Connector: TurboConnector.with({ memory: new PathMemory() }) }
          : { ...server.tls, ...way }),
      });
      let failure: Error | undefined;
      client.on('error', (error) => {
        failure ??= error;
      });
      client.on('ready', () => watch.reached('ready'));
      const ended = new Promise((resolve) => client.once('end', resolve));
      const stopListening = onAbort(signal, () => client.disconnect());
      try {
        await client.get(KEY);
        return watch.sample();
      } catch (error) {
        // What a command is told is that the connection is closed.
        throw signal.aborted ? signal.reason : (failure ?? error);
      } finally {
        stopListening();
        if (client.status !== 'end') {
          client.disconnect();
          await ended;
        }
      }
    },
  };
}

async function prepareRedisClient(target: RedisTarget): Promise<Prepared | Missing> {
  const module = await optional('@redis/client', () => import('@redis/client'));
  if (isMissing(module)) return module;
  const { createClient } = module;
  const server = await resolveServer(target);
  return {
    async once(signal) {
      signal.throwIfAborted();
      const watch = new Stopwatch();
      const socket = {
        ...server.tls,
        tls: true as const,
        ...verifyingTls(target, watch),
        reconnectStrategy: false as const,
      };
      // What is no option of the client's own goes to tls.connect; destroy() does not end a socket that is not there yet.
      const client = createClient({ ...credentials(target), socket: Object.assign(socket, { signal }) });
      client.on('error', () => {}); // what waits is told too
      const stopListening = onAbort(signal, () => client.destroy());
      try {
        await client.connect();
        watch.reached('ready');
        await client.get(KEY);
        return watch.sample();
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      } finally {
        stopListening();
        if (client.isOpen) client.destroy();
      }
    },
  };
}

function credentials({ username, password }: RedisTarget): { username?: string; password?: string } {
  return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}
