/** A worker's end of the channel to its front. */
import type { AddressInfo, Socket } from 'node:net';
import { Subject } from 'rxjs';
import { type Clock, systemClock, type Timer } from '../platform/clock.js';
import { Channel, type IpcEnd } from './channel.js';
import { WorkersError } from './errors.js';
import type { AskedAddress } from './front-port.js';
import { type WorkersLimits, workersLimitsWith } from './limits.js';
import {
  asBuffer,
  decodeToWorker,
  encodeToFront,
  errorOf,
  type Listen,
  type Listening,
  type PortDatagram,
  type ToWorker,
} from './messages.js';

type ToFrontFields = Parameters<typeof encodeToFront>[0];

/** Who takes what comes to a port. */
export interface PortReceiver {
  onConnection?: ((socket: Socket) => void) | undefined;
  onDatagram?: ((payload: Buffer, address: string, port: number) => void) | undefined;
}

/** A port of the front's that this worker has asked for. */
export interface WorkerPort extends PortReceiver {
  readonly id: number;
  readonly address: AddressInfo;
  /** Why the front has no UDP port beside the TCP port, where it has none. */
  readonly udpFailure: Error | undefined;
  /** Of those asked for with port 0, from 1; 0 where another port was asked for. */
  readonly index: number;
  /** It takes no connections before its UDP socket is open. */
  isBinding: boolean;
}

/** A process's IPC channel, whose end the worker has. */
export interface FrontProcess extends IpcEnd {
  /** Keeps this process alive, or not. */
  readonly channel?: { ref(): void; unref(): void } | null | undefined;
}

export interface FrontLinkOptions {
  limits?: Partial<WorkersLimits> | undefined;
  clock?: Clock | undefined;
  /** Nothing is served until `ready` is called. Default: as soon as a port is listened on. */
  held?: boolean | undefined;
}

/** Messages that are acknowledged at once. */
const ACKNOWLEDGE_COUNT = 32;

export class FrontLink {
  readonly #process: FrontProcess;
  readonly #limits: Readonly<WorkersLimits>;
  readonly #clock: Clock;
  readonly #channel: Channel;
  readonly #requests = new Map<number, (listening: Listening | undefined) => void>();
  readonly #ports = new Map<number, WorkerPort>();
  readonly #indexes = new Set<number>();
  /** UDP sockets that open, by port. */
  readonly #serves = new Map<number, () => void>();
  /** Ports whose serving the front is to be told. */
  readonly #changed = new Set<WorkerPort>();
  #batch: PortDatagram[] = [];
  #batchBegan = 0;
  #flush: NodeJS.Immediate | undefined;
  #received = 0;
  #closed = 0;
  #acknowledgement: Timer | undefined;
  #nextRequest = 1;
  #welcome = false;
  #held: boolean;
  #holders = 0;
  /** Messages of the application's. */
  readonly told$ = new Subject<Buffer>();
  /** The front wants this worker to end, within so many ms. */
  readonly drain$ = new Subject<number>();
  /** There is no front any more. */
  readonly gone$ = new Subject<void>();
  /** Answers that the channel had no room for. */
  shed = 0;
  connections = 0;

