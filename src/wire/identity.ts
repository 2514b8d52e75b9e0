/** The secret of a connection and the public ID that follows from it (section 2). */
import { hash, randomBytes } from 'node:crypto';
import { CONNECTION_ID_LENGTH, INSTANCE_LENGTH, SECRET_LENGTH } from './constants.js';

const LABEL = Buffer.from('turbotls v1 connection id');

/** 32 bytes from the CSPRNG; whoever knows them may claim the session, so they travel once, on TCP. */
export function makeSecret(): Buffer {
  return randomBytes(SECRET_LENGTH);
}

/** The first 16 bytes of SHA-256 over the label and the secret. */
export function connectionIdOf(secret: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([LABEL, secret]), 'buffer').subarray(0, CONNECTION_ID_LENGTH);
}

const POOL_BYTES = 512 * INSTANCE_LENGTH;
let pool: Buffer = Buffer.alloc(0);

/** 8 random bytes that tell one session from another; not a secret, so they are drawn from the CSPRNG in stock. */
export function makeInstance(): Buffer {
  if (pool.length === 0) pool = randomBytes(POOL_BYTES);
  const instance = pool.subarray(0, INSTANCE_LENGTH);
  pool = pool.subarray(INSTANCE_LENGTH);
  return instance;
}
