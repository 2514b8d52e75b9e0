/**
 * The engine: datagrams and TCP connections in, streams for TLS out. It shares one UDP port among all sessions and
 * binds each later TCP connection to its session by the tombstone. It owns no TCP port: whoever listens (TurboListener,
 * or a server that `attach` was given) hands it each connection.
 *
 * It reads as it demultiplexes: early returns, and a name for every drop.
 */
import { timingSafeEqual } from 'node:crypto';
import type { RemoteInfo } from 'node:dgram';
import { type Observable, Subject } from 'rxjs';
import { type Limits, limitsWith } from '../limits.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { TcpSocket, UdpSocket } from '../platform/network.js';
import type { ServerIO } from '../server/server-io.js';
import { SERVER_OVERHEAD_MAX } from '../wire/constants.js';
import { type ClientDatagram, decodeDatagram, encodeDatagram } from '../wire/datagram.js';
import type { FirstBytes } from '../wire/first-bytes.js';
import type { FlightDatagram } from '../wire/flight.js';
import { encodeReply, type Tombstone } from '../wire/frame.js';
import { connectionIdOf } from '../wire/identity.js';
import type { DropReason, EngineEvent, RefuseReason, RejectReason } from './events.js';
import { HandshakeBudget } from './handshake-budget.js';
import { underPressure } from './pressure.js';
import { Session } from './session.js';
import { SessionTable } from './session-table.js';
import { type Bind, Unrouted } from './unrouted.js';

export interface EngineOptions {
  limits?: Partial<Limits> | undefined;
  clock?: Clock | undefined;
  /** Where events go, if they are to outlive the engine. */
  events?: Subject<EngineEvent> | undefined;
  /** A session's ClientHello is complete: give its stream to TLS. */
  onSession: (io: ServerIO) => void;
  /** A TCP connection speaks another protocol; its bytes are still to be read. False: it is not served here. */
  onProtocol: (protocol: Exclude<FirstBytes, 'tombstone'>, socket: TcpSocket) => boolean;
}

/** Ports whose services answer anyone: qotd, chargen, DNS, TFTP, NTP, SNMP, LDAP, SSDP, mDNS and their kin. */
const REFLECTOR_PORTS = new Set([0, 7, 17, 19, 53, 69, 111, 123, 137, 161, 389, 500, 1900, 3702, 5353, 11211]);

/** What a first flight is charged at most: one that takes longer has waited, for a certificate say, and not computed. */
const FIRST_FLIGHT_MAX_MS = 20;

/** What a first flight is charged that was made elsewhere: a connection to there, and the bytes. */
const RELAYED_FLIGHT_MS = 1;

const ACCEPTED = encodeReply({ accepted: true, reason: '' });

