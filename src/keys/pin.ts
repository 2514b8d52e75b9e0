/** A token's PIN on its way to the engine, which takes it from a file. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyError } from './errors.js';
import { PIN_BYTES } from './limits.js';
import type { PinSource } from './uri.js';

/**
 * Calls with the path of a file that holds the PIN and nothing else. The engine would take a line end for a part of it,
 * and shows a PIN that is in the URI whenever it fails: what is no such file becomes one, for as long as the call lasts.
 * @throws KeyError ERR_KEY_PIN, and what `use` throws
 */
export function withPinFile<T>(source: PinSource, use: (path: string) => T): T {
  const text = 'file' in source ? readPin(source.file) : pinOf(source.variable);
  const pin = text.replace(/\r?\n$/, '');
  if (pin === '') throw new KeyError('ERR_KEY_PIN', `${nameOf(source)} is empty`);
  if (/[\0\r\n]/.test(pin)) throw new KeyError('ERR_KEY_PIN', `${nameOf(source)} has more than one line`);
  if (Buffer.byteLength(pin) > PIN_BYTES) {
    throw new KeyError('ERR_KEY_PIN', `${nameOf(source)} has more than ${PIN_BYTES} bytes`);
  }
  if ('file' in source && pin === text) return use(source.file);
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-pin-'));
  try {
    const file = join(folder, 'pin');
    writeFileSync(file, pin, { mode: 0o600 });
    return use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readPin(file: string): string {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new Error('it is not a file');
    if (stat.size > PIN_BYTES + 2) throw new Error(`it has ${stat.size} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new KeyError('ERR_KEY_PIN', `${file} cannot be read: ${code ?? message}`, { cause: error });
  }
}

function pinOf(variable: string): string {
  const pin = process.env[variable];
  if (pin === undefined) throw new KeyError('ERR_KEY_PIN', `the environment has no ${variable}`);
  return pin;
}

function nameOf(source: PinSource): string {
  return 'file' in source ? source.file : `${source.variable} in the environment`;
}
