/**
 * A network in one process: hosts with addresses, and between them a link that delays, loses, reorders, duplicates and
 * corrupts. Each host is a `Network` as the client and the engine take it, so the real code and the real node:tls run
 * on it, in virtual time (VirtualClock) or in real time (systemClock).
 *
 *     client code                                server code
 *     host('10.0.0.1') ──── link, filter, trace ──── host('10.0.0.2')
 *
 * Every random choice comes from the seed, through a generator for each flow (protocol, from, to): what happens to one
 * connection does not depend on how many others there are.
 */
import type { Clock, Timer } from '../../src/platform/clock.js';
import { type Endpoint, formatEndpoint, normalizeAddress, parseEndpoint } from './address.js';
import { VirtualHost } from './host.js';
import {
  DEFAULT_LINK,
  type Fate,
  type Filter,
  type HeldPacket,
  type LinkSettings,
  noCounts,
  type Packet,
  type PacketKind,
  type Protocol,
  type ProtocolCounters,
  type TraceEntry,
  type Verdict,
} from './link.js';
import { Random } from './random.js';
import { VirtualClock } from './virtual-clock.js';

export type { VirtualHost } from './host.js';
export type { Filter, HeldPacket, LinkSettings, Packet, PacketKind, Protocol, TraceEntry, Verdict } from './link.js';

/** Flows and translations that are remembered; the oldest are forgotten, which only restarts their random stream. */
const MAXIMUM_FLOWS = 65_536;
/** What IPv4 and UDP or TCP add to a payload, for `rateKbit`. */
const HEADER_BYTES = { udp: 28, tcp: 40 } as const;
/** Any interval keeps the process alive; this one hardly ever fires. */
const KEEP_ALIVE_INTERVAL_MS = 60_000;

export interface VirtualNetworkOptions {
  clock: Clock;
  /** Decides all random choices. */
  seed?: number | string;
  /** Of every path, both directions, unless `setPath` says otherwise. */
  link?: Partial<LinkSettings>;
  /** Whether a connected UDP socket hears of a port without listener, as the kernel tells it. Default true. */
  icmp?: boolean;
  /** Bytes that a TCP sender may have sent and the reader at the other end has not taken. Default 256 KiB. */
  tcpReceiveBuffer?: number;
  /** Bytes accepted but not yet sent beyond which TCP write callbacks wait. Default 64 KiB. */
  tcpSendBuffer?: number;
  /** Largest payload of a TCP segment. Default 1,460. */
  tcpSegmentBytes?: number;
  /** Records every packet in `trace`. */
  trace?: boolean;
  /** First port that is given to sockets without one. Default 49,152. */
  firstEphemeralPort?: number;
}

/** What `openSockets` says of each socket. */
export interface OpenSocket {
  readonly kind: 'udp' | 'tcp' | 'tcp-server';
  readonly local: string;
  readonly remote: string | undefined;
}

/** @internal A socket as the network keeps count of it. */
export interface Registered {
  describe(): OpenSocket;
  /** Ends it at once, as when its host loses power. */
  destroy(): void;
  /** Whether it keeps the process alive. */
  readonly referenced: boolean;
}

/** @internal One transmission, before the link has decided anything. */
export interface Transmission {
  readonly protocol: Protocol;
  readonly kind: PacketKind;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly payload: Buffer;
  readonly attempt: number;
  /** On each arrival. `at` is where it arrives and `from` the sender as seen there. */
  arrive(host: VirtualHost | undefined, at: Endpoint, from: Endpoint, payload: Buffer): void;
  /** When it is lost. Called within `transmit`. */
  lose?(): void;
}

/** Lets bytes arrive after the link's delay and `delayMs` more. */
type Arrive = (delayMs: number, bytes: Buffer) => void;

interface Flow {
  readonly random: Random;
  index: number;
}

interface Draws {
  readonly lost: number;
  readonly jitter: number;
  readonly reordered: number;
  readonly hold: number;
  readonly duplicated: number;
  readonly duplicateJitter: number;
  readonly corrupted: number;
}

const NO_BYTES = Buffer.alloc(0);

