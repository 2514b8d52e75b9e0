/**
 * The client's side of the first flights over UDP, to one address: sends the client's flight and the requests that earn
 * the answer its credit, and puts the answer in order. A new address gets a new carrier, with a new secret.
 */
import { isIPv6 } from 'node:net';
import { type Observable, Subject } from 'rxjs';
import type { Limits } from '../limits.js';
import type { Clock } from '../platform/clock.js';
import { type Network, numericLookup, type UdpSocket } from '../platform/network.js';
import { PAYLOAD_MAX } from '../wire/constants.js';
import { decodeDatagram, encodeDatagram, type ServerDatagram } from '../wire/datagram.js';
import { DatagramStream } from '../wire/datagram-stream.js';
import type { Flight } from '../wire/flight.js';
import { encodeTombstone } from '../wire/frame.js';
import { connectionIdOf, makeSecret } from '../wire/identity.js';

export interface UdpCarrierOptions {
  address: string;
  port: number;
  localAddress?: string | undefined;
  /** What TLS writes; cut here, datagram by datagram. */
  flight: Flight;
  /** Datagrams to send in all. */
  datagrams: number;
  limits: Readonly<Limits>;
  network: Network;
  clock: Clock;
}

const EMPTY = Buffer.alloc(0);

export class UdpCarrier {
  readonly #options: UdpCarrierOptions;
  readonly #secret = makeSecret();
  readonly #connectionId = connectionIdOf(this.#secret);
  readonly #received: DatagramStream;
  readonly #progress = new Subject<void>();
  #socket: UdpSocket | undefined;
  #connected = false;
  #dead = false;
  #sent = 0;
  #sentSequence = 0;
  #requested = false;
  #instance: Buffer | undefined;
  #acknowledged = 0;
  /** What each datagram said is left behind it, by sequence - 1. */
  readonly #remaining: number[] = [];
  #expiresAt = Number.POSITIVE_INFINITY;
  /** When the first datagram left, on the clock. */
  firstSentAt: number | undefined;
  /** When the first valid answer came, on the clock. */
  firstAnswerAt: number | undefined;
  /** When the last datagram that brought the flight forward came, on the clock. */
  lastAnswerAt: number | undefined;

