/**
 * One end of a TCP connection, as the kernel keeps it: it outlives the socket object for as long as bytes are to be
 * delivered. Reliable and in order: a lost segment is sent again after its timeout, and what follows waits for it at the
 * receiver. Acknowledgements and window updates are not packets here: they pass unseen, after the delay of the link.
 */
import type { Timer } from '../../src/platform/clock.js';
import type { Endpoint } from './address.js';
import { systemError } from './errors.js';
import type { VirtualHost } from './host.js';
import type { PacketKind } from './link.js';
import type { VirtualNetwork } from './network.js';

/** First timeout of SYN, SYN-ACK and the ACK that ends the handshake (RFC 6298, section 2); it doubles. */
const HANDSHAKE_TIMEOUT_MS = 1_000;
/** Linux: net.ipv4.tcp_syn_retries; the attempt fails after 127 s. */
const HANDSHAKE_RETRIES = 6;
/** Linux: TCP_RTO_MIN and TCP_RTO_MAX. */
const MINIMUM_TIMEOUT_MS = 200;
const MAXIMUM_TIMEOUT_MS = 120_000;
/** Linux: net.ipv4.tcp_retries2. */
const DATA_RETRIES = 15;
/** What libuv reads at once. */
const READ_BYTES = 65_536;

const NO_BYTES = Buffer.alloc(0);

export interface Segment {
  readonly kind: PacketKind;
  /** Which connection, in place of initial sequence numbers: a late segment of an earlier one is not mistaken. */
  readonly connection: number;
  /** Position in the stream of the first byte, or of the FIN. */
  readonly sequence: number;
  readonly payload: Buffer;
  /** Who sent it; a RST of a host without such a connection has none. */
  readonly origin: TcpEndpoint | undefined;
}

/** The socket object that an endpoint belongs to. */
export interface EndpointOwner {
  /** An outgoing connection is made. */
  connected(): void;
  /** `take` has something new to give. */
  readable(): void;
  /** The endpoint is dead. */
  failed(error: NodeJS.ErrnoException): void;
}

type State = 'connecting' | 'accepting' | 'open' | 'dead';

/** Accepted bytes whose write callback waits for room. */
interface WaitingWrite {
  done(error?: Error | null): void;
}

export class TcpEndpoint {
  readonly connection: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly isOutgoing: boolean;
  owner: EndpointOwner | undefined;

  readonly #net: VirtualNetwork;
  readonly #host: VirtualHost;
  #state: State;
  #peer: TcpEndpoint | undefined;
  /** Its socket was destroyed: what is queued is still sent, but nothing is received any more. */
  #isOrphan = false;
  readonly #timers = new Set<Timer>();

  readonly #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #waiting: WaitingWrite | undefined;
  #sequence = 0;
  /** Bytes that may still be sent before the reader takes some. */
  #credit: number;
  /** Segments that have been sent and have not arrived. */
  #outstanding = 0;
  #fin: 'none' | 'wanted' | 'sent' = 'none';

  readonly #early = new Map<number, Segment>();
  readonly #incoming: Buffer[] = [];
  #expected = 0;
  #consumed = 0;
  #incomingEnd: 'open' | 'ended' | 'taken' = 'open';

  private constructor(
    net: VirtualNetwork,
    host: VirtualHost,
    local: Endpoint,
    remote: Endpoint,
    connection: number,
    state: 'connecting' | 'accepting',
  ) {
    this.#net = net;
    this.#host = host;
    this.local = local;
    this.remote = remote;
    this.connection = connection;
    this.isOutgoing = state === 'connecting';
    this.#state = state;
    this.#credit = net.tcpReceiveBuffer;
    host.addEndpoint(this);
  }

  /** Starts a connection: `owner` hears how it went. */
  static connect(net: VirtualNetwork, host: VirtualHost, local: Endpoint, remote: Endpoint, owner: EndpointOwner) {
    const endpoint = new TcpEndpoint(net, host, local, remote, net.newConnectionId(), 'connecting');
    endpoint.owner = owner;
    endpoint.#send('syn');
    return endpoint;
  }

