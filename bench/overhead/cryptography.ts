/** AES-GCM without a network: a record sealed and opened by node:crypto, and what of that is the object for each record. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { median } from '../measure.js';
import type { Pace, Table } from './measure.js';
import { Opener, RECORD_BYTES, Sealer, type Suite, trafficKey } from './records.js';

const SIZES = [16, 1024, RECORD_BYTES];
const SUITES: Record<string, Suite> = { 'AES-128': 'TLS_AES_128_GCM_SHA256', 'AES-256': 'TLS_AES_256_GCM_SHA384' };
/** Records in a batch. */
const BATCH = 200;

/** CPU of one, µs, out of as many as take so long. */
type Timed = (forMs: number) => number;

export function cryptography({ rounds, roundMs, progress }: Pace): Table {
  const title = 'AES-GCM of one record, CPU, µs';
  const timed = Object.entries(SUITES).flatMap(([name, suite]): [string, Timed[]][] => [
    [`${name}, sealed by node:crypto`, SIZES.map((bytes) => sealing(suite, bytes))],
    [`${name}, opened by node:crypto`, SIZES.map((bytes) => opening(suite, bytes))],
    [`${name}, update() alone`, SIZES.map((bytes) => ciphering(suite, bytes))],
  ]);
  const taken = timed.map(([name, columns]) => ({
    name,
    columns: columns.map((time) => ({ time, us: [] as number[] })),
  }));
  for (let round = 0; round <= rounds; round++) {
    progress(`${title}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`);
    for (const { columns } of taken) {
      for (const { time, us } of columns) {
        const one = time(roundMs / 5);
        if (round > 0) us.push(one);
      }
    }
  }
  return {
    title,
    columns: SIZES.map((bytes) => `${bytes.toLocaleString('en')} bytes`),
    rows: taken.map(({ name, columns }) => ({ name, cells: columns.map(({ us }) => ({ value: median(us) })) })),
  };
}

function sealing(suite: Suite, bytes: number): Timed {
  const plain = randomBytes(bytes);
  return (forMs) => {
    const sealer = new Sealer(trafficKey(suite, randomBytes(32)));
    return timeBatches(forMs, () => {
      for (let count = 0; count < BATCH; count++) sealer.seal(plain);
    });
  };
}

function opening(suite: Suite, bytes: number): Timed {
  const secret = randomBytes(32);
  const sealer = new Sealer(trafficKey(suite, secret));
  const plain = randomBytes(bytes);
  const records = Array.from({ length: BATCH }, () => sealer.seal(plain));
  return (forMs) =>
    timeBatches(forMs, () => {
      const opener = new Opener(trafficKey(suite, secret));
      for (const record of records) opener.open(record);
    });
}

/** One cipher object for all: what is missing from it, an object for each record takes. */
function ciphering(suite: Suite, bytes: number): Timed {
  const plain = randomBytes(bytes);
  return (forMs) => {
    const { cipher, key, iv } = trafficKey(suite, randomBytes(32));
    const gcm = createCipheriv(cipher, key, iv);
    return timeBatches(forMs, () => {
      for (let count = 0; count < BATCH; count++) gcm.update(plain);
    });
  };
}

function timeBatches(forMs: number, batch: () => void): number {
  const before = process.cpuUsage();
  for (let batches = 1; ; batches++) {
    batch();
    const { user, system } = process.cpuUsage(before);
    if (user + system >= forMs * 1000) return (user + system) / (batches * BATCH);
  }
}
