/** Redis, from the first call to the reply to GET. */
import type { Case, RedisTarget } from '../case.js';
import { redisCliCases } from './redis-cli.js';
import { clientsCases } from './redis-clients.js';
import { ownClientCases } from './redis-own.js';

export const redisCases: Case<RedisTarget>[] = [...clientsCases, ...redisCliCases, ...ownClientCases];
