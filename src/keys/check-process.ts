/**
 * A process that loads a key and signs with it once, asked on its standard input and answering on its standard output:
 * a token that does not answer must not hold up the process that asks, and what the engine has against a key it says on
 * standard error alone.
 */
import { readFileSync } from 'node:fs';
import { type CheckFailure, failureOf } from './failure.js';
import { loadKey } from './load.js';
import { signOnce } from './sign-once.js';
import type { KeyUri } from './uri.js';

export interface CheckRequest {
  /** PEM. */
  cert: string;
  key: Pick<KeyUri, 'path' | 'pin'>;
}

/** null: the key has signed. Else an error, of node:tls or a KeyError. */
export type CheckAnswer = CheckFailure | null;

async function answer(): Promise<CheckAnswer> {
  const { cert, key } = JSON.parse(readFileSync(0, 'utf8')) as CheckRequest;
  try {
    await signOnce(loadKey(cert, key));
    return null;
  } catch (error) {
    return failureOf(error as Error);
  }
}

console.log(JSON.stringify(await answer()));
// A module may have threads and locks of its own.
process.exit(0);
