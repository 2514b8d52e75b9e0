/** The thread that decides what becomes of packets, and hands them over when they are due. */
import { writeSync } from 'node:fs';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Conditions } from '../../../../src/compare/model.js';
import { DueQueue } from '../due-queue.js';
import { monotonicMs } from '../monotonic.js';
import { Schedule } from '../schedule.js';
import { isIpv4, parsePacket, protocolOf, type TracedPacket } from '../trace.js';
import { Bell } from './bell.js';
import type { Answer, Order, Request, SenderData } from './messages.js';
import { PacketRing, type ReadPacket } from './packet-ring.js';

interface PacketUnderWay {
  bytes: Buffer;
  device: number;
}

/** What a thread that sleeps is late by, here and where packets are read: so much earlier they are handed over. */
const WAKING_MS = 0.1;
/** What a trace holds at most, in packets: whoever forgets one loses no more memory than that. */
const TRACE_MAX = 200_000;

const port = parentPort as NonNullable<typeof parentPort>;
const { devices, rings, bell: bellMemory, conditions } = workerData as SenderData;
const bell = new Bell(bellMemory);
const queue = new DueQueue<PacketUnderWay>();
const fromClient = { from: 'client', ring: new PacketRing(rings.client), device: devices.server } as const;
const fromServer = { from: 'server', ring: new PacketRing(rings.server), device: devices.client } as const;
let schedules = schedulesOf(conditions);
let trace: TracedPacket[] | undefined;

for (;;) {
  const rings = bell.rings();
  obey();
  takeIn(fromClient);
  takeIn(fromServer);
  handOver();
  bell.sleep(rings, Math.max(0, queue.nextDueMs - WAKING_MS - monotonicMs()));
}

function obey(): void {
  for (;;) {
    const received = receiveMessageOnPort(port);
    if (received === undefined) return;
    const { id, ...order } = received.message as Request;
    port.postMessage({ id, trace: carryOut(order) } satisfies Answer);
  }
}

function carryOut(order: Order): TracedPacket[] | undefined {
  if (order.kind === 'set') {
    schedules = schedulesOf(order.conditions);
    return undefined;
  }
  const recorded = trace;
  trace = order.kind === 'start-trace' ? [] : undefined;
  return order.kind === 'take-trace' ? recorded : undefined;
}

/** What is under way already keeps its fate. */
function schedulesOf(conditions: Conditions) {
  return { client: new Schedule('to-server', conditions), server: new Schedule('to-client', conditions) };
}

type Side = typeof fromClient | typeof fromServer;

function takeIn({ from, ring, device }: Side): void {
  for (let packet = ring.take(); packet; packet = ring.take()) {
    // The kernel looks for neighbours of IPv6 unasked: nothing that is measured, and it would use up random numbers.
    if (!isIpv4(packet.bytes)) continue;
    const { bytes, readAtMs } = packet;
    const arrivals = schedules[from].pass({ protocol: protocolOf(bytes), bytes: bytes.length }, readAtMs);
    record(from, packet, arrivals);
    for (const dueMs of arrivals) queue.add(dueMs, { bytes, device });
  }
}

function handOver(): void {
  for (let packet = nextDue(); packet; packet = nextDue()) {
    writeSync(packet.device, packet.bytes);
  }
}

function nextDue(): PacketUnderWay | undefined {
  return queue.take(monotonicMs() + WAKING_MS);
}

function record(from: Side['from'], { bytes, readAtMs }: ReadPacket, arrivals: number[]): void {
  if (trace === undefined || trace.length >= TRACE_MAX) return;
  const { protocol, sourcePort, destinationPort, label, payloadBytes } = parsePacket(bytes);
  if (protocol === 'other') return;
  const [clientPort, serverPort] = from === 'client' ? [sourcePort, destinationPort] : [destinationPort, sourcePort];
  const arrivedAt = arrivals.length > 0 ? Math.min(...arrivals) : undefined;
  trace.push({ from, protocol, clientPort, serverPort, sentAt: readAtMs, arrivedAt, label, bytes: payloadBytes });
}
