/**
 * What PBKDF2 has made of a password, remembered: a client that reconnects spends no 4,096 hashes again. (RFC 5802
 * section 5.1: "clients may cache ClientKey & ServerKey".)
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { PgLimits } from '../limits.js';

/** RFC 5802 section 3. Whoever has `clientKey` can log in, until the password or its salt changes. */
export interface ScramKeys {
  clientKey: Buffer;
  storedKey: Buffer;
  serverKey: Buffer;
}

/** What the keys depend on. */
export interface SaltedPasswordInput {
  /** The server as the caller names it, such as "host:port": one server's salt says nothing about another's. */
  server: string;
  user: string;
  /** As it goes into PBKDF2, after SASLprep. */
  password: Buffer;
  salt: Buffer;
  iterations: number;
}

const KEY_BYTES = 32;
const derive = promisify(pbkdf2);

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

async function scramKeys({ password, salt, iterations }: SaltedPasswordInput): Promise<ScramKeys> {
  const saltedPassword = await derive(password, salt, iterations, KEY_BYTES, 'sha256');
  const clientKey = hmac(saltedPassword, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest();
  return { clientKey, storedKey, serverKey: hmac(saltedPassword, 'Server Key') };
}

export class SaltedPasswords {
  /** Entries are found by a keyed hash: neither a password nor something to guess one by is in the table's keys. */
  readonly #lookupKey = randomBytes(KEY_BYTES);
  readonly #remembered: LRUCache<string, Promise<ScramKeys>> | undefined;

  /** @param limits `saltedPasswords` 0 remembers none */
  constructor({ saltedPasswords }: Pick<PgLimits, 'saltedPasswords'>) {
    this.#remembered = saltedPasswords > 0 ? new LRUCache({ max: saltedPasswords }) : undefined;
  }

  /** The keys, computed once for all callers that ask for the same, at the same time or later. */
  keys(input: SaltedPasswordInput): Promise<ScramKeys> {
    const lookup = this.#lookup(input);
    const known = this.#remembered?.get(lookup);
    if (known) return known;
    const keys = scramKeys(input);
    this.#remembered?.set(lookup, keys);
    // A failure is its callers' and is not remembered.
    keys.catch(() => this.#remembered?.delete(lookup));
    return keys;
  }

  /** Forgets everything. */
  clear(): void {
    this.#remembered?.clear();
  }

  #lookup({ server, user, password, salt, iterations }: SaltedPasswordInput): string {
    const hash = createHmac('sha256', this.#lookupKey);
    // As JSON the fields cannot run into each other.
    hash.update(JSON.stringify([server, user, salt.toString('base64'), iterations]));
    return hash.update(password).digest('base64');
  }
}
