/** What the tests of authentication share. */
import { createHook } from 'node:async_hooks';
import { SaltedPasswords } from '../../../../src/codec/pg/auth/salted-passwords.js';
import { type ChannelBindingFlag, ScramClient, type ScramOptions } from '../../../../src/codec/pg/auth/scram.js';
import { PgError, type PgErrorCode } from '../../../../src/codec/pg/errors.js';
import { defaultPgLimits } from '../../../../src/codec/pg/limits.js';

/** 'done', or the code of the PgError; anything else that is thrown stays thrown. */
export async function outcome(run: () => unknown): Promise<PgErrorCode | 'done'> {
  try {
    await run();
    return 'done';
  } catch (error) {
    if (error instanceof PgError) return error.code;
    throw error;
  }
}

/** The PgError that a call fails with. */
export async function failure(run: () => unknown): Promise<PgError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof PgError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** How many times PBKDF2 ran in Node while `run` did. */
export async function countPbkdf2(run: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'PBKDF2REQUEST') count++;
    },
  }).enable();
  try {
    await run();
  } finally {
    hook.disable();
  }
  return count;
}

export interface ClientSettings extends Partial<Omit<ScramOptions, 'password' | 'binding'>> {
  password?: string;
  binding?: ChannelBindingFlag;
}

export function scramClient({ password = 'pencil', ...options }: ClientSettings = {}): ScramClient {
  return new ScramClient({
    password: async () => password,
    binding: { type: 'none' },
    account: { server: 'db.example:5432', user: 'alice' },
    salted: new SaltedPasswords(defaultPgLimits),
    limits: defaultPgLimits,
    ...options,
  });
}
