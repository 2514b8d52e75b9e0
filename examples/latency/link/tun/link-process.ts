/**
 * Carries packets between two TUN devices. Its arguments are the conditions in JSON, and the descriptors of the devices,
 * the client's first, each added by what opened it (WITH_TUN). One thread waits for the packets of each device, a third
 * one sends; this one speaks with the program that started it.
 */
import { Worker } from 'node:worker_threads';
import type { Conditions } from '../../../../src/compare/model.js';
import { beInTime } from '../be-in-time.js';
import { Bell } from './bell.js';
import type { Answer, ReaderData, Request, SenderData } from './messages.js';
import { PacketRing } from './packet-ring.js';

const [conditionsText, clientDevice, serverDevice] = process.argv.slice(2);
const devices = { client: Number(clientDevice), server: Number(serverDevice) };
const rings = { client: PacketRing.memory(), server: PacketRing.memory() };
const bell = Bell.memory();

process.on('disconnect', end);
if (!process.connected) end(); // while this file was loaded

beInTime();
const conditions = JSON.parse(conditionsText as string) as Conditions;
const sender = startThread('sender.js', { devices, rings, bell, conditions } satisfies SenderData);
for (const side of ['client', 'server'] as const) {
  startThread('reader.js', { device: devices[side], ring: rings[side], bell } satisfies ReaderData);
}
sender.on('message', (answer: Answer) => process.send?.(answer));
process.on('message', (request: Request) => {
  sender.postMessage(request);
  new Bell(bell).ring();
});

function startThread(file: string, workerData: unknown): Worker {
  return new Worker(new URL(file, import.meta.url), { workerData }).on('error', (error) => {
    process.stderr.write(`${file}: ${error.message}\n`);
    end();
  });
}

/** A thread that waits for packets cannot be told to end: only a signal does it. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}