  /** Answers a SYN. The listener hears of it once the handshake is complete. */
  static answer(net: VirtualNetwork, host: VirtualHost, local: Endpoint, remote: Endpoint, connection: number): void {
    new TcpEndpoint(net, host, local, remote, connection, 'accepting').#send('synack');
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  /** Takes bytes to send. `done` is called, never at once, when there is room for more. */
  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.#state !== 'open') {
      process.nextTick(done, systemError('EPIPE', 'write'));
      return;
    }
    // A copy, as the kernel takes one: the writer may use its buffer again after the callback.
    if (bytes.length > 0) this.#unsent.push(Buffer.from(bytes));
    this.#unsentBytes += bytes.length;
    this.#waiting = { done };
    this.#pump();
  }

  /** Sends FIN after what has been written. */
  shutdown(): void {
    if (this.#fin !== 'none' || this.#state === 'dead') return;
    this.#fin = 'wanted';
    this.#pump();
  }

  /** Bytes that have arrived, null once at their end, undefined if there is nothing (more) yet. */
  take(): Buffer | null | undefined {
    if (this.#incoming.length === 0) {
      if (this.#incomingEnd !== 'ended') return undefined;
      this.#incomingEnd = 'taken';
      return null;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    while (this.#incoming[0] !== undefined && (length === 0 || length + this.#incoming[0].length <= READ_BYTES)) {
      const chunk = this.#incoming.shift() as Buffer;
      chunks.push(chunk);
      length += chunk.length;
    }
    this.#announce(length);
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
  }

  /** The socket is destroyed. As the kernel does it: RST if bytes were left unread, else FIN after what is queued. */
  close(): void {
    if (this.#state === 'dead') return;
    this.owner = undefined;
    if (this.#state === 'connecting') {
      this.vanish();
      return;
    }
    if (this.#incoming.length > 0) {
      this.reset();
      return;
    }
    this.#isOrphan = true;
    this.#releaseWriter('ECANCELED');
    this.shutdown();
    this.#dieIfDone();
  }

  /** Ends the connection with RST. What has not been sent is lost. */
  reset(): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'connecting') this.#send('rst');
    this.vanish();
  }

  /** Ends without a word to the other side. */
  vanish(): void {
    this.#state = 'dead';
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#unsent.length = 0;
    this.#unsentBytes = 0;
    this.#incoming.length = 0;
    this.#early.clear();
    this.#releaseWriter('ECANCELED');
    this.#host.removeEndpoint(this);
  }

  receive(segment: Segment): void {
    if (this.#state === 'dead') return;
    this.#peer ??= segment.origin;
    switch (segment.kind) {
      case 'syn':
        if (this.#state === 'accepting') this.#send('synack');
        break;
      case 'synack':
        this.#receiveSynAck();
        break;
      case 'ack':
        this.#completeHandshake();
        break;
      case 'rst':
        this.#receiveReset();
        break;
      default:
        this.#completeHandshake();
        this.#receiveData(segment);
    }
  }

  #receiveSynAck(): void {
    this.#send('ack');
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.owner?.connected();
    this.#pump();
  }

  /** The handshake's ACK has come, or data that implies it. */
  #completeHandshake(): void {
    if (this.#state !== 'accepting') return;
    const listener = this.#host.listenerAt(this.local);
    if (listener === undefined) {
      this.reset();
      return;
    }
    this.#state = 'open';
    listener.accept(this);
  }

  #receiveReset(): void {
    this.#fail(
      this.#state === 'connecting'
        ? systemError('ECONNREFUSED', 'connect', this.remote)
        : systemError('ECONNRESET', 'read'),
    );
  }

  #receiveData(segment: Segment): void {
    if (this.isDead || segment.sequence < this.#expected || this.#incomingEnd !== 'open') return;
    // Nobody will ever read this: the kernel answers with RST.
    if (this.#isOrphan && segment.kind === 'data') {
      this.reset();
      return;
    }
    this.#early.set(segment.sequence, segment);
    for (let next = this.#early.get(this.#expected); next !== undefined; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected);
      if (next.kind === 'fin') {
        this.#incomingEnd = 'ended';
        break;
      }
      this.#incoming.push(next.payload);
      this.#expected += next.payload.length;
    }
    this.owner?.readable();
    this.#dieIfDone();
  }

  /** Tells the sender of room, in portions: after each byte would be a flood of timers. */
  #announce(consumed: number): void {
    this.#consumed += consumed;
    if (this.#consumed < this.#net.tcpReceiveBuffer / 4) return;
    const bytes = this.#consumed;
    this.#consumed = 0;
    const { delayMs } = this.#net.settings(this.local.address, this.remote.address);
    this.#net.schedule(delayMs, () => this.#peer?.grant(bytes));
  }

  /** The reader at the other end took bytes. */
  grant(bytes: number): void {
    this.#credit += bytes;
    if (this.#state === 'open') this.#pump();
  }

  /** Sends what the window allows, then FIN if it is wanted. */
  #pump(): void {
    if (this.#state !== 'open') return;
    while (this.#unsentBytes > 0 && this.#credit > 0) {
      const payload = this.#next(Math.min(this.#net.tcpSegmentBytes, this.#credit));
      this.#credit -= payload.length;
      this.#send('data', payload);
    }
    if (this.#unsentBytes <= this.#net.tcpSendBuffer) this.#releaseWriter();
    if (this.#fin !== 'wanted' || this.#unsentBytes > 0) return;
    this.#fin = 'sent';
    this.#send('fin');
  }

  /** Takes up to `limit` unsent bytes off the queue. */
  #next(limit: number): Buffer {
    const parts: Buffer[] = [];
    let length = 0;
    while (length < limit && this.#unsent[0] !== undefined) {
      const first = this.#unsent[0];
      const part = first.subarray(0, limit - length);
      if (part.length === first.length) this.#unsent.shift();
      else this.#unsent[0] = first.subarray(part.length);
      parts.push(part);
      length += part.length;
    }
    this.#unsentBytes -= length;
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length);
  }

  #releaseWriter(failure?: 'ECANCELED'): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    process.nextTick(() => waiting.done(failure === undefined ? null : systemError(failure, 'write')));
  }

  #send(kind: PacketKind, payload: Buffer = NO_BYTES): void {
    const segment: Segment = { kind, connection: this.connection, sequence: this.#sequence, payload, origin: this };
    this.#sequence += payload.length;
    if (kind !== 'rst') this.#outstanding++;
    this.#transmit(segment, 0);
  }

  #transmit(segment: Segment, attempt: number): void {
    let hasArrived = false;
    const { kind, payload } = segment;
    const lose = kind === 'rst' ? undefined : () => this.#sendAgain(segment, attempt);
    this.#net.transmit({
      protocol: 'tcp',
      kind,
      local: this.local,
      remote: this.remote,
      payload,
      attempt,
      lose,
      arrive: (host, at, from, bytes) => {
        // No such host: nothing answers, as when the packet is lost.
        if (host === undefined) return lose?.();
        if (!hasArrived && kind !== 'rst') this.#outstanding--;
        hasArrived = true;
        host.receiveSegment(at, from, { ...segment, payload: bytes });
        this.#dieIfDone();
      },
    });
  }

  #sendAgain(segment: Segment, attempt: number): void {
    if (this.#state === 'dead') return;
    const isHandshake = segment.kind !== 'data' && segment.kind !== 'fin';
    const retries = isHandshake ? HANDSHAKE_RETRIES : DATA_RETRIES;
    const timer = this.#net.clock.after(this.#timeoutMs(isHandshake, attempt), () => {
      this.#timers.delete(timer);
      if (attempt < retries) return this.#transmit(segment, attempt + 1);
      const isConnecting = this.#state === 'connecting';
      this.#fail(isConnecting ? systemError('ETIMEDOUT', 'connect', this.remote) : systemError('ETIMEDOUT', 'read'));
    });
    this.#timers.add(timer);
  }

  #timeoutMs(isHandshake: boolean, attempt: number): number {
    const roundTrip = this.#net.roundTripMs(this.local.address, this.remote.address);
    const first = isHandshake ? HANDSHAKE_TIMEOUT_MS : Math.max(MINIMUM_TIMEOUT_MS, 2 * roundTrip);
    return Math.min(MAXIMUM_TIMEOUT_MS, first * 2 ** attempt);
  }

  #fail(error: NodeJS.ErrnoException): void {
    const owner = this.owner;
    this.owner = undefined;
    this.vanish();
    owner?.failed(error);
  }

  /** Nobody owns it, all has arrived there, and the other side has said its last: as TIME_WAIT, without the wait. */
  #dieIfDone(): void {
    if (!this.#isOrphan || this.#state === 'dead') return;
    if (this.#fin !== 'sent' || this.#outstanding > 0 || this.#incomingEnd === 'open') return;
    this.#host.rememberEnded(this.connection);
    this.vanish();
  }
}

/** What a host says to a segment of a connection that it does not know. */
export function refuseSegment(net: VirtualNetwork, at: Endpoint, from: Endpoint, segment: Segment): void {
  const reset: Segment = {
    kind: 'rst',
    connection: segment.connection,
    sequence: 0,
    payload: NO_BYTES,
    origin: undefined,
  };
  net.transmit({
    protocol: 'tcp',
    kind: 'rst',
    local: at,
    remote: from,
    payload: NO_BYTES,
    attempt: 0,
    arrive: (host, here, sender) => host?.receiveSegment(here, sender, reset),
  });
}