  constructor(options: UdpCarrierOptions) {
    this.#options = options;
    const { limits, network, address, port, localAddress } = options;
    this.#received = new DatagramStream({ bytes: limits.clientHeldBytes, datagrams: limits.clientHeldDatagrams });
    try {
      const socket = network.createUdpSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: numericLookup });
      this.#socket = socket;
      // Refused by ICMP, no route, no descriptor left: UDP has failed here, TCP decides.
      socket.on('error', () => this.#die());
      socket.on('message', (message) => this.#onMessage(message));
      const connect = () =>
        socket.connect(port, address, (error) => {
          if (this.#socket !== socket) return;
          if (error) {
            this.#die();
            return;
          }
          this.#connected = true;
          this.send();
        });
      if (localAddress === undefined) connect();
      else socket.bind({ address: localAddress, exclusive: true }, connect);
      socket.unref();
    } catch {
      this.#die();
    }
  }

  /** Emits when the answer came forward, or when nothing more can come. */
  get progress$(): Observable<void> {
    return this.#progress;
  }

  /** Whether some of the server's stream is here, in order. */
  get answered(): boolean {
    return this.#received.delivered > 0;
  }

  /** Datagrams of the server's whole flight: those that are here, in order, and those that the rest would take. */
  get answerDatagrams(): number {
    const { delivered } = this.#received;
    return delivered + Math.ceil((this.#remaining[delivered - 1] ?? 0) / PAYLOAD_MAX);
  }

  /** Whether waiting longer can bring nothing: the flight is whole, the credit is used up, or UDP has failed. */
  get settled(): boolean {
    if (this.#dead) return true;
    const { delivered } = this.#received;
    return delivered > 0 && (this.#remaining[delivered - 1] === 0 || delivered >= this.#sent);
  }

  /**
   * Whether a tombstone that is sent now comes before the session's end.
   * @param marginMs how much before; at most half of the session's life is asked for
   */
  claimable(marginMs: number): boolean {
    if (!this.answered) return false;
    const answeredAt = this.firstAnswerAt as number;
    // The lifetime counts from the answer's departure: its way here and the tombstone's way there make a round trip.
    const roundTrip = answeredAt - (this.firstSentAt as number);
    const margin = Math.min(marginMs, (this.#expiresAt - answeredAt) / 2);
    return this.#options.clock.now() + roundTrip + margin < this.#expiresAt;
  }

  /** The server's bytes that are here in order and were not read yet. */
  read(): Buffer[] {
    return this.#received.read();
  }

  /**
   * The claim to the session as it stands, and the last sequence of the client's that TCP need not repeat. From here on
   * the answer stays as it is, and the socket is closed: what UDP still brings, TCP repeats.
   */
  claim(): { tombstone: Buffer; clientSequence: number } {
    this.close();
    const clientSequence = this.#acknowledged;
    const tombstone = encodeTombstone({
      secret: this.#secret,
      instance: this.#instance as Buffer,
      serverSequence: this.#received.delivered,
      clientSequence,
    });
    return { tombstone, clientSequence };
  }

  /** Sends what the flight has and was not sent; then, once, the requests. */
  send(): void {
    const { flight, clock } = this.#options;
    if (!this.#connected || flight.bytes === 0) return;
    this.firstSentAt ??= clock.now();
    // The flight goes out whole, however little the server's answer asked for last time.
    while (this.#sent < this.#options.limits.clientDatagramsMax) {
      const known = this.#sentSequence < flight.sequence;
      const next = known ? flight.datagram(this.#sentSequence + 1) : flight.cut();
      if (!next) break;
      this.#sentSequence = next.sequence;
      this.#sendDatagram(next.sequence, next.payload);
    }
    if (!this.#requested) this.#sendRequests();
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#connected = false;
    if (!socket) return;
    try {
      socket.close();
    } catch {
      // It was never opened: closing is all that is left, and that is done.
    }
  }

  /**
   * Each datagram earns one of the server's. The first requests repeat the flight, for they are padded anyway and a lost
   * ClientHello costs the round trip; the others are empty.
   */
  #sendRequests(): void {
    this.#requested = true;
    const { flight, datagrams } = this.#options;
    for (let repeat = 1; this.#sent < datagrams; repeat++) {
      if (repeat <= this.#sentSequence) this.#sendDatagram(repeat, flight.datagram(repeat).payload);
      else this.#sendDatagram(0, EMPTY);
    }
  }

  #sendDatagram(sequence: number, payload: Buffer): void {
    this.#sent++;
    const acknowledged = this.#received.delivered;
    const bytes = encodeDatagram({ side: 'client', connectionId: this.#connectionId, sequence, acknowledged, payload });
    // A datagram that cannot be sent is a lost one; what ends UDP here comes as the socket's 'error'.
    this.#socket?.send(bytes, (error) => {
      if (error) this.#die();
    });
  }

  #onMessage(message: Buffer): void {
    if (this.#socket === undefined) return;
    const datagram = decodeDatagram(message);
    if (typeof datagram === 'string' || datagram.side !== 'server') return;
    if (!datagram.connectionId.equals(this.#connectionId)) return;
    this.#instance ??= datagram.instance;
    if (!datagram.instance.equals(this.#instance)) return;
    this.#take(datagram, this.#options.clock.now());
  }

  #take({ sequence, acknowledged, payload, lifetimeMs, remaining }: ServerDatagram, now: number): void {
    if (acknowledged > this.#sentSequence || sequence === 0) return;
    const pushed = this.#received.push(sequence, payload);
    if (pushed !== 'in-order' && pushed !== 'held') return;
    this.#acknowledged = Math.max(this.#acknowledged, acknowledged);
    this.#remaining[sequence - 1] = remaining;
    this.#expiresAt = Math.min(this.#expiresAt, now + lifetimeMs);
    this.firstAnswerAt ??= now;
    this.lastAnswerAt = now;
    this.#progress.next();
  }

  #die(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.close();
    this.#progress.next();
  }
}
