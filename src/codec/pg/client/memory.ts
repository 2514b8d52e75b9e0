/** What connections of this process have learned of servers, so that the next one is faster. */
import { LRUCache } from 'lru-cache';
import { LoginHabits } from '../auth/login-habits.js';
import { SaltedPasswords } from '../auth/salted-passwords.js';
import { defaultPgLimits, type PgLimits } from '../limits.js';

export class PgMemory {
  /** How each server wanted to be logged in to. */
  readonly habits: LoginHabits;
  /** What SCRAM makes of passwords with 4,096 hashes. */
  readonly salted: SaltedPasswords;

  /** The key-share group that each server asked for (HelloRetryRequest), by "host:port". */
  readonly groups: LRUCache<string, string>;

  constructor(limits: PgLimits = defaultPgLimits) {
    this.habits = new LoginHabits(limits);
    this.salted = new SaltedPasswords(limits);
    this.groups = new LRUCache({ max: limits.loginHabits, ttl: limits.loginHabitAgeMs });
  }
}

let shared: PgMemory | undefined;

/** The process's own. */
export function sharedMemory(): PgMemory {
  shared ??= new PgMemory();
  return shared;
}
