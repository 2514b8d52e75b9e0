/** require_auth: the methods that a server may ask for, or, with `!` before each, those that it may not. */
import { PgError } from '../errors.js';
import type { Settings } from './settings.js';
import { AUTH_METHODS, type AuthMethod } from './target.js';
import { badValue } from './values.js';

/** @returns undefined: any method */
export function requireAuthFrom(settings: Settings): ReadonlySet<AuthMethod> | undefined {
  const entries = settings.text('require_auth')?.split(',');
  if (entries === undefined) return undefined;
  const negated = entries.filter((entry) => entry.startsWith('!'));
  if (negated.length !== 0 && negated.length !== entries.length) {
    throw badValue(settings, 'require_auth', 'a list of methods, either all of them with "!" or none');
  }
  const named = methodsNamed(entries, settings);
  if (negated.length === 0) return named;
  return new Set(AUTH_METHODS.filter((method) => !named.has(method)));
}

function methodsNamed(entries: string[], settings: Settings): Set<AuthMethod> {
  const named = new Set<AuthMethod>();
  for (const entry of entries) {
    const method = AUTH_METHODS.find((one) => one === entry.replace(/^!/, ''));
    if (method === undefined) throw badValue(settings, 'require_auth', `methods of ${AUTH_METHODS.join(', ')}`);
    // Most likely a slip of the pen, where one is dangerous.
    if (named.has(method)) throw new PgError('ERR_PG_BAD_OPTION', `require_auth names ${method} twice`);
    named.add(method);
  }
  return named;
}
