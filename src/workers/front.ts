/**
 * The front process's part: it owns the UDP and TCP ports, and does no TLS.
 *
 *     UDP ─► connection ID ─┬─ known: the worker that has the session
 *                           └─ unknown: the worker that has least to do
 *     TCP ─► first bytes ───┬─ tombstone: the worker that has the session
 *                           └─ anything else: the worker that has least to do
 *
 * Workers say which addresses they want to serve; all that ask for the same one share it. A connection that is passed on
 * is the worker's alone. Datagrams pass through here both ways, in batches.
 */
import type { RemoteInfo } from 'node:dgram';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { type Observable, Subject } from 'rxjs';
import { underPressure } from '../engine/pressure.js';
import { type Clock, systemClock, type Timer } from '../platform/clock.js';
import { announceExperimental } from '../platform/experimental.js';
import { CLIENT_DATAGRAM_MIN, CONNECTION_ID_LENGTH, DATAGRAM_MAX, DATAGRAM_PREFIX } from '../wire/constants.js';
import { Arrival } from './arrival.js';
import type { Destination } from './destination.js';
import { WorkersError } from './errors.js';
import type { ArrivalRefusal, FrontEvent, ShedReason } from './events.js';
import { type AskedAddress, FrontPort, type FrontPortHandlers } from './front-port.js';
import { type WorkersLimits, workersLimitsWith } from './limits.js';
import { asBuffer, failureOf, type Listen, type Serving, type ToFront } from './messages.js';
import { SessionRoutes } from './session-routes.js';
import { type Passed, WorkerLink, type WorkerProcess } from './worker-link.js';

export interface FrontOptions {
  limits?: Partial<WorkersLimits> | undefined;
  clock?: Clock | undefined;
}

/** A reading of one worker, for metrics. */
export interface WorkerState {
  readonly pid: number | undefined;
  readonly serving: boolean;
  readonly draining: boolean;
  /** Sessions that wait for their tombstone. */
  readonly sessions: number;
  /** Connections that it has or that are on their way to it. */
  readonly connections: number;
  /** How long it has owed an acknowledgement, ms. */
  readonly lagMs: number;
}

/** What a worker said of the application's. */
export interface Told {
  readonly process: WorkerProcess;
  readonly bytes: Buffer;
}

type Decided = Exclude<Destination, 'undecided'>;

/** An address, and the workers that have it. */
interface Shared {
  readonly key: string;
  readonly opened: Promise<FrontPort>;
  /** Once it is open. */
  port: FrontPort | undefined;
  readonly members: Set<WorkerLink>;
}

/** A connection whose destination is known, and that no worker can take now. */
interface Waiting {
  readonly passed: Passed;
  readonly destination: Decided;
  readonly timer: Timer;
}

/** Where a datagram's connection ID is: behind the tag and the length of field 1. */
const ID_START = 2;
const ID_END = ID_START + CONNECTION_ID_LENGTH;
/** A timer that is this much late says that it is the front that was late. */
const LATE_FACTOR = 1.5;

export class Front {
  readonly limits: Readonly<WorkersLimits>;
  readonly #clock: Clock;
  readonly #events = new Subject<FrontEvent>();
  readonly #told = new Subject<Told>();
  readonly #links = new Set<WorkerLink>();
  readonly #routes: SessionRoutes<WorkerLink>;
  readonly #shared = new Map<string, Shared>();
  readonly #ports = new Map<number, FrontPort>();
  /** In the order in which they came. */
  readonly #arrivals = new Set<Arrival>();
  readonly #waiting = new Set<Waiting>();
  readonly #sheds = new Map<ShedReason, number>();
  #state: 'open' | 'draining' | 'closed' = 'open';
  #ref = true;
  #nextPortId = 1;
  #checkedAt = 0;
  #check: Timer | undefined;

  constructor({ limits, clock = systemClock }: FrontOptions = {}) {
    announceExperimental();
    this.limits = workersLimitsWith(limits);
    this.#clock = clock;
    this.#routes = new SessionRoutes(this.limits, clock);
    this.#checkLater();
  }

  get events$(): Observable<FrontEvent> {
    return this.#events.asObservable();
  }

