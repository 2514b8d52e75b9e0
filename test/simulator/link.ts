/** What a path does to packets: settings, the filter that decides single fates, and what is recorded. */

export type Protocol = 'udp' | 'tcp';

export type PacketKind = 'syn' | 'synack' | 'ack' | 'data' | 'fin' | 'rst' | 'datagram';

/** The settings of one direction of a path. All may be changed while packets are in flight; those keep their fate. */
export interface LinkSettings {
  /** One way. */
  delayMs: number;
  /** Added to each packet's delay, evenly distributed from 0. Datagrams may overtake each other, TCP stays in order. */
  jitterMs: number;
  /** Probability that a packet is lost. A TCP segment is then sent again after its retransmission timeout. */
  loss: number;
  /** For TCP segments, in place of `loss`. */
  tcpLoss: number | undefined;
  /** Probability that a datagram is held back by up to `reorderMs` more, so that it is overtaken. */
  reorder: number;
  reorderMs: number;
  /** Probability that a datagram arrives twice. */
  duplicate: number;
  /** Probability that one to four random bits of a datagram are flipped. TCP has checksums. */
  corrupt: number;
  /** `drop`: no datagram passes, as in networks that block UDP. */
  udp: 'pass' | 'drop';
  /** Kilobits per second of this direction, shared by all that goes from the one host to the other. */
  rateKbit: number | undefined;
}

export const DEFAULT_LINK: Readonly<LinkSettings> = {
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  tcpLoss: undefined,
  reorder: 0,
  reorderMs: 5,
  duplicate: 0,
  corrupt: 0,
  udp: 'pass',
  rateKbit: undefined,
};

/** One transmission, as the filter sees it. Addresses are `addr:port`, `[addr]:port`, as the client sees them. */
export interface Packet {
  readonly protocol: Protocol;
  readonly kind: PacketKind;
  readonly from: string;
  readonly to: string;
  /** Counts the transmissions from `from` to `to` of this protocol, retransmissions included, from 0. */
  readonly index: number;
  /** 0, or which retransmission of a TCP segment this is. */
  readonly attempt: number;
  /** The payload's length. */
  readonly bytes: number;
  readonly payload: Buffer;
}

/**
 * What a filter decides. `pass` leaves the packet to the settings of the link; everything else is final, no setting is
 * applied but the link's delay.
 *  - `deliver`: arrives, untouched by loss, jitter and the rest
 *  - `drop`: is lost (TCP sends it again after its timeout)
 *  - `duplicate`: arrives twice
 *  - `hold`: waits in `net.held` until the test releases or drops it
 *  - `delayMs`: arrives that much later (two packets swapped: delay the first by a millisecond); `copies`: how often;
 *    `payload`: arrives with these bytes instead (datagrams only)
 */
export type Verdict =
  | 'pass'
  | 'deliver'
  | 'drop'
  | 'duplicate'
  | 'hold'
  | { readonly delayMs?: number; readonly copies?: number; readonly payload?: Uint8Array };

export type Filter = (packet: Packet) => Verdict | undefined;

/** A packet that the filter held. */
export interface HeldPacket extends Packet {
  /** Sends it on its way, with the delay of the link. */
  release(): void;
  /** Loses it. */
  drop(): void;
}

/** pass: on its way · lost: by the link's loss · filtered: by the filter · blocked: UDP dropped, or a blackhole · held */
export type Fate = 'pass' | 'lost' | 'filtered' | 'blocked' | 'held';

export interface TraceEntry {
  readonly timeMs: number;
  /** Each transmission is recorded when `sent`, with its fate, and each arrival (two of a duplicate) when `arrived`. */
  readonly event: 'sent' | 'arrived';
  readonly protocol: Protocol;
  readonly kind: PacketKind;
  readonly from: string;
  readonly to: string;
  readonly index: number;
  readonly attempt: number;
  readonly bytes: number;
  readonly fate: Fate;
}

export interface ProtocolCounters {
  sent: number;
  bytesSent: number;
  arrived: number;
  bytesArrived: number;
  lost: number;
  filtered: number;
  blocked: number;
  reordered: number;
  duplicated: number;
  corrupted: number;
  /** Arrived where no socket took it: no listener, a foreign sender on a connected socket. */
  unclaimed: number;
}

export function noCounts(): ProtocolCounters {
  return {
    sent: 0,
    bytesSent: 0,
    arrived: 0,
    bytesArrived: 0,
    lost: 0,
    filtered: 0,
    blocked: 0,
    reordered: 0,
    duplicated: 0,
    corrupted: 0,
    unclaimed: 0,
  };
}