export class Engine {
  readonly #options: EngineOptions;
  readonly #clock: Clock;
  readonly #table: SessionTable;
  readonly #budget: HandshakeBudget;
  readonly #unrouted = new Set<Unrouted>();
  readonly #events: Subject<EngineEvent>;
  readonly #drops = new Map<DropReason, number>();
  #udp: UdpSocket | undefined;
  #closing = false;
  readonly limits: Readonly<Limits>;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#events = options.events ?? new Subject();
    this.limits = limitsWith(options.limits);
    this.#clock = options.clock ?? systemClock;
    this.#table = new SessionTable(this.limits, this.#clock, (session) => this.#onExpired(session));
    this.#budget = new HandshakeBudget(this.limits.handshakeCpuShare, this.#clock);
  }

  get events$(): Observable<EngineEvent> {
    return this.#events.asObservable();
  }

  /** Datagrams dropped so far, by reason. */
  get drops(): ReadonlyMap<DropReason, number> {
    return this.#drops;
  }

  /** Sessions that wait for their tombstone, and the bytes they are charged. */
  get halfOpen(): { sessions: number; bytes: number } {
    return { sessions: this.#table.size, bytes: this.#table.bytes };
  }

  /** TCP connections whose first bytes are awaited. */
  get unrouted(): number {
    return this.#unrouted.size;
  }

  /** Serves a bound UDP socket, which the engine owns from here on. */
  serve(udp: UdpSocket): void {
    this.#udp = udp;
    udp.on('message', (message, from) => this.handleDatagram(message, from));
    udp.on('error', (error) => this.#events.next({ type: 'udp-error', error }));
  }

  /** Takes no new sessions; those that wait may still be claimed. */
  drain(): void {
    this.#closing = true;
  }

  /** Ends the UDP socket alone: its port is free for another. */
  closeUdp(): void {
    const udp = this.#udp;
    this.#udp = undefined;
    try {
      udp?.close();
    } catch {
      // Whoever gave it has closed it.
    }
  }

  /** Ends every session that was not claimed, every connection that was not routed, and the UDP socket. */
  close(): void {
    this.#closing = true;
    for (const unrouted of this.#unrouted) unrouted.refuse('closing');
    this.#table.clear();
    this.closeUdp();
    if (!this.#options.events) this.#events.complete();
  }

  /** Takes a datagram. Never throws, and never answers what it does not know. */
  handleDatagram(message: Buffer, from: Pick<RemoteInfo, 'address' | 'port'>): void {
    const reason = this.#handle(message, from);
    if (reason !== undefined) this.#drop(reason);
  }

  /** Whoever owns the TCP port tells what went wrong there. */
  reportTcpError(error: Error): void {
    this.#events.next({ type: 'tcp-error', error });
  }

  /** Takes a TCP connection whose first bytes were not read. */
  handleConnection(socket: TcpSocket): void {
    const refused = (reason: RefuseReason, error?: Error) => this.#events.next({ type: 'refused', reason, error });
    if (this.#unrouted.size >= this.limits.unroutedConnections && !this.#timeOutOldest()) {
      socket.on('error', () => {});
      socket.destroy();
      refused('too-many');
      return;
    }
    const unrouted = new Unrouted(socket, this.#firstBytesTimeoutMs(), this.#clock, {
      onTombstone: (tombstone) => this.#claim(tombstone),
      onProtocol: (protocol, routed) => {
        const served = this.#options.onProtocol(protocol, routed);
        if (served && protocol === 'tls') this.#events.next({ type: 'plain' });
        return served;
      },
      onRefused: refused,
      onDone: () => this.#unrouted.delete(unrouted),
    });
    this.#unrouted.add(unrouted);
    unrouted.start();
  }

  /** In a full table the oldest has the shorter limit; whether it was over. */
  #timeOutOldest(): boolean {
    const [oldest] = this.#unrouted;
    if (!oldest || this.#clock.now() - oldest.since < this.limits.pressureTimeoutMs) return false;
    oldest.refuse('timeout');
    return true;
  }

  /** How long the TLS handshake of a session may take now: less as the table of sessions fills, ms. */
  sessionHandshakeMs(): number {
    const { handshakeTimeoutMs, pressureTimeoutMs } = this.limits;
    return underPressure(handshakeTimeoutMs, pressureTimeoutMs, this.#table.fill);
  }

  #firstBytesTimeoutMs(): number {
    const { firstBytesTimeoutMs, pressureTimeoutMs, unroutedConnections } = this.limits;
    return underPressure(firstBytesTimeoutMs, pressureTimeoutMs, this.#unrouted.size / unroutedConnections);
  }

  #handle(message: Buffer, from: Pick<RemoteInfo, 'address' | 'port'>): DropReason | undefined {
    if (REFLECTOR_PORTS.has(from.port)) return 'reflector-port';
    const datagram = decodeDatagram(message);
    if (typeof datagram === 'string') return datagram;
    if (datagram.side !== 'client') return 'wrong-side';
    if (this.#table.wasClaimed(datagram.connectionId)) return 'claimed';

    const known = this.#table.get(datagram.connectionId);
    if (known && (known.port !== from.port || known.address !== from.address)) return 'foreign-address';
    const session = known ?? this.#openSession(datagram, from);
    if (typeof session === 'string') return session;

    session.credit.received(message.length);
    const reason = this.#take(session, datagram);
    if (reason === undefined) this.#send(session);
    return reason;
  }

  #openSession(
    datagram: ClientDatagram,
    { address, port }: Pick<RemoteInfo, 'address' | 'port'>,
  ): Session | DropReason {
    const { limits } = this;
    if (datagram.sequence === 0) return 'unknown-session';
    if (this.#closing) return 'closing';
    if (this.#table.size >= limits.halfOpenSessions) return 'table-full';
    if (!this.#table.hasRoomFor(limits.sessionTlsBytes + datagram.payload.length)) return 'memory-full';
    if (!this.#budget.allows()) return 'overloaded';
    const openedAt = this.#clock.now();
    const session = new Session({
      connectionId: Buffer.from(datagram.connectionId),
      address,
      port,
      openedAt,
      expiresAt: openedAt + underPressure(limits.sessionLifetimeMs, limits.sessionLifetimeFullMs, this.#table.fill),
      limits,
      onKept: (kept) => this.#onKept(kept),
    });
    this.#table.add(session);
    return session;
  }

  /** Puts a client's datagram into its session's stream, and gives the session to TLS when its ClientHello is there. */
  #take(session: Session, { sequence, acknowledged, payload }: ClientDatagram): DropReason | undefined {
    if (acknowledged > session.link.flight.sequence) return 'never-sent';
    session.acknowledged = Math.max(session.acknowledged, acknowledged);
    if (sequence === 0 || session.inbound.has(sequence)) return undefined;
    // Else TLS could become secure before TCP has validated the client's address.
    if (session.link.flight.bytes > 0) return 'after-answer';
    if (!this.#table.hasRoomFor(payload.length)) return 'memory-full';
    // A view would keep the whole datagram in memory.
    const pushed = session.inbound.push(sequence, Buffer.from(payload));
    if (pushed === 'over-limit') return 'over-limit';
    let reason: DropReason | undefined;
    if (pushed === 'in-order') {
      if (session.io) session.io.deliver(session.inbound.read());
      else reason = this.#openStream(session);
    }
    this.#table.update(session);
    return reason;
  }

  #openStream(session: Session): DropReason | undefined {
    const record = Session.firstRecord(session.inbound.peek());
    if (record === 'incomplete') return undefined;
    if (record === 'none') {
      this.#table.remove(session);
      return 'malformed';
    }
    if (!this.#table.hasRoomFor(this.limits.sessionTlsBytes)) return 'memory-full';
    session.handshakeBeganAt = this.#clock.now();
    const io = session.open(session.inbound.read());
    this.#events.next({ type: 'session', connectionId: session.connectionId });
    this.#options.onSession(io);
    return undefined;
  }

  /** TLS has written, and the tick is over. */
  #onKept(session: Session): void {
    if (session.handshakeBeganAt !== undefined) {
      const took = session.io?.relayed ? RELAYED_FLIGHT_MS : this.#clock.now() - session.handshakeBeganAt;
      this.#budget.charge(Math.min(took, FIRST_FLIGHT_MAX_MS));
      session.handshakeBeganAt = undefined;
    }
    this.#table.update(session);
    this.#send(session);
  }

  /** Sends what the session's credit covers. The rest waits for more credit, or for TCP. */
  #send(session: Session): void {
    const { flight } = session.link;
    while (this.#udp && session.credit.covers(flight.nextLength + SERVER_OVERHEAD_MAX)) {
      const cut = flight.cut();
      if (!cut) {
        this.#repeat(session);
        return;
      }
      this.#sendDatagram(session, cut);
    }
  }

  /**
   * Sends the flight once more where credit is left for the whole of it: one lost datagram would cost the client the
   * round trip that UDP saves, and nobody sends it again before TCP does.
   */
  #repeat(session: Session): void {
    const { flight } = session.link;
    const first = session.acknowledged + 1;
    if (session.repeated || flight.sequence < first || session.credit.datagrams <= flight.sequence - first) return;
    session.repeated = true;
    for (let sequence = first; sequence <= flight.sequence; sequence++) {
      const datagram = flight.datagram(sequence);
      if (!session.credit.covers(datagram.payload.length + SERVER_OVERHEAD_MAX)) return;
      this.#sendDatagram(session, datagram);
    }
  }

  #sendDatagram(session: Session, { sequence, payload, remaining }: FlightDatagram): void {
    const bytes = encodeDatagram({
      side: 'server',
      connectionId: session.connectionId,
      sequence,
      acknowledged: session.inbound.delivered,
      payload,
      instance: session.instance,
      lifetimeMs: Math.max(1, Math.floor(session.expiresAt - this.#clock.now())),
      remaining,
    });
    session.credit.sent(bytes.length);
    this.#udp?.send(bytes, session.port, session.address, ignoreSendError);
  }

  /** A claim happens once, by whoever knows the secret; anything that does not fit makes no state. */
  #claim(tombstone: Tombstone): Bind | RejectReason {
    const session = this.#findClaimed(tombstone);
    if (typeof session === 'string') {
      this.#events.next({ type: 'rejected', reason: session });
      return session;
    }
    const { serverSequence, clientSequence } = tombstone;
    this.#table.claim(session);
    return (socket, head) => {
      const skip = session.inbound.bytesAfter(clientSequence);
      session.link.bind({ socket, preface: ACCEPTED, serverSequence, head, skip });
      if (session.io?.destroyed) this.#endSoon(socket);
      const { connectionId, openedAt } = session;
      this.#events.next({ type: 'bound', connectionId, waitedMs: this.#clock.now() - openedAt });
    };
  }

  #findClaimed({ secret, instance, serverSequence, clientSequence }: Tombstone): Session | RejectReason {
    const connectionId = connectionIdOf(secret);
    const session = this.#table.get(connectionId);
    if (!session) return this.#table.wasClaimed(connectionId) ? 'claimed' : 'unknown-session';
    if (!timingSafeEqual(instance, session.instance)) return 'wrong-instance';
    const neverSent = serverSequence > session.link.flight.sequence || clientSequence > session.inbound.delivered;
    return neverSent ? 'never-sent' : session;
  }

  /** TLS is over: the client gets its last bytes and FIN, and this long to leave. */
  #endSoon(socket: TcpSocket): void {
    const timer = this.#clock.after(this.limits.pressureTimeoutMs, () => socket.destroy());
    socket.once('close', () => timer.cancel());
  }

  #drop(reason: DropReason): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
    if (this.#events.observed) this.#events.next({ type: 'dropped', reason });
  }

  #onExpired(session: Session): void {
    session.expire();
    this.#events.next({ type: 'expired', connectionId: session.connectionId });
  }
}

/** A lost answer is what UDP is like; what ends the socket comes as its 'error'. */
function ignoreSendError(): void {}