  get workers(): WorkerState[] {
    return [...this.#links].map((link) => ({
      pid: link.pid,
      serving: link.isServing,
      draining: link.draining,
      sessions: link.sessions,
      connections: link.connections,
      lagMs: link.lagMs,
    }));
  }

  /** TCP connections that no worker has yet. */
  get arriving(): number {
    return this.#arrivals.size + this.#waiting.size;
  }

  /** Sessions whose worker is remembered. */
  get sessions(): number {
    return this.#routes.size;
  }

  /** Datagrams that were not passed on, by reason. */
  get sheds(): ReadonlyMap<ShedReason, number> {
    return this.#sheds;
  }

  /** Serves a process that has an IPC channel, as soon as it asks. */
  add(process: WorkerProcess): void {
    const link = new WorkerLink(process, this.limits, this.#clock, {
      onMessage: (from, message) => this.#onMessage(from, message),
      onGone: (gone) => this.#lose(gone),
    });
    this.#links.add(link);
  }

  /** Ports do not keep this process alive, now and later: workers do, by the channels to them. */
  unref(): this {
    this.#ref = false;
    for (const port of this.#ports.values()) port.unref();
    return this;
  }

  /** Messages of the application's, from `WorkerNetwork.tell`. */
  get told$(): Observable<Told> {
    return this.#told.asObservable();
  }

  /**
   * Says something of the application's to a worker, in order with everything else: `WorkerNetwork.told$`. A worker that
   * is gone does not hear it.
   */
  tell(process: WorkerProcess, bytes: Uint8Array): void {
    this.#linkOf(process)?.send({ told: bytes });
  }

  /**
   * Sends a worker nothing new, and tells it to end when what it has is done. Again with less time: it is told that, too.
   */
  drainWorker(process: WorkerProcess, deadlineMs: number): void {
    this.#linkOf(process)?.drain(deadlineMs);
  }

  /** From now on it may be silent for so many ms without being ended: what it has to do holds up its event loop. */
  allowSilence(process: WorkerProcess, ms: number): void {
    const link = this.#linkOf(process);
    if (link) link.silentUntil = this.#clock.now() + ms;
  }

  /**
   * Closes ports that no worker has any more: those that had them have died. For when every worker that serves has asked
   * for all that it wants; until then such a port waits for a successor.
   */
  closeAbandoned(): void {
    for (const shared of this.#shared.values()) if (shared.port && shared.members.size === 0) this.#closeShared(shared);
  }

  /** Takes nothing new; sessions that wait may still be claimed. Each port is closed when its workers have left it. */
  drain(deadlineMs: number): void {
    if (this.#state === 'open') this.#state = 'draining';
    for (const waiting of this.#waiting) this.#refuse(waiting, 'closing');
    for (const link of this.#links) link.drain(deadlineMs);
  }

  /** Closes all ports, at once. What workers have stays with them. */
  close(): void {
    this.#state = 'closed';
    this.#check?.cancel();
    for (const arrival of this.#arrivals) arrival.refuse('closing');
    for (const waiting of this.#waiting) this.#refuse(waiting, 'closing');
    for (const shared of this.#shared.values()) this.#closeShared(shared);
    for (const link of this.#links) for (const { socket } of link.close()) socket.destroy();
    this.#links.clear();
    this.#routes.clear();
    this.#events.complete();
    this.#told.complete();
  }

  #linkOf(process: WorkerProcess): WorkerLink | undefined {
    for (const link of this.#links) if (link.process === process) return link;
    return undefined;
  }

  #onMessage(link: WorkerLink, message: ToFront): void {
    if (message.hello) link.send({ welcome: true });
    for (const { portId, payload, address, port } of message.datagrams) this.#answer(portId, payload, port, address);
    if (message.listen) void this.#listen(link, message.listen);
    if (message.serving) this.#onServing(link, message.serving);
    if (this.#waiting.size > 0) this.#passWaiting();
    if (message.told) this.#told.next({ process: link.process, bytes: asBuffer(message.told) });
  }

  #answer(portId: number, payload: Uint8Array, port: number, address: string): void {
    this.#ports.get(portId)?.send(payload, port, address);
    this.#routes.answered(connectionIdIn(payload));
  }

  // Addresses

  async #listen(link: WorkerLink, listen: Listen): Promise<void> {
    const { request } = listen;
    let port: FrontPort;
    try {
      port = await this.#share(link, listen);
    } catch (error) {
      link.send({ listening: { request, failure: failureOf(error as Error) } });
      return;
    }
    const { address, family, port: number } = port.address;
    const udpFailure = port.udpFailure ? failureOf(port.udpFailure) : null;
    link.send({ listening: { request, portId: port.id, address, family, port: number, udpFailure } });
  }

  async #share(link: WorkerLink, { host, port, ipv6Only, backlog, index }: Listen) {
    const key = [host, port, ipv6Only, index].join(' ');
    let shared = this.#shared.get(key);
    if (shared?.members.has(link)) throw inUse(host, port);
    if (!shared) {
      const opened = this.#openPort(key, { host, port, ipv6Only, backlog });
      shared = { key, opened, port: undefined, members: new Set() };
      this.#shared.set(key, shared);
    }
    shared.members.add(link);
    return shared.opened;
  }

  async #openPort(key: string, asked: AskedAddress): Promise<FrontPort> {
    try {
      const port = await FrontPort.open(this.#nextPortId++, asked, this.#portHandlers);
      const shared = this.#shared.get(key);
      if (!shared) {
        port.close();
        throw new WorkersError('ERR_WORKERS_CLOSED');
      }
      shared.port = port;
      this.#ports.set(port.id, port);
      if (!this.#ref) port.unref();
      this.#events.next({ type: 'listening', address: port.address });
      return port;
    } catch (error) {
      this.#shared.delete(key);
      throw error;
    }
  }

  #onServing(link: WorkerLink, { portId, tcp, udp }: Serving): void {
    if (!tcp && !udp) {
      link.serving.delete(portId);
      this.#leavePort(link, portId);
      return;
    }
    const before = link.isServing;
    link.serving.set(portId, { tcp, udp });
    link.send({ served: portId });
    if (!before && link.isServing) this.#events.next({ type: 'serving', worker: { pid: link.pid } });
  }

  /** A worker that dies does not leave its ports: another takes its place. */
  #leavePort(link: WorkerLink, portId: number): void {
    for (const shared of this.#shared.values()) {
      if (shared.port?.id !== portId || !shared.members.delete(link)) continue;
      if (shared.members.size === 0) this.#closeShared(shared);
      return;
    }
  }

  #closeShared({ key, port }: Shared): void {
    this.#shared.delete(key);
    if (!port) return;
    this.#ports.delete(port.id);
    port.close();
    for (const arrival of this.#arrivals) if (arrival.portId === port.id) arrival.refuse('closing');
    for (const waiting of this.#waiting) if (waiting.passed.portId === port.id) this.#refuse(waiting, 'closing');
    this.#events.next({ type: 'unlistening', address: port.address });
  }

  readonly #portHandlers: FrontPortHandlers = {
    onDatagram: (port, message, from) => {
      const reason = this.#route(port, message, from);
      if (reason) this.#shed(reason);
    },
    onConnection: (port, socket) => this.#onConnection(port, socket),
    onError: (type, error) => this.#events.next({ type, error }),
  };

  // Datagrams

  #route(port: FrontPort, message: Buffer, from: RemoteInfo): ShedReason | undefined {
    if (!mayBeDatagram(message)) return 'malformed';
    const connectionId = connectionIdIn(message);
    const known = this.#routes.find(connectionId);
    let link = known?.isOpen ? known : undefined;
    if (!link) {
      link = this.#leastLoaded(port.id, 'udp', (candidate) => candidate.shedding === undefined);
      if (!link) return this.#leastLoaded(port.id, 'udp', () => true)?.shedding ?? 'no-worker';
      this.#routes.assign(connectionId, link);
    }
    const reason = link.shedding;
    if (!reason) link.passDatagram(port.id, message, from);
    return reason;
  }

  #shed(reason: ShedReason): void {
    this.#sheds.set(reason, (this.#sheds.get(reason) ?? 0) + 1);
    if (this.#events.observed) this.#events.next({ type: 'shed', reason });
  }

  // Connections

  #onConnection(port: FrontPort, socket: Socket): void {
    if (this.arriving >= this.limits.arrivingConnections && !this.#timeOutOldest()) {
      socket.on('error', () => {});
      socket.destroy();
      this.#events.next({ type: 'refused', reason: 'too-many', error: undefined });
      return;
    }
    const arrival = new Arrival(port.id, socket, this.#arrivalTimeoutMs(), this.#clock, {
      onDestination: (destination, passed) => this.#pass(passed, destination),
      onRefused: (reason, error) => this.#events.next({ type: 'refused', reason, error }),
      onDone: () => this.#arrivals.delete(arrival),
    });
    this.#arrivals.add(arrival);
  }

  #arrivalTimeoutMs(): number {
    const { arrivingConnections, arrivalTimeoutMs, pressureTimeoutMs } = this.limits;
    return underPressure(arrivalTimeoutMs, pressureTimeoutMs, this.arriving / arrivingConnections);
  }

  /** In a full front the oldest has the shorter limit; whether it was over. */
  #timeOutOldest(): boolean {
    const [oldest] = this.#arrivals;
    if (!oldest || this.#clock.now() - oldest.since < this.limits.pressureTimeoutMs) return false;
    oldest.refuse('timeout');
    return true;
  }

  /** To a worker, or to the list of those that wait for one. */
  #pass(passed: Passed, destination: Decided): void {
    const link = this.#linkFor(passed.portId, destination);
    if (link) {
      link.pass(passed);
      return;
    }
    const timer = this.#clock.after(this.#arrivalTimeoutMs(), () => this.#refuse(waiting, 'timeout'));
    const waiting: Waiting = { passed, destination, timer };
    this.#waiting.add(waiting);
    if (this.#state !== 'open') this.#refuse(waiting, 'closing');
  }

  #refuse(waiting: Waiting, reason: ArrivalRefusal): void {
    this.#leave(waiting);
    waiting.passed.socket.destroy();
    this.#events.next({ type: 'refused', reason, error: undefined });
  }

  #leave(waiting: Waiting): void {
    waiting.timer.cancel();
    this.#waiting.delete(waiting);
  }

  #passWaiting(): void {
    /** Ports that nobody has room for. */
    const stuck = new Set<number>();
    for (const waiting of this.#waiting) {
      const { passed, destination } = waiting;
      if (destination === 'anyone' && stuck.has(passed.portId)) continue;
      const link = this.#linkFor(passed.portId, destination);
      if (!link) {
        if (destination === 'anyone') stuck.add(passed.portId);
        continue;
      }
      this.#leave(waiting);
      link.pass(passed);
    }
  }

  #linkFor(portId: number, destination: Decided): WorkerLink | undefined {
    if (destination !== 'anyone') {
      const connectionId = destination.connectionId.toString('latin1');
      const owner = this.#routes.find(connectionId);
      if (owner?.isOpen && owner.serving.get(portId)?.tcp) {
        if (!owner.takesConnections) return undefined;
        this.#routes.claimed(connectionId);
        return owner;
      }
    }
    return (
      this.#leastLoaded(portId, 'tcp', (link) => link.takesConnections && link.shedding === undefined) ??
      this.#leastLoaded(portId, 'tcp', (link) => link.takesConnections)
    );
  }

  // Workers

  #leastLoaded(portId: number, what: 'tcp' | 'udp', fits: (link: WorkerLink) => boolean): WorkerLink | undefined {
    let best: WorkerLink | undefined;
    for (const link of this.#links) {
      if (link.draining || !link.isOpen || !link.serving.get(portId)?.[what] || !fits(link)) continue;
      if (!best || link.load < best.load) best = link;
    }
    return best;
  }

  #lose(link: WorkerLink): void {
    if (!this.#links.delete(link)) return;
    for (const { members } of this.#shared.values()) members.delete(link);
    const unsent = link.close();
    const { pid, connections, sessions } = link;
    this.#events.next({ type: 'lost', worker: { pid }, connections, sessions });
    // They were on their way. Their sessions, where they have any, are gone: any worker says so.
    for (const passed of unsent) this.#pass(passed, 'anyone');
  }

  #checkLater(): void {
    this.#checkedAt = this.#clock.now();
    this.#check = this.#clock.after(this.limits.pingMs, () => {
      const late = this.#clock.now() - this.#checkedAt > this.limits.pingMs * LATE_FACTOR;
      for (const link of this.#links) this.#checkLink(link, late);
      this.#checkLater();
    });
  }

  /** @param late the front itself was: answers may be there that it has not read */
  #checkLink(link: WorkerLink, late: boolean): void {
    if (!link.isOpen) {
      this.#lose(link);
    } else if (link.lagMs <= this.limits.unresponsiveMs || this.#clock.now() < link.silentUntil) {
      if (link.serving.size > 0) link.ping();
    } else if (!late) {
      this.#events.next({ type: 'unresponsive', worker: { pid: link.pid } });
      link.process.kill('SIGKILL');
    }
  }
}

/** The system's error where an address is taken, for a worker that has it already. */
function inUse(host: string, port: number): Error {
  const code = 'EADDRINUSE';
  const syscall = 'listen';
  const message = `${syscall} ${code}: address already in use ${host || '::'}:${port}`;
  return Object.assign(new Error(message), {
    code,
    errno: -constants.errno[code],
    syscall,
    address: host || '::',
    port,
  });
}

/** Whether it may be a client's: its length, and the first two bytes. */
function mayBeDatagram(message: Buffer): boolean {
  const { length } = message;
  return length >= CLIENT_DATAGRAM_MIN && length <= DATAGRAM_MAX && message.readUInt16BE(0) === DATAGRAM_PREFIX;
}

/** One character for each byte: Map keys compare by value. */
function connectionIdIn(datagram: Uint8Array): string {
  return Buffer.from(datagram.buffer, datagram.byteOffset + ID_START, ID_END - ID_START).toString('latin1');
}