  constructor(process: FrontProcess, { limits, clock = systemClock, held = false }: FrontLinkOptions = {}) {
    if (!process.send || !process.connected) {
      throw new WorkersError('ERR_WORKERS_NO_FRONT', 'it was not started with an IPC channel, or has left it');
    }
    this.#process = process;
    this.#limits = workersLimitsWith(limits);
    this.#clock = clock;
    this.#held = held;
    this.#channel = new Channel(process, {
      onMessage: (bytes, socket) => this.#onMessage(bytes, socket),
      onGone: () => this.#onGone(),
    });
    process.channel?.unref();
    this.#send({ hello: true });
  }

  get isOpen(): boolean {
    return this.#channel.isOpen;
  }

  /** Ports that are listened on are served from now on. */
  ready(): void {
    this.#held = false;
    if (this.#changed.size > 0) this.#flushLater();
  }

  /**
   * Asks the front for an address.
   * @throws WorkersError ERR_WORKERS_NO_FRONT, ERR_WORKERS_CLOSED, or the system's error
   */
  async listen(asked: AskedAddress): Promise<WorkerPort> {
    // An address that was just left is free again.
    this.#tellServed();
    const index = asked.port === 0 ? this.#takeIndex() : 0;
    this.hold(1);
    try {
      const listening = await this.#ask({ ...asked, index });
      if (listening.failure) throw errorOf(listening.failure);
      const { portId, address, family, port, udpFailure } = listening;
      const made: WorkerPort = {
        id: portId,
        address: { address, family, port },
        udpFailure: udpFailure ? errorOf(udpFailure) : undefined,
        index,
        isBinding: false,
      };
      this.#ports.set(portId, made);
      return made;
    } catch (error) {
      this.#indexes.delete(index);
      throw error;
    } finally {
      this.hold(-1);
    }
  }

  /** The port of an address that was listened on. */
  portAt(address: string, port: number): WorkerPort | undefined {
    for (const each of this.#ports.values()) {
      if (each.address.port === port && each.address.address === address) return each;
    }
    return undefined;
  }

  /** Sets who takes what comes to a port; with nobody left, the port is left for good. */
  receive(port: WorkerPort, receiver: PortReceiver): void {
    if (this.#ports.get(port.id) !== port) return;
    Object.assign(port, receiver);
    this.#changed.add(port);
    if (!port.onConnection && !port.onDatagram) {
      this.#ports.delete(port.id);
      this.#indexes.delete(port.index);
      this.#serves.get(port.id)?.();
    }
    this.#flushLater();
  }

  /**
   * Sets who takes the datagrams of a port; resolves when the front sends them. With `held` that is not waited for.
   * Connections come later, after whoever opened the socket has heard of it.
   */
  async bind(port: WorkerPort, onDatagram: NonNullable<PortReceiver['onDatagram']>): Promise<void> {
    port.isBinding = true;
    const served = new Promise<void>((resolve) => this.#serves.set(port.id, resolve));
    this.receive(port, { onDatagram });
    if (!this.#held && this.isOpen) await served;
    this.#serves.delete(port.id);
    port.isBinding = false;
    this.receive(port, {});
  }

  sendDatagram(portId: number, payload: Uint8Array, address: string, port: number): void {
    if (this.#channel.waitingBytes >= this.#limits.channelBytes) {
      this.shed++;
      return;
    }
    if (this.#batch.push({ portId, payload, address, port }) === 1) {
      this.#batchBegan = this.#clock.now();
      this.#flushLater();
      return;
    }
    const { messageDatagrams, messageDelayMs } = this.#limits;
    const late = this.#clock.now() - this.#batchBegan > messageDelayMs;
    if (late || this.#batch.length >= messageDatagrams) this.#flushNow();
  }

  /** Says something of the application's, in order with everything else. */
  tell(bytes: Uint8Array): void {
    if (!this.isOpen) return;
    this.#tellServed();
    this.#send({ told: bytes });
  }

  /** While anyone holds it, the channel keeps the process alive. */
  hold(by: 1 | -1): void {
    this.#holders += by;
    if (this.#holders > 0) this.#process.channel?.ref();
    else this.#process.channel?.unref();
  }

  close(): void {
    if (this.isOpen) this.#flushNow();
    this.#channel.close();
    this.#onGone();
  }

  #takeIndex(): number {
    let index = 1;
    while (this.#indexes.has(index)) index++;
    this.#indexes.add(index);
    return index;
  }

  #ask(fields: Omit<Listen, 'request'>): Promise<Listening> {
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(this.#limits.frontTimeoutMs, () => {
        if (this.#welcome) return;
        this.#requests.delete(request);
        reject(new WorkersError('ERR_WORKERS_NO_FRONT', 'the parent process does not answer; it needs a Front'));
      });
      this.#requests.set(request, (listening) => {
        timer.cancel();
        if (listening) resolve(listening);
        else reject(new WorkersError('ERR_WORKERS_CLOSED'));
      });
      if (this.isOpen) this.#send({ listen: { request, ...fields } });
      else this.#answer(request, undefined);
    });
  }

  #answer(request: number, listening: Listening | undefined): void {
    const settle = this.#requests.get(request);
    this.#requests.delete(request);
    settle?.(listening);
  }

  #onMessage(bytes: Buffer, socket: Socket | undefined): void {
    this.#received++;
    this.#acknowledgeLater();
    const message = decodeToWorker(bytes);
    if (message.welcome) this.#welcome = true;
    for (const { portId, payload, address, port } of message.datagrams) {
      this.#ports.get(portId)?.onDatagram?.(asBuffer(payload), address, port);
    }
    if (message.connection) this.#onConnection(message.connection, socket);
    if (message.served) this.#serves.get(message.served)?.();
    if (message.listening) this.#answer(message.listening.request, message.listening);
    if (message.drain || message.told) afterNextRead(() => this.#tell(message));
  }

  /** Behind the connections that came before. */
  #tell({ drain, told }: ToWorker): void {
    if (drain) this.drain$.next(drain.deadlineMs);
    if (told) this.told$.next(asBuffer(told));
  }

  #onConnection({ portId, head }: NonNullable<ToWorker['connection']>, socket: Socket | undefined): void {
    if (!socket) {
      this.#closed++;
      return;
    }
    this.connections++;
    socket.once('close', () => {
      this.connections--;
      this.#closed++;
      this.#acknowledgeLater();
    });
    // In this tick: what the socket reads comes behind it.
    if (head.length > 0) socket.unshift(asBuffer(head));
    socket.on('error', ignoreError);
    afterNextRead(() => {
      socket.off('error', ignoreError);
      const receiver = this.#ports.get(portId)?.onConnection;
      if (receiver && !socket.destroyed) receiver(socket);
      else socket.on('error', ignoreError).destroy();
    });
  }

  #acknowledgeLater(): void {
    if (this.#received >= ACKNOWLEDGE_COUNT) {
      this.#flushLater();
      return;
    }
    this.#acknowledgement ??= this.#clock.after(this.#limits.acknowledgeMs, () => this.#flushNow());
  }

  #flushLater(): void {
    this.#flush ??= setImmediate(() => this.#flushNow());
  }

  #flushNow(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    this.#tellServed();
    if (this.#batch.length > 0 || this.#received > 0 || this.#closed > 0) this.#send({});
  }

  #tellServed(): void {
    for (const port of this.#changed) this.#tellServing(port);
  }

  /** A port that was left is told at once; what is served, when it may be. */
  #tellServing(port: WorkerPort): void {
    const tcp = port.onConnection !== undefined && !port.isBinding;
    const udp = port.onDatagram !== undefined;
    if (this.#held && (port.onConnection || udp)) return;
    this.#changed.delete(port);
    this.#send({ serving: { portId: port.id, tcp, udp } });
  }

  /** Whatever is said takes along what waits, and says how far we are. */
  #send(fields: ToFrontFields): void {
    const message: ToFrontFields = { ...fields, datagrams: this.#batch };
    this.#batch = [];
    if (this.#received > 0) message.received = this.#received;
    if (this.#closed > 0) message.closed = this.#closed;
    this.#received = 0;
    this.#closed = 0;
    this.#acknowledgement?.cancel();
    this.#acknowledgement = undefined;
    this.#channel.send(encodeToFront(message));
  }

  #onGone(): void {
    this.#acknowledgement?.cancel();
    clearImmediate(this.#flush);
    for (const resolve of this.#serves.values()) resolve();
    for (const request of this.#requests.keys()) this.#answer(request, undefined);
    this.gone$.next();
    this.gone$.complete();
    this.drain$.complete();
    this.told$.complete();
  }
}

/**
 * When the event loop has read what came since the front did. Who answers the head and closes, with more of the client's
 * bytes unread, would have the system reset the connection, and the answer lost: natively they are read together.
 */
function afterNextRead(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}

function ignoreError(): void {}
