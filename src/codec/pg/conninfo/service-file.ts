/** pg_service.conf ("The Connection Service File"): named groups of parameters. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PgError } from '../errors.js';
import { parameters } from './parameters.js';
import { Settings } from './settings.js';
import type { Surroundings } from './surroundings.js';

/** The parameters of a service, from the first file that has it: the user's, then the system's. */
export function readService(service: string, { env, serviceFile }: Surroundings): Settings {
  for (const path of serviceFiles(env, serviceFile)) {
    const settings = parseServiceFile(readServiceFile(path), service, path);
    if (settings) return settings;
  }
  throw new PgError('ERR_PG_BAD_OPTION', `service ${JSON.stringify(service)} is not defined in a service file`);
}

/** PGSERVICEFILE must exist; the others may. */
function* serviceFiles(env: NodeJS.ProcessEnv, userFile: string): Generator<string> {
  if (env.PGSERVICEFILE) yield env.PGSERVICEFILE;
  else if (existsSync(userFile)) yield userFile;
  if (!env.PGSYSCONFDIR) return;
  const systemFile = join(env.PGSYSCONFDIR, 'pg_service.conf');
  if (existsSync(systemFile)) yield systemFile;
}

function readServiceFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PgError('ERR_PG_BAD_OPTION', `service file ${JSON.stringify(path)} cannot be read`, { cause });
  }
}

/** @returns undefined if the service is not there. */
function parseServiceFile(text: string, service: string, path: string): Settings | undefined {
  let settings: Settings | undefined;
  for (const [index, rawLine] of text.split('\n').entries()) {
    const line = rawLine.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (settings) return settings;
      if (line.startsWith(`[${service}]`)) settings = new Settings();
      continue;
    }
    if (settings) readLine(line, settings, `service file ${JSON.stringify(path)}, line ${index + 1}`);
  }
  return settings;
}

function readLine(line: string, settings: Settings, origin: string): void {
  const equals = line.indexOf('=');
  const keyword = line.slice(0, Math.max(equals, 0));
  if (keyword === 'service') throw new PgError('ERR_PG_BAD_OPTION', `${origin}: a service cannot name another service`);
  // The first of two stays, as in libpq.
  if (settings.has(keyword)) return;
  if (!parameters.has(keyword)) throw new PgError('ERR_PG_BAD_OPTION', `${origin}: is not parameter=value of libpq`);
  settings.set(keyword, line.slice(equals + 1), origin);
}
