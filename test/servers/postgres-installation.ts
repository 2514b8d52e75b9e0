/** PostgreSQL's programs, and an empty cluster for each version that is made once and copied from then on. */
import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { locatePart, type PostgresVersion } from './parts.js';
import { makeFolder, serverAccount, writeServerFile } from './workshop.js';

export const SUPERUSER = { user: 'postgres', password: 'a-superuser-of-tests' } as const;

/** One of the package's pg-symlinks.json, both relative to the folder above native; npm packages hold no links. */
interface Link {
  readonly source: string;
  readonly target: string;
}

const run = promisify(execFile);
const installations = new Map<PostgresVersion, Promise<string>>();
const templates = new Map<PostgresVersion, Promise<string>>();

/** The folder of initdb and postgres. */
export function postgresPrograms(version: PostgresVersion): Promise<string> {
  return once(installations, version, async () => {
    const folder = locatePart(`postgresql-${version}`);
    return join(version === 15 ? folder : await unpack(folder), 'bin');
  });
}

/** A new data directory in `folder`, with the superuser in it. */
export async function makeCluster(version: PostgresVersion, folder: string): Promise<string> {
  const template = await once(templates, version, () => makeTemplate(version));
  const data = join(folder, 'data');
  await asServer('cp', ['-R', template, data]);
  return data;
}

/**
 * The data directory, in `folder`, of a hot standby of the server on that Unix socket, which trusts the superuser. Of
 * the installations here, only that of version 15 has pg_basebackup.
 */
export async function makeStandby(folder: string, primary: { socketDir: string; port: number }): Promise<string> {
  const data = join(folder, 'data');
  const { socketDir, port } = primary;
  await asServer(join(await postgresPrograms(15), 'pg_basebackup'), [
    `--pgdata=${data}`,
    `--host=${socketDir}`,
    `--port=${port}`,
    `--username=${SUPERUSER.user}`,
    '--checkpoint=fast',
    '--write-recovery-conf',
    '--no-sync',
  ]);
  return data;
}

/**
 * Copies the npm package's files: servers run by another account may not be able to read node_modules, and links of
 * shared libraries are made by an install script, which npm may not have run.
 */
async function unpack(native: string): Promise<string> {
  const folder = join(await makeFolder('programs'), 'native');
  await run('cp', ['-R', native, folder]);
  const links: Link[] = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    await symlink(basename(source), join(dirname(folder), target)).catch(ignoreExisting);
  }
  return folder;
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function makeTemplate(version: PostgresVersion): Promise<string> {
  const folder = await makeFolder('template');
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await writeServerFile(passwordFile, SUPERUSER.password);
  await asServer(join(await postgresPrograms(version), 'initdb'), [
    `--pgdata=${data}`,
    `--username=${SUPERUSER.user}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--wal-segsize=1',
    '--no-sync',
  ]);
  return data;
}

async function asServer(file: string, args: readonly string[]): Promise<void> {
  await run(file, args, { cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }, ...serverAccount() });
}

function once<Key, T>(made: Map<Key, Promise<T>>, key: Key, make: () => Promise<T>): Promise<T> {
  const known = made.get(key) ?? make();
  made.set(key, known);
  return known;
}
