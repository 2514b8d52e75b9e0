/** Searches the memory of another process for a private key: Linux, processes of one's own. */
import { createPrivateKey } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A stretch of bytes that only the key has, and how it is written. */
export interface Trace {
  form: string;
  bytes: Buffer;
}

export interface MemorySearch {
  /** Forms of which there is at least one copy. */
  found: string[];
  /** Bytes that were read. */
  searched: number;
}

const CHUNK = 8 * 1024 * 1024;

/**
 * What to look for: the secret numbers of a key (of EC the scalar, of RSA the primes) as standards write them, as OpenSSL
 * computes with them, and in the PEM text.
 * @param pem PKCS #8, not encrypted
 */
export function tracesOf(pem: string): Trace[] {
  const { d = '', p, q } = createPrivateKey(pem).export({ format: 'jwk' });
  const secrets = (p && q ? [p, q] : [d]).map((text) => Buffer.from(text, 'base64url'));
  return secrets.flatMap((secret) => [
    { form: 'number', bytes: secret },
    // Limbs, the lowest first, on machines whose words begin with the lowest byte.
    { form: 'number of OpenSSL', bytes: Buffer.from(secret).reverse() },
    { form: 'PEM', bytes: pemTrace(pem, secret) },
  ]);
}

/** @throws where the process is not one's own, or gone */
export function searchMemory(pid: number, traces: readonly Trace[]): MemorySearch {
  const found = new Set<string>();
  const overlap = Math.max(...traces.map(({ bytes }) => bytes.length)) - 1;
  const buffer = Buffer.alloc(CHUNK + overlap);
  let searched = 0;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of regionsOf(pid)) {
      for (let at = start; at < end; at += CHUNK) {
        const length = readAt(memory, buffer.subarray(0, Math.min(buffer.length, end - at)), at);
        searched += Math.min(length, CHUNK);
        const part = buffer.subarray(0, length);
        for (const { form, bytes } of traces) if (part.includes(bytes)) found.add(form);
      }
    }
  } finally {
    closeSync(memory);
  }
  return { found: [...found], searched };
}

/**
 * Looks again and again, each time into a process that stands still: a key may be there only while it signs. For a process
 * that is kept busy meanwhile.
 */
export async function searchBusyMemory(pid: number, traces: readonly Trace[], tries = 200): Promise<MemorySearch> {
  let search: MemorySearch = { found: [], searched: 0 };
  for (let i = 0; i < tries && search.found.length === 0; i++) {
    process.kill(pid, 'SIGSTOP');
    try {
      search = searchMemory(pid, traces);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    // Never in step with what it does.
    await sleep(Math.random() * 5);
  }
  return search;
}

/** Readable ones. Those of the kernel cannot be read through a file. */
function regionsOf(pid: number): { start: number; end: number }[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .map((line) => line.match(/^([0-9a-f]+)-([0-9a-f]+) r(?!.*\[v)/))
    .filter((match) => match !== null)
    .map(([, start = '', end = '']) => ({ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }));
}

/** What can be read of it: a region may end, or be a device's. */
function readAt(file: number, buffer: Buffer, position: number): number {
  let length = 0;
  try {
    while (length < buffer.length) {
      const count = readSync(file, buffer, length, buffer.length - length, position + length);
      if (count === 0) break;
      length += count;
    }
  } catch {}
  return length;
}

/** Of the base64 text, what stands for bytes of the secret alone, within one line. */
function pemTrace(pem: string, secret: Buffer): Buffer {
  const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-'));
  const der = Buffer.from(lines.join(''), 'base64');
  const from = Math.ceil(der.indexOf(secret) / 3) * 4;
  const to = Math.floor((der.indexOf(secret) + secret.length) / 3) * 4;
  const pieces: string[] = [];
  let at = 0;
  for (const line of lines) {
    pieces.push(line.slice(Math.max(0, from - at), Math.max(0, to - at)));
    at += line.length;
  }
  const [longest = ''] = pieces.sort((a, b) => b.length - a.length);
  return Buffer.from(longest);
}
