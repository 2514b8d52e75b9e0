/** PostgreSQL by psql, as it is and through proxy and gateway. libpq of version 15 knows SSLRequest alone. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostAddress } from '../../transport.js';
import type { Case, PostgresTarget } from '../case.js';
import { type ProgramFiles, prepareProgram, type Telling } from './program.js';

/** Debian's psql of PATH is a script that looks for clusters of this machine first. Here are the programs behind it. */
const DEBIAN_VERSIONS = '/usr/lib/postgresql';

export const psqlCases: Case<PostgresTarget>[] = [
  {
    id: 'psql',
    title: 'psql, SSLRequest',
    group: 'postgres',
    reference: 'pg',
    prepare: (target, signal) => prepare(target, false, signal),
  },
  {
    id: 'psql-proxy',
    title: 'psql through proxy and gateway',
    group: 'postgres',
    reference: 'pg',
    prepare: (target, signal) => prepare(target, true, signal),
  },
];

async function prepare(target: PostgresTarget, throughProxy: boolean, signal: AbortSignal) {
  const way = {
    name: 'psql',
    folders: await debianFolders(),
    throughProxy,
    tell: (to: HostAddress, files: ProgramFiles) => telling(target, to, files),
  };
  return prepareProgram(way, target, signal);
}

/** The newest first. */
async function debianFolders(): Promise<string[]> {
  const versions = await readdir(DEBIAN_VERSIONS).catch(() => []);
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(DEBIAN_VERSIONS, version, 'bin'));
}

function telling(
  { serverName, user, password, database }: PostgresTarget,
  to: HostAddress,
  { home, ca }: ProgramFiles,
): Telling {
  const settings = {
    host: serverName,
    hostaddr: to.host,
    port: to.port,
    user,
    dbname: database,
    sslmode: 'verify-full',
    sslrootcert: ca,
    gssencmode: 'disable', // a ticket of the user's would be tried first
  };
  const conninfo = Object.entries(settings).map(([keyword, value]) => `${keyword}=${quoted(String(value))}`);
  return {
    args: ['--no-psqlrc', '--no-password', '--tuples-only', '--no-align', '--command=SELECT 1', conninfo.join(' ')],
    env: { HOME: home, ...(password !== undefined && { PGPASSWORD: password }) },
  };
}

/** "Keyword/Value Connection Strings" of libpq's documentation. */
function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
