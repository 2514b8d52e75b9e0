/** Bytes to send and hashes to compare. */
import { createCipheriv, createHash } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';

const CHUNK = 64 * 1024;

/** A stream of `length` bytes that look random and are the same for the same name. */
export function* chunks(name: string, length: number): Generator<Buffer> {
  const key = createHash('sha256').update(name).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  const zeros = Buffer.alloc(CHUNK);
  for (let left = length; left > 0; left -= CHUNK) yield cipher.update(zeros.subarray(0, Math.min(CHUNK, left)));
}

/** The bytes in one piece. */
export function bytes(name: string, length: number): Buffer {
  return Buffer.concat([...chunks(name, length)]);
}

export interface Digest {
  bytes: number;
  sha256: string;
}

/** What `chunks` yields, in short. */
export function digestOf(name: string, length: number): Digest {
  const hash = createHash('sha256');
  for (const chunk of chunks(name, length)) hash.update(chunk);
  return { bytes: length, sha256: hash.digest('hex') };
}

/** Reads to the end. (An iterator would destroy the stream there, and with it the other direction.) */
export function digest(from: Readable): Promise<Digest> {
  const hash = createHash('sha256');
  let length = 0;
  return new Promise((resolve, reject) => {
    from.on('data', (chunk: Buffer) => {
      length += chunk.length;
      hash.update(chunk);
    });
    from.once('end', () => resolve({ bytes: length, sha256: hash.digest('hex') }));
    from.once('error', reject);
    from.once('close', () => reject(new Error('closed before its end')));
  });
}

/** Writes the bytes, as fast as they are taken, then ends. */
export async function send(to: Writable, name: string, length: number): Promise<void> {
  for (const chunk of chunks(name, length)) {
    if (to.destroyed) return;
    if (!to.write(chunk)) await drained(to);
  }
  to.end();
}

function drained(to: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      to.off('drain', done);
      to.off('close', done);
      resolve();
    };
    to.on('drain', done);
    to.on('close', done);
  });
}
