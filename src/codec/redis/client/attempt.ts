/** One attempt at a connection: the stream and the password, fetched at the same time. */
import type { Duplex } from 'node:stream';
import { RedisError } from '../errors.js';
import { dial } from './dial.js';
import type { Secret } from './login.js';
import type { Credentials, RedisConfig } from './options.js';

export interface Prepared {
  stream: Duplex;
  secret: Secret | undefined;
}

/**
 * Nothing is left open where it rejects: the caller then aborts `signal`.
 * @throws what the transport and the password function throw, and the reason of `signal`
 */
export async function prepare(config: RedisConfig, signal: AbortSignal): Promise<Prepared> {
  const dialled = dial(config, signal);
  try {
    const both = Promise.all([dialled, secretOf(config.credentials)]);
    dialled.then(silence, () => {});
    const [stream, secret] = await untilAborted(both, signal);
    if (stream.destroyed) throw stream.errored ?? new RedisError('ERR_REDIS_CONNECTION_LOST');
    return { stream, secret };
  } catch (error) {
    dialled.then(discard, () => {});
    throw error;
  }
}

/** It may end while the password is still awaited. */
function silence(stream: Duplex): void {
  stream.on('error', () => {});
}

function discard(stream: Duplex): void {
  silence(stream);
  stream.destroy();
}

async function secretOf(credentials: Credentials | undefined): Promise<Secret | undefined> {
  if (!credentials) return undefined;
  const { username, password } = credentials;
  const text = typeof password === 'function' ? await password() : password;
  if (typeof text !== 'string') throw new RedisError('ERR_REDIS_BAD_OPTION', 'the password function gave no text');
  return { username, password: text };
}

/** Neither a transport nor a password function need heed the signal. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
