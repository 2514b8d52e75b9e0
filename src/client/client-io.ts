/**
 * The client's stream under TLS: one Duplex over two carriers (design, section 1).
 *
 *   TLS writes ──► Flight ──► UdpCarrier ──► datagrams       until TCP takes over
 *              └────────────► TcpCarrier ──► [tombstone] …   from then on
 *
 * When TCP is connected the grace runs; then the connection either claims its session with a tombstone or begins as
 * plain TLS over TCP. Which way, and when, is decided here in one place, as observables; bytes pass by them.
 */
import { BehaviorSubject, type Observable, type Subscription } from 'rxjs';
import { filter, take } from 'rxjs/operators';
import { turbotls } from '#proto/turbotls.js';
import { TurboError } from '../errors.js';
import { type Limits, limitsWith } from '../limits.js';
import { type Clock, systemClock, type Timer } from '../platform/clock.js';
import { announceExperimental } from '../platform/experimental.js';
import { type Network, nodeNetwork, type TcpSocket } from '../platform/network.js';
import { TcpCarrier } from '../platform/tcp-carrier.js';
import { TlsDuplex } from '../platform/tls-duplex.js';
import { Flight } from '../wire/flight.js';
import type { ClientIOOptions, Timeline, TurboInfo } from './connection.js';
import { type Graces, graceOver } from './grace.js';
import { type FirstContact, PathMemory, type PathPlan } from './path-memory.js';
import { ReplyReader } from './reply-reader.js';
import { TcpAttempts } from './tcp-attempts.js';
import { UdpCarrier } from './udp-carrier.js';

const HandshakeState = turbotls.v1.HandshakeState;
type HandshakeState = turbotls.v1.HandshakeState;

/** The memory of a process: what one connection learns, the next one uses. */
export const sharedPathMemory = new PathMemory();

type Phase =
  /** TCP is connecting, or connected and in its grace. */
  | { name: 'racing' }
  /** The tombstone is sent. */
  | { name: 'claiming'; contact: FirstContact; carrier: TcpCarrier; clientSequence: number; reply: ReplyReader }
  /** The careful claim failed without a usable answer: TCP is dialled again, for plain TLS. */
  | { name: 'redialling' }
  /** TCP carries the stream. */
  | { name: 'streaming'; carrier: TcpCarrier }
  | { name: 'over' };

type Claiming = Phase & { name: 'claiming' };

export class ClientIO extends TlsDuplex implements TurboInfo {
  readonly #options: ClientIOOptions;
  readonly #limits: Readonly<Limits>;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #memory: PathMemory;
  readonly #endpoint: string;
  readonly #plan: PathPlan;
  #startedAt: number;
  readonly #flight: Flight;
  readonly #state = new BehaviorSubject<HandshakeState>(HandshakeState.RACING);
  #phase: Phase = { name: 'racing' };
  #udp: UdpCarrier | undefined;
  readonly #tcp: TcpAttempts;
  #tcpConnectedAt: number | undefined;
  #begunOver: 'udp' | 'tcp' | undefined;
  #grace: Subscription | undefined;
  #replyTimer: Timer | undefined;
  #flushing = false;
  /** A write that found the flight full. */
  #withheld: (() => void) | undefined;
  #ended = false;
  #rejected = false;

  /** Who ends the connection on a failure; by default the stream itself. TLS's owner passes `tlsSocket.destroy`. */
  onFailure: (error: Error) => void = (error) => this.destroy(error);
  readonly timeline: Timeline = {};

