/** Packages that a case needs and that turbotls does not bring: the user's project has them, or the case is missing. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf } from '../../gateway/message-of.js';
import type { Missing } from '../case.js';

/**
 * What `load` imports: from where turbotls is installed, else from the project in the working directory.
 *
 *     const undici = await optional('undici', () => import('undici'));
 */
export async function optional<T extends object>(name: string, load: () => Promise<T>): Promise<T | Missing> {
  try {
    return await load();
  } catch (error) {
    if (!isNotFound(error, name)) return cannotLoad(name, error);
  }
  try {
    const path = createRequire(join(process.cwd(), 'package.json')).resolve(name);
    return (await import(pathToFileURL(path).href)) as T;
  } catch (error) {
    return isNotFound(error, name) ? { missing: `the npm package ${name} is not installed` } : cannotLoad(name, error);
  }
}

export function isMissing(value: object): value is Missing {
  return 'missing' in value;
}

/** Its native part may not be there for this machine. */
function cannotLoad(name: string, error: unknown): Missing {
  return { missing: `the npm package ${name} cannot be loaded: ${messageOf(error)}` };
}

/** The package itself, and not something that it imports. */
function isNotFound(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message.includes(`'${name}'`);
}
