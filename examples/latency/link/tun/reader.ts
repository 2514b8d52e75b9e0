/** A thread that waits for the packets of one device: what it says is when they came. */
import { readSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { monotonicMs } from '../monotonic.js';
import { Bell } from './bell.js';
import type { ReaderData } from './messages.js';
import { PacketRing } from './packet-ring.js';

const data = workerData as ReaderData;
const ring = new PacketRing(data.ring);
const bell = new Bell(data.bell);

for (;;) {
  const length = readSync(data.device, ring.room());
  ring.add(length, monotonicMs());
  bell.ring();
}
