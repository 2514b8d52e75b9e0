/**
 * The front's end of the channel to one worker: what is on its way there, what the worker has, and how far it lags.
 *
 * A worker acknowledges each message. What it has not acknowledged is bounded, and what it will never acknowledge,
 * because it died, is still ours: sockets that it has not got go to another worker.
 */
import type { RemoteInfo } from 'node:dgram';
import type { Socket } from 'node:net';
import type { Clock } from '../platform/clock.js';
import { Channel, type IpcEnd } from './channel.js';
import type { ShedReason } from './events.js';
import type { WorkersLimits } from './limits.js';
import { decodeToFront, encodeToWorker, type PortDatagram, type ToFront } from './messages.js';
import type { SessionOwner } from './session-routes.js';

type ToWorkerFields = Parameters<typeof encodeToWorker>[0];

/** A worker's process: what the front uses of a ChildProcess. */
export interface WorkerProcess extends IpcEnd {
  readonly pid?: number | undefined;
  kill(signal: 'SIGKILL'): unknown;
}

/** A TCP connection of a port, with what was read of it. */
export interface Passed {
  readonly portId: number;
  readonly head: Buffer;
  readonly socket: Socket;
}

export interface WorkerLinkHandlers {
  onMessage(link: WorkerLink, message: ToFront): void;
  /** The worker is gone. */
  onGone(link: WorkerLink): void;
}

/** A message that is not acknowledged. */
interface Outstanding {
  readonly sentAt: number;
  readonly bytes: number;
  readonly passed: Passed | undefined;
  /** The system has taken it: the worker may have it. */
  sent: boolean;
}

export class WorkerLink implements SessionOwner {
  readonly process: WorkerProcess;
  readonly #limits: Readonly<WorkersLimits>;
  readonly #clock: Clock;
  readonly #channel: Channel;
  readonly #handlers: WorkerLinkHandlers;
  /** The oldest first. */
  readonly #outstanding: Outstanding[] = [];
  #outstandingBytes = 0;
  #passing = 0;
  #batch: PortDatagram[] = [];
  #batchBegan = 0;
  #flush: NodeJS.Immediate | undefined;
  /** What it takes of each port, by the port's number. */
  readonly serving = new Map<number, { tcp: boolean; udp: boolean }>();
  /** When it is to have ended, on the clock. */
  #drainedBy: number | undefined;
  /** Until then it may be silent, on the clock. */
  silentUntil = 0;
  sessions = 0;
  connections = 0;

  constructor(process: WorkerProcess, limits: Readonly<WorkersLimits>, clock: Clock, handlers: WorkerLinkHandlers) {
    this.process = process;
    this.#limits = limits;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#channel = new Channel(process, {
      onMessage: (bytes, socket) => this.#onMessage(bytes, socket),
      onGone: () => this.#onGone(),
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get isOpen(): boolean {
    return this.#channel.isOpen;
  }

  /** Whether it takes connections. */
  get isServing(): boolean {
    for (const { tcp } of this.serving.values()) if (tcp) return true;
    return false;
  }

  /** Nothing new goes to it. */
  get draining(): boolean {
    return this.#drainedBy !== undefined;
  }

  get load(): number {
    return this.sessions + this.connections;
  }

  /** How long the worker has owed an acknowledgement, ms; 0 where it owes none. */
  get lagMs(): number {
    const [oldest] = this.#outstanding;
    return oldest ? this.#clock.now() - oldest.sentAt : 0;
  }

  /** Why a datagram would be shed now. */
  get shedding(): ShedReason | undefined {
    if (this.lagMs > this.#limits.lagMs) return 'lagging';
    const { channelMessages, channelBytes } = this.#limits;
    const full = this.#outstanding.length >= channelMessages || this.#outstandingBytes >= channelBytes;
    return full ? 'channel-full' : undefined;
  }

  /** Whether another connection may be on its way to it. */
  get takesConnections(): boolean {
    return this.#passing < this.#limits.passingConnections && this.#outstandingBytes < this.#limits.channelBytes;
  }

  /** Passes a datagram on, together with others of this turn. */
  passDatagram(portId: number, payload: Buffer, from: RemoteInfo): void {
    if (this.#batch.push({ portId, payload, address: from.address, port: from.port }) === 1) {
      this.#batchBegan = this.#clock.now();
      this.#flush = setImmediate(() => this.send({}));
      return;
    }
    const { messageDatagrams, messageDelayMs } = this.#limits;
    const late = this.#clock.now() - this.#batchBegan > messageDelayMs;
    if (late || this.#batch.length >= messageDatagrams) this.send({});
  }

  /** Passes a connection on: from here on it is the worker's, unless `takeBack` returns it. */
  pass(passed: Passed): void {
    this.#passing++;
    this.connections++;
    this.send({ connection: { portId: passed.portId, head: passed.head } }, passed);
  }

  send(fields: ToWorkerFields, passed?: Passed): void {
    const bytes = encodeToWorker({ ...fields, datagrams: this.#takeBatch() });
    const outstanding: Outstanding = { sentAt: this.#clock.now(), bytes: bytes.length, passed, sent: false };
    this.#outstanding.push(outstanding);
    this.#outstandingBytes += bytes.length;
    this.#channel.send(bytes, passed?.socket, () => {
      outstanding.sent = true;
    });
  }

  /** Tells it to end within so many ms; again where that is sooner than it was told, or now. */
  drain(deadlineMs: number): void {
    const by = this.#clock.now() + deadlineMs;
    if (deadlineMs > 0 && this.#drainedBy !== undefined && by >= this.#drainedBy) return;
    this.#drainedBy = by;
    this.send({ drain: { deadlineMs } });
  }

  /** Asks for an acknowledgement, where none is due. */
  ping(): void {
    if (this.#outstanding.length === 0) this.send({});
  }

  /** Ends the channel; the connections that the worker has not got are the caller's again. */
  close(): Passed[] {
    this.#channel.close();
    this.#takeBatch();
    this.serving.clear();
    const unsent: Passed[] = [];
    for (const { passed, sent } of this.#outstanding.splice(0)) {
      if (!passed) continue;
      if (sent) passed.socket.destroy();
      else unsent.push(passed);
    }
    this.connections -= unsent.length;
    return unsent;
  }

  /** Datagrams that wait: whatever is said next takes them along. */
  #takeBatch(): PortDatagram[] {
    const batch = this.#batch;
    if (batch.length === 0) return batch;
    clearImmediate(this.#flush);
    this.#batch = [];
    return batch;
  }

  #onMessage(bytes: Buffer, socket: Socket | undefined): void {
    socket?.destroy();
    let message: ToFront;
    try {
      message = decodeToFront(bytes);
    } catch {
      return; // Of another version, or not of turbotls.
    }
    this.#acknowledge(message.received);
    this.connections -= message.closed;
    this.#handlers.onMessage(this, message);
  }

  /** The worker has the sockets that went along: our descriptors of them are done. */
  #acknowledge(received: number): void {
    for (const { bytes, passed } of this.#outstanding.splice(0, received)) {
      this.#outstandingBytes -= bytes;
      if (!passed) continue;
      this.#passing--;
      passed.socket.destroy();
    }
  }

  #onGone(): void {
    this.#handlers.onGone(this);
  }
}
