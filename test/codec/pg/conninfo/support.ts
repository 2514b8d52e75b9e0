import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConninfoSources } from '../../../../src/codec/pg/conninfo/conninfo.js';
import { parameters } from '../../../../src/codec/pg/conninfo/parameters.js';
import type { Settings } from '../../../../src/codec/pg/conninfo/settings.js';
import { PgError } from '../../../../src/codec/pg/errors.js';

/** A machine with nothing on it: no environment, no files, no local server. */
export const NOWHERE: ConninfoSources = {
  env: {},
  home: '/nowhere/at/all',
  userName: 'me',
  socketDirectory: '/nowhere/at/all',
  warn: (text) => {
    throw new Error(`no warning was expected: ${text}`);
  },
};

/** What was set, as a plain object. */
export function dump(settings: Settings): Record<string, string> {
  const found: Record<string, string> = {};
  for (const keyword of parameters.keys()) {
    const setting = settings.get(keyword as Parameters<Settings['get']>[0]);
    if (setting) found[keyword] = setting.value;
  }
  return found;
}

/** The message of the ERR_PG_BAD_OPTION that `act` throws. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof PgError && error.code === 'ERR_PG_BAD_OPTION') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** A new folder, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-conninfo-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
