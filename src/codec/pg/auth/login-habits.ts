/** What a server asked for when a user logged in last: the guess for the next connection. */
import { LRUCache } from 'lru-cache';
import type { PgLimits } from '../limits.js';
import {
  endPointData,
  isScram,
  isVerified,
  type LinkSecurity,
  type LoginGuess,
  type LoginMethod,
  type LoginRules,
  mayGuess,
} from './rules.js';

/** Whose habit: `pg_hba.conf` decides by these. */
export interface HabitOf {
  /** The server as the caller names it, "host:port". */
  server: string;
  user: string;
  dbname: string;
  link: LinkSecurity;
}

export class LoginHabits {
  readonly #methods: LRUCache<string, LoginMethod> | undefined;

  /**
   * @param limits `loginHabits` 0 remembers none
   * @param now a clock, ms
   */
  constructor(
    { loginHabits, loginHabitAgeMs }: Pick<PgLimits, 'loginHabits' | 'loginHabitAgeMs'>,
    now: () => number = () => performance.now(),
  ) {
    if (loginHabits === 0) return;
    this.#methods = new LRUCache({
      max: loginHabits,
      ttl: Math.ceil(loginHabitAgeMs), // whole, as lru-cache has it
      ttlResolution: 0,
      perf: { now: () => now() + 1 }, // lru-cache takes a start time of 0 for "no time limit"
    });
  }

  get(of: HabitOf): LoginMethod | undefined {
    return this.#methods?.get(keyOf(of));
  }

  /** A login has succeeded in which the server asked for `method`. */
  learn(of: HabitOf, method: LoginMethod): void {
    this.#methods?.set(keyOf(of), method);
  }

  /** The guess was wrong. */
  forget(of: HabitOf): void {
    this.#methods?.delete(keyOf(of));
  }
}

/** What an unverified server asked for is not to decide what a verified one gets. */
function keyOf({ server, user, dbname, link }: HabitOf): string {
  return JSON.stringify([server, user, dbname, link.encryption, isVerified(link)]);
}

export interface GuessInput extends LoginRules {
  hasPassword: boolean;
  habit: LoginMethod | undefined;
}

/**
 * What to send before the server has asked, if anything: the one method that require_auth names, else what the server
 * asked for last time, else what servers ask for by default. Never what the rules forbid (`mayGuess`).
 */
export function guessFor({ habit, hasPassword, ...rules }: GuessInput): LoginGuess | undefined {
  const guess = required(rules, habit) ?? habit ?? (hasPassword ? likelyScram(rules) : 'none');
  if (guess === 'md5' || guess === 'unguessable') return undefined;
  return mayGuess(rules, guess, hasPassword) ? guess : undefined;
}

function required(rules: LoginRules, habit: LoginMethod | undefined): LoginMethod | 'unguessable' | undefined {
  const [method, ...others] = rules.requireAuth ?? [];
  if (method === undefined || others.length > 0) return undefined;
  if (method === 'scram-sha-256') return habit && isScram(habit) ? habit : likelyScram(rules);
  return method === 'none' || method === 'password' || method === 'md5' ? method : 'unguessable';
}

/** PostgreSQL offers -PLUS wherever it has TLS. */
function likelyScram(rules: LoginRules): LoginGuess {
  return endPointData(rules) ? 'scram-sha-256-plus' : 'scram-sha-256';
}
