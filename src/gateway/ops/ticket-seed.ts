/**
 * The seed of session tickets, which workers have in common and the process that starts them does not read: a file
 * without a name, whose descriptor they inherit. Whoever comes first makes it.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '../errors.js';
import { TICKET_SEED_BYTES } from '../tickets.js';

/** The first is memory: what is there is on no disk, and in no backup. */
const FOLDERS = ['/dev/shm', tmpdir()];

/**
 * @param folders in which a file can perhaps be made; the first of them in which it can
 * @returns a descriptor for workers to inherit; it is the caller's to close
 * @throws GatewayError ERR_GATEWAY_TICKET_SEED
 */
export function openTicketSeed(folders: readonly string[] = FOLDERS): number {
  let cause: unknown;
  for (const folder of folders) {
    try {
      return openNameless(folder);
    } catch (error) {
      cause = error;
    }
  }
  const detail = `none of ${folders.join(', ')} can be written to; mount one of them writable, as a tmpfs`;
  throw new GatewayError('ERR_GATEWAY_TICKET_SEED', detail, { cause });
}

function openNameless(folder: string): number {
  const path = join(folder, `turbotls-${randomBytes(16).toString('hex')}`);
  // Appending is atomic, and nobody else can have opened it.
  const descriptor = openSync(path, 'ax+', 0o600);
  try {
    unlinkSync(path);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * The seed: the first bytes of the file, whichever process appended them.
 * @param descriptor of `openTicketSeed`
 */
export function readTicketSeed(descriptor: number): Buffer {
  if (fstatSync(descriptor).size < TICKET_SEED_BYTES) writeSync(descriptor, randomBytes(TICKET_SEED_BYTES));
  const seed = Buffer.alloc(TICKET_SEED_BYTES);
  const length = readSync(descriptor, seed, 0, TICKET_SEED_BYTES, 0);
  if (length < TICKET_SEED_BYTES) throw new Error(`the seed of session tickets has ${length} bytes`);
  return seed;
}