export class VirtualNetwork {
  readonly clock: Clock;
  readonly random: Random;
  readonly icmp: boolean;
  readonly tcpReceiveBuffer: number;
  readonly tcpSendBuffer: number;
  readonly tcpSegmentBytes: number;
  readonly firstEphemeralPort: number;
  readonly counters: Readonly<Record<Protocol, ProtocolCounters>> = { udp: noCounts(), tcp: noCounts() };
  /** Decides the fate of single packets. May be set at any time. */
  filter: Filter | undefined;
  /** Packets that the filter holds, oldest first. */
  readonly held: HeldPacket[] = [];
  /** All packets so far if the option `trace` is set; assign an empty list to start anew, undefined to stop. */
  trace: TraceEntry[] | undefined;

  #defaults: LinkSettings;
  readonly #keepsProcessAlive: boolean;
  readonly #paths = new Map<string, Partial<LinkSettings>>();
  readonly #settings = new Map<string, LinkSettings>();
  readonly #busyUntil = new Map<string, number>();
  readonly #hosts = new Map<string, VirtualHost>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #flows = new Map<string, Flow>();
  readonly #routes = new Map<string, Endpoint>();
  readonly #translations = new Map<string, Endpoint>();
  readonly #unreachable = new Map<string, 'blackhole' | 'refuse'>();
  readonly #sockets = new Set<Registered>();
  readonly #underWay = new Set<Timer>();
  #nextConnection = 1;
  #keepAlive: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: VirtualNetworkOptions) {
    this.clock = options.clock;
    this.random = new Random(options.seed ?? 0);
    this.icmp = options.icmp ?? true;
    this.tcpReceiveBuffer = options.tcpReceiveBuffer ?? 262_144;
    this.tcpSendBuffer = options.tcpSendBuffer ?? 65_536;
    this.tcpSegmentBytes = options.tcpSegmentBytes ?? 1_460;
    this.firstEphemeralPort = options.firstEphemeralPort ?? 49_152;
    this.#defaults = { ...DEFAULT_LINK, ...options.link };
    this.#keepsProcessAlive = !(options.clock instanceof VirtualClock);
    if (options.trace) this.trace = [];
  }

  /** The host that has this address, made if there is none. Further addresses (of the other family, say) are added. */
  host(address: string, ...more: string[]): VirtualHost {
    const addresses = [address, ...more].map(normalizeAddress);
    const known = addresses.map((each) => this.#hosts.get(each)).find((host) => host !== undefined);
    const host = known ?? new VirtualHost(this);
    for (const each of addresses) {
      const owner = this.#hosts.get(each);
      if (owner === host) continue;
      if (owner !== undefined) throw new Error(`${each} belongs to another host`);
      host.addresses.push(each);
      this.#hosts.set(each, host);
    }
    return host;
  }

  /** Gives a name addresses, for connectTcp without an option `lookup`. */
  name(name: string, ...addresses: string[]): void {
    this.#names.set(name, addresses.map(normalizeAddress));
  }

  /** @internal */
  resolve(name: string): readonly string[] | undefined {
    return this.#names.get(name);
  }

  /** Changes settings of all paths, both directions. Those that `setPath` set for a direction keep precedence. */
  setLink(settings: Partial<LinkSettings>): void {
    this.#defaults = { ...this.#defaults, ...settings };
    this.#settings.clear();
  }

  /** Changes settings of one direction between two addresses. */
  setPath(from: string, to: string, settings: Partial<LinkSettings>): void {
    const path = pathKey(normalizeAddress(from), normalizeAddress(to));
    this.#paths.set(path, { ...this.#paths.get(path), ...settings });
    this.#settings.clear();
  }

  /** The settings that are in force from one address to another. */
  settings(from: string, to: string): Readonly<LinkSettings> {
    const path = pathKey(from, to);
    let settings = this.#settings.get(path);
    if (settings === undefined) {
      settings = { ...this.#defaults, ...this.#paths.get(path) };
      this.#settings.set(path, settings);
    }
    return settings;
  }

  /**
   * What is sent to `to` reaches `target` from now on; answers seem to come from `to`, as behind a load balancer. Both
   * are `addr:port`.
   */
  route(protocol: Protocol, to: string, target: string): void {
    const { address, port } = parseEndpoint(to);
    this.#routes.set(`${protocol} ${formatEndpoint(address, port)}`, parseEndpoint(target));
  }

  /** Ends a `route` for new packets. TCP connections that exist through it break, as when a balancer forgets them. */
  unroute(protocol: Protocol, to: string): void {
    const { address, port } = parseEndpoint(to);
    this.#routes.delete(`${protocol} ${formatEndpoint(address, port)}`);
  }

  /** Everything to this address, or `addr:port`, vanishes: SYNs go unanswered. */
  blackhole(to: string, protocol?: Protocol): void {
    this.#setReachability(to, protocol, 'blackhole');
  }

  /** Whatever is sent to this address, or `addr:port`, is refused (RST, ICMP) although something may listen there. */
  refuse(to: string, protocol?: Protocol): void {
    this.#setReachability(to, protocol, 'refuse');
  }

  /** Ends `blackhole` and `refuse`. */
  restore(to: string, protocol?: Protocol): void {
    this.#setReachability(to, protocol, undefined);
  }

  /** Sends a datagram from any address, an attacker's or that of a client behind a NAT that rebinds. */
  inject(datagram: { from: string; to: string; payload: Uint8Array }): void {
    this.transmitDatagram(parseEndpoint(datagram.from), parseEndpoint(datagram.to), Buffer.from(datagram.payload));
  }

  /** Packets (and window updates of TCP) that are under way. Held packets are not counted. */
  get inFlight(): number {
    return this.#underWay.size;
  }

  /** All sockets and servers that are not closed. */
  openSockets(): OpenSocket[] {
    return [...this.#sockets].map((socket) => socket.describe());
  }

  /** Destroys all sockets and forgets all packets. The network takes no more after that. */
  close(): void {
    this.#closed = true;
    for (const socket of [...this.#sockets]) socket.destroy();
    for (const host of new Set(this.#hosts.values())) host.powerOff();
    for (const timer of this.#underWay) timer.cancel();
    this.#underWay.clear();
    this.held.length = 0;
    this.#updateKeepAlive();
  }

  /** @internal */
  register(socket: Registered): void {
    this.#sockets.add(socket);
    this.#updateKeepAlive();
  }

  /** @internal Harmless when repeated. */
  unregister(socket: Registered): void {
    this.#sockets.delete(socket);
    this.#updateKeepAlive();
  }

  /** @internal After `ref` or `unref`. */
  referenceChanged(): void {
    this.#updateKeepAlive();
  }

  /** @internal A number that no other connection has, in place of initial sequence numbers. */
  newConnectionId(): number {
    return this.#nextConnection++;
  }

  /** @internal A timer that counts as a packet under way. */
  schedule(delayMs: number, callback: () => void): void {
    if (this.#closed) return;
    const timer = this.clock.after(delayMs, () => {
      this.#underWay.delete(timer);
      callback();
      this.#updateKeepAlive();
    });
    this.#underWay.add(timer);
    this.#updateKeepAlive();
  }

  /** @internal One way there and back, without jitter. */
  roundTripMs(from: string, to: string): number {
    return this.settings(from, to).delayMs + this.settings(to, from).delayMs;
  }

  /** @internal A datagram; the host where it arrives hands it to a socket or has the sender told. */
  transmitDatagram(local: Endpoint, remote: Endpoint, payload: Buffer): void {
    this.transmit({
      protocol: 'udp',
      kind: 'datagram',
      local,
      remote,
      payload,
      attempt: 0,
      arrive: (host, at, from, bytes) => {
        if (host?.receiveDatagram(at, from, bytes)) return;
        this.counters.udp.unclaimed++;
        if (host === undefined || !this.icmp || this.settings(remote.address, local.address).udp === 'drop') return;
        const delay = this.settings(remote.address, local.address).delayMs;
        this.schedule(delay, () => this.#hosts.get(local.address)?.receivePortUnreachable(local, remote));
      },
    });
  }

  /** @internal Sends a packet through translation, filter and link. */
  transmit(transmission: Transmission): void {
    if (this.#closed) return;
    const { protocol, kind, remote, payload, attempt } = transmission;
    const from = this.#sourceOf(transmission);
    const at = this.#destinationOf(transmission, from);
    const fromKey = formatEndpoint(from.address, from.port);
    const toKey = formatEndpoint(remote.address, remote.port);
    const flow = this.#flow(`${protocol} ${fromKey} ${toKey}`);
    const packet: Packet = {
      protocol,
      kind,
      from: fromKey,
      to: toKey,
      index: flow.index++,
      attempt,
      bytes: payload.length,
      payload,
    };
    const settings = this.settings(from.address, remote.address);
    const counters = this.counters[protocol];
    counters.sent++;
    counters.bytesSent += payload.length;

    const base = settings.delayMs + this.#queueingMs(packet, from.address, remote.address, settings);
    const arrive: Arrive = (delayMs, bytes) => {
      this.schedule(base + delayMs, () => this.#arrive(transmission, packet, at, from, bytes));
    };
    const fate = this.#decide(packet, remote, settings, flow.random, arrive, transmission.lose);
    this.#record('sent', packet, fate);
    if (fate === 'pass' || fate === 'held') return;
    counters[fate]++;
    transmission.lose?.();
  }

  /** Lets a packet arrive, once or more often, unless its fate is another. */
  #decide(
    packet: Packet,
    to: Endpoint,
    settings: LinkSettings,
    random: Random,
    arrive: Arrive,
    lose: (() => void) | undefined,
  ): Fate {
    const draws = draw(random);
    const { protocol, payload } = packet;
    if (this.#isBlocked(protocol, to, settings)) return 'blocked';
    const verdict = this.filter?.(packet) ?? 'pass';
    if (verdict === 'drop') return 'filtered';
    if (verdict === 'hold') {
      this.#hold(packet, () => arrive(0, payload), lose);
      return 'held';
    }
    if (verdict !== 'pass') {
      applyVerdict(verdict, packet, arrive);
      return 'pass';
    }
    if (draws.lost < (protocol === 'tcp' ? (settings.tcpLoss ?? settings.loss) : settings.loss)) return 'lost';
    if (protocol === 'tcp') arrive(draws.jitter * settings.jitterMs, payload);
    else this.#impair(packet, settings, draws, random, arrive);
    return 'pass';
  }

  /** What the link's settings do to a datagram that is not lost. */
  #impair(packet: Packet, settings: LinkSettings, draws: Draws, random: Random, arrive: Arrive): void {
    const counters = this.counters.udp;
    let delay = draws.jitter * settings.jitterMs;
    if (draws.reordered < settings.reorder) {
      counters.reordered++;
      delay += (0.1 + 0.9 * draws.hold) * settings.reorderMs;
    }
    let bytes = packet.payload;
    if (draws.corrupted < settings.corrupt && bytes.length > 0) {
      counters.corrupted++;
      bytes = flipBits(bytes, random);
    }
    arrive(delay, bytes);
    if (draws.duplicated < settings.duplicate) {
      counters.duplicated++;
      arrive(draws.duplicateJitter * settings.jitterMs, packet.payload);
    }
  }

  #arrive(transmission: Transmission, packet: Packet, at: Endpoint, from: Endpoint, bytes: Buffer): void {
    const counters = this.counters[packet.protocol];
    counters.arrived++;
    counters.bytesArrived += bytes.length;
    this.#record('arrived', packet, 'pass');
    const host = this.#hosts.get(at.address);
    // A copy for each arrival, for the reader may write into it.
    transmission.arrive(host, at, from, bytes.length === 0 ? NO_BYTES : Buffer.from(bytes));
  }

  #hold(packet: Packet, release: () => void, lose: (() => void) | undefined): void {
    const take = () => {
      const place = this.held.indexOf(held);
      if (place >= 0) this.held.splice(place, 1);
      return place >= 0;
    };
    const held: HeldPacket = {
      ...packet,
      release: () => {
        if (take()) release();
      },
      drop: () => {
        if (take()) lose?.();
      },
    };
    this.held.push(held);
  }

  /** The sender as others see it: behind a `route`, the address that was asked for. */
  #sourceOf({ protocol, local, remote }: Transmission): Endpoint {
    if (this.#translations.size === 0) return local;
    return this.#translations.get(translationKey(protocol, local, remote)) ?? local;
  }

  /** Where a packet really goes, remembered for the way back. */
  #destinationOf({ protocol, remote }: Transmission, from: Endpoint): Endpoint {
    if (this.#routes.size === 0) return remote;
    const target = this.#routes.get(`${protocol} ${formatEndpoint(remote.address, remote.port)}`);
    if (target === undefined) return remote;
    remember(this.#translations, translationKey(protocol, target, from), remote);
    return target;
  }

  #flow(key: string): Flow {
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = { random: this.random.fork(key), index: 0 };
      remember(this.#flows, key, flow);
    }
    return flow;
  }

  /** How long a packet waits for those before it on a link of limited rate, and for itself. */
  #queueingMs(packet: Packet, from: string, to: string, { rateKbit }: LinkSettings): number {
    if (rateKbit === undefined) return 0;
    const now = this.clock.now();
    const path = pathKey(from, to);
    const start = Math.max(now, this.#busyUntil.get(path) ?? now);
    const end = start + ((packet.bytes + HEADER_BYTES[packet.protocol]) * 8) / rateKbit;
    this.#busyUntil.set(path, end);
    return end - now;
  }

  #isBlocked(protocol: Protocol, to: Endpoint, settings: LinkSettings): boolean {
    if (protocol === 'udp' && settings.udp === 'drop') return true;
    return this.reachability(protocol, to) === 'blackhole';
  }

  /** @internal */
  reachability(protocol: Protocol, to: Endpoint): 'blackhole' | 'refuse' | undefined {
    if (this.#unreachable.size === 0) return undefined;
    return (
      this.#unreachable.get(`${protocol} ${formatEndpoint(to.address, to.port)}`) ??
      this.#unreachable.get(`${protocol} ${to.address}`)
    );
  }

  #setReachability(to: string, protocol: Protocol | undefined, state: 'blackhole' | 'refuse' | undefined): void {
    for (const each of protocol === undefined ? (['udp', 'tcp'] as const) : [protocol]) {
      const key = `${each} ${addressOrEndpoint(to)}`;
      if (state === undefined) this.#unreachable.delete(key);
      else this.#unreachable.set(key, state);
    }
  }

  #record(event: 'sent' | 'arrived', packet: Packet, fate: Fate): void {
    if (this.trace === undefined) return;
    const { protocol, kind, from, to, index, attempt, bytes } = packet;
    this.trace.push({ timeMs: this.clock.now(), event, protocol, kind, from, to, index, attempt, bytes, fate });
  }

  /**
   * In real time the clock's timers do not hold the process, for sockets do; here the network stands in for the kernel's
   * sockets. In virtual time the driver's immediates do.
   */
  #updateKeepAlive(): void {
    if (!this.#keepsProcessAlive) return;
    if (this.#underWay.size > 0 || isAnyReferenced(this.#sockets)) {
      this.#keepAlive ??= setInterval(() => {}, KEEP_ALIVE_INTERVAL_MS);
    } else {
      clearInterval(this.#keepAlive);
      this.#keepAlive = undefined;
    }
  }
}

function isAnyReferenced(sockets: Iterable<Registered>): boolean {
  for (const socket of sockets) if (socket.referenced) return true;
  return false;
}

function applyVerdict(verdict: Exclude<Verdict, 'pass' | 'drop' | 'hold'>, packet: Packet, arrive: Arrive): void {
  if (typeof verdict === 'string') {
    arrive(0, packet.payload);
    if (verdict === 'duplicate') arrive(0, packet.payload);
    return;
  }
  if (verdict.payload !== undefined && packet.protocol === 'tcp') throw new Error('TCP segments cannot be changed');
  const bytes = verdict.payload === undefined ? packet.payload : Buffer.from(verdict.payload);
  for (let copy = 0; copy < (verdict.copies ?? 1); copy++) arrive(verdict.delayMs ?? 0, bytes);
}

/** Always the same number of draws, so that a setting does not shift what happens to later packets. */
function draw(random: Random): Draws {
  return {
    lost: random.next(),
    jitter: random.next(),
    reordered: random.next(),
    hold: random.next(),
    duplicated: random.next(),
    duplicateJitter: random.next(),
    corrupted: random.next(),
  };
}

function flipBits(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let flips = 1 + random.int(4); flips > 0; flips--) {
    const at = random.int(copy.length);
    copy[at] = (copy[at] as number) ^ (1 << random.int(8));
  }
  // Flips of the same bit may cancel each other: a corrupted datagram is always another one.
  if (copy.equals(bytes)) copy[0] = (copy[0] as number) ^ 1;
  return copy;
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  if (map.size >= MAXIMUM_FLOWS) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(key, value);
}

function pathKey(from: string, to: string): string {
  return `${from} ${to}`;
}

function translationKey(protocol: Protocol, server: Endpoint, client: Endpoint): string {
  return `${protocol} ${formatEndpoint(server.address, server.port)} ${formatEndpoint(client.address, client.port)}`;
}

function addressOrEndpoint(text: string): string {
  try {
    return normalizeAddress(text);
  } catch {
    const { address, port } = parseEndpoint(text);
    return formatEndpoint(address, port);
  }
}
