/**
 * Commands that a connection shared by many callers cannot bear: they change what all later replies are, or whether
 * there are any; or they set what a reconnection would undo in silence.
 */
import { RedisError } from '../errors.js';
import type { Command } from './exchange.js';

const CHANGES_REPLIES = 'no reply would belong to its command any more';

const REFUSED: Readonly<Record<string, string>> = {
  SUBSCRIBE: 'use subscribe()',
  UNSUBSCRIBE: 'unsubscribe from the observable',
  PSUBSCRIBE: 'use psubscribe()',
  PUNSUBSCRIBE: 'unsubscribe from the observable',
  SSUBSCRIBE: 'use ssubscribe()',
  SUNSUBSCRIBE: 'unsubscribe from the observable',
  MULTI: 'use transaction()',
  EXEC: 'use transaction()',
  DISCARD: 'use transaction()',
  HELLO: 'the options say protocol, user and password',
  AUTH: 'the options say user and password',
  SELECT: 'the options say the database; open another client for another one',
  QUIT: 'use close()',
  RESET: 'use destroy(), and open another client',
  MONITOR: CHANGES_REPLIES,
  SYNC: CHANGES_REPLIES,
  PSYNC: CHANGES_REPLIES,
  REPLCONF: CHANGES_REPLIES,
  'CLIENT REPLY': CHANGES_REPLIES,
};

/** @throws RedisError ERR_REDIS_COMMAND_REFUSED */
export function checkCommand(command: Command): void {
  const name = nameOf(command);
  const key = name === 'CLIENT' ? `CLIENT ${String(command[1]).toUpperCase()}` : name;
  if (Object.hasOwn(REFUSED, key)) throw new RedisError('ERR_REDIS_COMMAND_REFUSED', `${key}: ${REFUSED[key]}`);
}

/** In capitals. */
export function nameOf([name]: Command): string {
  const text = name instanceof Uint8Array ? Buffer.from(name).toString() : String(name);
  return text.toUpperCase();
}