  constructor(options: ClientIOOptions) {
    super();
    announceExperimental();
    this.#options = options;
    this.#limits = limitsWith(options.limits);
    this.#network = options.network ?? nodeNetwork;
    this.#clock = options.clock ?? systemClock;
    this.#memory = options.memory ?? sharedPathMemory;
    this.#endpoint = `${options.tcp.host ?? 'localhost'}:${options.tcp.port}`;
    this.#plan = this.#memory.plan(this.#endpoint, options.firstContact, options.limits);
    this.#startedAt = this.#clock.now();
    this.#flight = new Flight({ bytes: this.#limits.flightBytes, datagrams: this.#limits.flightDatagrams });
    this.#tcp = new TcpAttempts({
      tcp: options.tcp,
      network: this.#network,
      clock: this.#clock,
      limits: this.#limits,
      onConnected: () => this.#onTcpConnected(),
      onError: (error) => this.#onTcpError(error),
    });
    if (!options.deferred) this.start();
  }

  /** Dials; once, and only where that was deferred. */
  start(): void {
    this.#startedAt = this.#clock.now();
    this.#tcp.start();
    if (this.#plan.udp || this.#options.require) {
      this.tcp?.on('connectionAttempt', (address: string, port: number) => this.#openUdp(address, port));
    }
  }

  /** The states of this end (proto: HandshakeState), the present one first; completes when the connection is over. */
  get state$(): Observable<HandshakeState> {
    return this.#state.asObservable();
  }

  get state(): HandshakeState {
    return this.#state.value;
  }

  get carrier(): 'udp' | 'tcp' | undefined {
    return this.#begunOver;
  }

  /** The TCP connection, for its addresses; while it is being made, the first attempt at it, whose events those are. */
  get tcp(): TcpSocket | undefined {
    return this.#tcp.socket;
  }

  /** See TcpAttempts. */
  changeTcp(name: string, setting: (tcp: TcpSocket) => void): void {
    this.#tcp.change(name, setting);
  }

  /** The group to offer first to this server, where it asked for one last time. */
  get group(): string | undefined {
    return this.#plan.group;
  }

  /**
   * Tells the IO that TLS has completed its handshake. Only then does the path memory learn from this connection.
   * @param group the key-share group, where the server chose another than the first that was offered
   */
  handshakeDone(group?: string): void {
    if (group !== undefined) this.#memory.choseGroup(this.#endpoint, group);
    const udp = this.#udp;
    if (!udp) return;
    const connectedAt = this.#tcpConnectedAt ?? 0;
    const lagMs = Math.max(0, (udp.lastAnswerAt ?? 0) - connectedAt);
    if (this.carrier === 'udp') {
      this.#memory.answered(this.#endpoint, { lagMs, flightDatagrams: udp.answerDatagrams });
    } else if (this.#rejected) {
      this.#memory.failed(this.#endpoint, 'rejected');
    } else if (!udp.answered) {
      this.#memory.failed(this.#endpoint, 'silent');
    } else {
      this.#memory.late(this.#endpoint, lagMs);
    }
    this.#closeUdp();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const carrier = this.#writableCarrier();
    if (carrier) carrier.write(chunk, callback);
    else this.#keep([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    const carrier = this.#writableCarrier();
    if (carrier) carrier.writev(chunks, callback);
    else
      this.#keep(
        chunks.map(({ chunk }) => chunk),
        callback,
      );
  }

  override _final(callback: () => void): void {
    this.#ended = true;
    const carrier = this.#writableCarrier();
    if (carrier) carrier.end(callback);
    else callback();
  }

  override _read(): void {
    if (this.#phase.name === 'streaming' || this.#phase.name === 'claiming') this.#phase.carrier.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#end(error ? HandshakeState.FAILED : HandshakeState.CLOSED);
    callback(error);
  }

  /** The carrier that takes TLS's bytes; undefined while they are kept for later. */
  #writableCarrier(): TcpCarrier | undefined {
    const phase = this.#phase;
    if (phase.name === 'streaming') return phase.carrier;
    return phase.name === 'claiming' && phase.contact === 'fast' ? phase.carrier : undefined;
  }

  #keep(chunks: Buffer[], callback: () => void): void {
    if (this.#phase.name === 'over') {
      callback();
      return;
    }
    this.#flight.append(chunks);
    this.#flushSoon();
    if (this.#flight.bytes < this.#limits.clientHeldBytes) callback();
    else this.#withheld = callback;
  }

  /** What TLS writes within one tick goes out together. */
  #flushSoon(): void {
    if (this.#flushing || this.#tcpConnectedAt !== undefined) return;
    this.#flushing = true;
    process.nextTick(() => {
      this.#flushing = false;
      if (this.#tcpConnectedAt === undefined) this.#udp?.send();
    });
  }

  /** UDP goes where TCP goes: each address that TCP tries gets a carrier, and the one before loses its own. */
  #openUdp(address: string, port: number): void {
    this.#closeUdp();
    this.#tcp.forget();
    if (this.#phase.name !== 'racing') return;
    const udp = new UdpCarrier({
      address,
      port,
      localAddress: this.#options.tcp.localAddress,
      flight: this.#flight,
      datagrams: this.#plan.datagrams,
      limits: this.#limits,
      network: this.#network,
      clock: this.#clock,
    });
    this.#udp = udp;
    udp.progress$.subscribe(() => this.#noteUdp(udp));
    udp.progress$
      .pipe(
        filter(() => udp.answered),
        take(1),
      )
      .subscribe(() => this.#tcp.answered(address, (udp.firstAnswerAt ?? 0) - (udp.firstSentAt ?? 0)));
  }

  #noteUdp({ firstSentAt, firstAnswerAt }: UdpCarrier): void {
    if (firstSentAt !== undefined) this.timeline.udpSent ??= firstSentAt - this.#startedAt;
    if (firstAnswerAt !== undefined) this.timeline.udpAnswered ??= firstAnswerAt - this.#startedAt;
  }

  #closeUdp(): void {
    this.#udp?.close();
    this.#udp = undefined;
  }

  #onTcpError(error: Error): void {
    // Once a carrier has the socket, the carrier reports.
    if (this.#phase.name === 'racing' || this.#phase.name === 'redialling') this.#fail(error);
  }

  #onTcpConnected(): void {
    if (this.#phase.name === 'redialling') {
      this.#beginPlain(this.#carry());
      return;
    }
    if (this.#phase.name !== 'racing') return;
    const now = this.#clock.now();
    this.#tcpConnectedAt = now;
    this.timeline.tcpConnected = now - this.#startedAt;
    if (this.#udp) this.#noteUdp(this.#udp);
    // In the grace nobody else listens for the peer's leaving.
    const lost = () => {
      if (this.#phase.name === 'racing') this.#onTcpLost();
    };
    this.tcp?.once('end', lost);
    this.tcp?.once('close', lost);
    if (!this.#tell(HandshakeState.GRACE)) return;
    this.#grace = graceOver(this.#udp, this.#graces(), this.#clock).subscribe(() => this.#choose());
  }

  #graces(): Graces {
    const connectMs = this.#timeToConnect();
    if (!this.#options.require) {
      return { silenceMs: this.#plan.graceMs(connectMs), wholeMs: this.#plan.graceMaxMs(connectMs) };
    }
    // Where TCP alone is no way out, nothing that the path is suspected of makes the wait shorter.
    const longestMs = Math.max(this.#limits.graceMinMs, connectMs * this.#limits.graceMaxRatio);
    return { silenceMs: longestMs, wholeMs: longestMs };
  }

  /** How long TCP took, from the SYN on: the first datagram left with the first one. */
  #timeToConnect(): number {
    const connectedAt = this.#tcpConnectedAt ?? this.#clock.now();
    return connectedAt - (this.#tcp.dialledAt ?? this.#udp?.firstSentAt ?? this.#startedAt);
  }

  /** TCP takes over: by the tombstone where UDP has brought something, else as plain TLS from its first byte. */
  #choose(): void {
    if (this.#phase.name !== 'racing') return;
    this.timeline.carrierChosen = this.#clock.now() - this.#startedAt;
    // Careful may be rejected without harm; fast cannot go back.
    const marginMs = this.#plan.contact === 'fast' ? this.#limits.claimMarginMs : 0;
    if (this.#udp?.claimable(marginMs)) this.#claim(this.#udp);
    else this.#beginPlain(this.#carry());
  }

  #claim(udp: UdpCarrier): void {
    const { contact } = this.#plan;
    const carrier = this.#carry();
    const { tombstone, clientSequence } = udp.claim();
    this.#phase = { name: 'claiming', contact, carrier, clientSequence, reply: new ReplyReader() };
    this.#replyTimer = this.#clock.after(this.#replyTimeoutMs(), () => this.#onReplyOverdue());
    const { socket } = carrier;
    if (contact === 'careful') {
      // Nothing may follow the tombstone: after a rejection the next byte is a first byte again.
      socket.write(tombstone);
      this.#state.next(HandshakeState.CLAIMING);
      return;
    }
    this.#begunOver = 'udp';
    // TLS answers while the socket is corked, so that its Finished and the first request leave with the tombstone.
    socket.cork();
    socket.write(tombstone);
    if (!this.#tell(HandshakeState.CLAIMING)) return;
    this.#takeOver(carrier, clientSequence);
    this.#deliver(udp);
    setImmediate(() => socket.uncork());
  }

  #replyTimeoutMs(): number {
    const { replyTimeoutMs, replyRoundTrips } = this.#limits;
    return Math.max(replyTimeoutMs, replyRoundTrips * this.#timeToConnect());
  }

  #beginPlain(carrier: TcpCarrier): void {
    if (this.#options.require) {
      carrier.destroy();
      const why = this.#rejected ? 'the server rejected the tombstone' : 'UDP brought no answer in time';
      this.#fail(new TurboError('ERR_TURBO_REQUIRED', why, { retryable: true }));
      return;
    }
    this.#phase = { name: 'streaming', carrier };
    this.#begunOver = 'tcp';
    this.#takeOver(carrier, 0);
    carrier.resume();
    this.#state.next(HandshakeState.PLAIN);
  }

  /** TLS writes to TCP from here on; what it wrote behind the datagram `clientSequence` comes first. */
  #takeOver(carrier: TcpCarrier, clientSequence: number): void {
    const kept = this.#flight.after(clientSequence);
    if (kept.length > 0) carrier.socket.write(kept);
    this.#flight.release();
    this.#releaseWithheld();
    if (this.#ended) carrier.end(() => {});
  }

  #carry(): TcpCarrier {
    return new TcpCarrier(this.tcp as TcpSocket, {
      onBytes: (chunk) => this.#onBytes(chunk),
      onEnd: () => this.#onTcpEnd(),
      onError: (error) => this.#onTcpLost(error),
      onClose: () => this.#onTcpLost(),
    });
  }

  #onBytes(chunk: Buffer): boolean {
    const phase = this.#phase;
    if (phase.name === 'streaming') return this.push(chunk);
    if (phase.name === 'claiming') this.#onReplyBytes(phase, chunk);
    return true;
  }

  #onReplyBytes(phase: Claiming, chunk: Buffer): void {
    const answer = phase.reply.read(chunk);
    if (answer === undefined) return;
    if (answer instanceof TurboError) {
      this.#onClaimFailed(answer);
      return;
    }
    this.#replyTimer?.cancel();
    this.timeline.replied = this.#clock.now() - this.#startedAt;
    const { reply, rest } = answer;
    if (reply.accepted) this.#onAccepted(phase, rest);
    else if (phase.contact === 'careful') this.#onCarefulRejection(phase.carrier, rest);
    else this.#onClaimFailed(new Error(`the server's Reply: ${reply.reason}`), { retryable: true });
  }

  #onAccepted({ carrier, contact, clientSequence }: Claiming, rest: Buffer): void {
    this.#phase = { name: 'streaming', carrier };
    this.#begunOver = 'udp';
    if (!this.#tell(HandshakeState.BOUND)) return;
    if (contact === 'careful') {
      this.#takeOver(carrier, clientSequence);
      this.#deliver(this.#udp as UdpCarrier);
    }
    if (rest.length > 0 && !this.push(rest)) carrier.socket.pause();
  }

  /** The same TCP connection goes on as plain TLS: TLS was told nothing yet. */
  #onCarefulRejection(carrier: TcpCarrier, rest: Buffer): void {
    this.#rejected = true;
    this.#memory.lost(this.#endpoint);
    if (rest.length > 0) {
      this.#onClaimFailed(new TurboError('ERR_TURBO_BAD_REPLY', 'bytes follow a rejection'));
      return;
    }
    this.#beginPlain(carrier);
  }

  #onReplyOverdue(): void {
    this.#memory.lost(this.#endpoint);
    // Fast: TLS has gone on, and TCP may only be slow. Careful: everything is still open.
    if (this.#phase.name === 'claiming' && this.#phase.contact === 'careful') this.#redial(this.#phase.carrier);
  }

  /** The claim met a rejection, nonsense, or the connection's end in place of a Reply. */
  #onClaimFailed(cause: Error, { retryable = false } = {}): void {
    this.#replyTimer?.cancel();
    this.#memory.lost(this.#endpoint);
    if (this.#phase.name === 'claiming' && this.#phase.contact === 'careful') {
      this.#redial(this.#phase.carrier);
      return;
    }
    const detail = 'connect again; this path is remembered as careful, so that the next connection cannot fail so';
    this.#fail(new TurboError('ERR_TURBO_SESSION_LOST', detail, { cause, retryable }));
  }

  /** Something between here and the server does not let the claim through. TLS was told nothing: begin again. */
  #redial(carrier: TcpCarrier): void {
    this.#rejected = true;
    this.#phase = { name: 'redialling' };
    const { remoteAddress } = carrier.socket;
    carrier.destroy();
    this.#tcp.redial(remoteAddress);
  }

  #deliver(udp: UdpCarrier): void {
    for (const chunk of udp.read()) this.push(chunk);
  }

  #onTcpEnd(): void {
    if (this.#phase.name === 'streaming') this.endReading();
    else if (this.#phase.name === 'claiming') this.#onClaimFailed(new Error('the server closed the connection'));
  }

  #onTcpLost(error?: Error): void {
    switch (this.#phase.name) {
      case 'streaming':
        if (error) this.#fail(error);
        else this.carrierClosed();
        return;
      case 'claiming':
        this.#onClaimFailed(error ?? new Error('the connection was closed before the Reply'));
        return;
      case 'racing':
        this.#grace?.unsubscribe();
        this.endReading();
        return;
      default:
    }
  }

  /** Tells a new state; false where whoever watches it has ended the connection. */
  #tell(state: HandshakeState): boolean {
    this.#state.next(state);
    return this.#phase.name !== 'over';
  }

  #fail(error: Error): void {
    this.#end(HandshakeState.FAILED);
    this.onFailure(error);
  }

  /** Gives everything back, once: sockets, timers, subscriptions, a waiting write. */
  #end(state: HandshakeState): void {
    const phase = this.#phase;
    if (phase.name === 'over') return;
    this.#phase = { name: 'over' };
    this.#grace?.unsubscribe();
    this.#replyTimer?.cancel();
    this.#closeUdp();
    this.#tcp.forget();
    if (phase.name === 'claiming') this.#leave(phase.carrier);
    else this.tcp?.destroy();
    this.#releaseWithheld();
    this.#state.next(state);
    this.#state.complete();
  }

  /**
   * The Reply is still to come. To close over it would reset the connection, and the server would see a failure where it
   * sees an end natively, or would never see the tombstone.
   */
  #leave(carrier: TcpCarrier): void {
    const timer = this.#clock.after(this.#replyTimeoutMs(), () => carrier.destroy());
    carrier.socket.once('close', () => timer.cancel());
    carrier.leave();
  }

  #releaseWithheld(): void {
    const withheld = this.#withheld;
    this.#withheld = undefined;
    withheld?.();
  }
}
