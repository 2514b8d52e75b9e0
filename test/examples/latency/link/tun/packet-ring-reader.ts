/** A thread that fills a ring as fast as it can, with numbers. */
import { workerData } from 'node:worker_threads';
import { Bell } from '../../../../../examples/latency/link/tun/bell.js';
import { PacketRing, type RingMemory } from '../../../../../examples/latency/link/tun/packet-ring.js';

const { memory, bell, count } = workerData as { memory: RingMemory; bell: SharedArrayBuffer; count: number };
const ring = new PacketRing(memory);
const rung = new Bell(bell);
for (let number = 0; number < count; number++) {
  ring.room().writeUInt32BE(number);
  ring.add(4, number);
  rung.ring();
}
