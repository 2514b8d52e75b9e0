/** Redis by redis-cli, as it is and through proxy and gateway. It verifies who signed the certificate, and no name. */
import { isIP } from 'node:net';
import type { HostAddress } from '../../transport.js';
import type { Case, RedisTarget } from '../case.js';
import { type ProgramFiles, prepareProgram, type Telling } from './program.js';
import { KEY } from './redis-key.js';

export const redisCliCases: Case<RedisTarget>[] = [
  {
    id: 'redis-cli',
    title: 'redis-cli',
    group: 'redis',
    reference: 'ioredis',
    prepare: (target, signal) => prepareProgram(way(target, false), target, signal),
  },
  {
    id: 'redis-cli-proxy',
    title: 'redis-cli through proxy and gateway',
    group: 'redis',
    reference: 'ioredis',
    prepare: (target, signal) => prepareProgram(way(target, true), target, signal),
  },
];

function way(target: RedisTarget, throughProxy: boolean) {
  const tell = (to: HostAddress, files: ProgramFiles) => telling(target, to, files);
  return { name: 'redis-cli', throughProxy, tell };
}

function telling(
  { serverName, username, password }: RedisTarget,
  { host, port }: HostAddress,
  { home, ca }: ProgramFiles,
): Telling {
  return {
    args: [
      ...['-h', host, '-p', String(port)],
      ...['-e', '--tls', '--cacert', ca], // -e: what the server refuses is a failure
      ...(isIP(serverName) === 0 ? ['--sni', serverName] : []),
      ...(username === undefined ? [] : ['--user', username]),
      ...['GET', KEY],
    ],
    env: { HOME: home, ...(password !== undefined && { REDISCLI_AUTH: password }) },
  };
}
