/** PostgreSQL's programs of Debian, with the libpq of a version. */
import { join } from 'node:path';
import { type Command, startCommand } from '../gateway/commands.js';
import { locatePart } from '../servers/parts.js';
import { postgresPrograms } from '../servers/postgres-installation.js';
import { ALICE } from './line.js';

/** 17 and 18 are those of the npm packages: they know sslnegotiation=direct. */
export type Libpq = 15 | 17 | 18;

/** Starts psql or pgbench, which logs in as alice. */
export async function startPostgresProgram(
  name: 'psql' | 'pgbench',
  args: readonly string[],
  libpq: Libpq = 15,
): Promise<Command> {
  const library = libpq === 15 ? {} : { LD_LIBRARY_PATH: join(await postgresPrograms(libpq), '..', 'lib') };
  const program = join(locatePart('postgresql-15'), 'bin', name);
  return startCommand(program, args, { PGPASSWORD: ALICE.password, ...library });
}
