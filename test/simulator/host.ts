/** A host: addresses, ports, and what arrives at them. */
import type { SocketOptions } from 'node:dgram';
import type { ServerOpts, TcpNetConnectOpts } from 'node:net';
import type { Network } from '../../src/platform/network.js';
import { type Endpoint, familyOf, formatEndpoint, normalizeAddress } from './address.js';
import { systemError } from './errors.js';
import type { VirtualNetwork } from './network.js';
import { VirtualTcpServer, VirtualTcpSocket } from './tcp.js';
import { refuseSegment, type Segment, TcpEndpoint } from './tcp-endpoint.js';
import { VirtualUdpSocket } from './udp.js';

const WILDCARD_V4 = '0.0.0.0';
const WILDCARD_V6 = '::';
const LAST_PORT = 65_535;
/** Ended connections that a host remembers. */
const MAXIMUM_ENDED = 16_384;

/** Something that takes connections, until `unbind`. */
export interface TcpListener {
  /** A connection whose handshake is complete. */
  accept(endpoint: TcpEndpoint): void;
}

/** Who holds which port of one protocol. */
class PortTable<T> {
  readonly #holders = new Map<string, T>();
  readonly #first: number;
  #next: number;

  constructor(firstEphemeral: number) {
    this.#first = firstEphemeral;
    this.#next = firstEphemeral;
  }

  bind(address: string, port: number, holder: T): void {
    if (this.#isTaken(address, port)) throw systemError('EADDRINUSE', 'bind', { address, port });
    this.#holders.set(formatEndpoint(address, port), holder);
  }

  unbind(address: string, port: number): void {
    this.#holders.delete(formatEndpoint(address, port));
  }

  /** Who hears what comes to this address: the socket of that very address before one of all addresses. */
  find(address: string, port: number): T | undefined {
    return (
      this.#holders.get(formatEndpoint(address, port)) ??
      (familyOf(address) === 'IPv4' ? this.#holders.get(formatEndpoint(WILDCARD_V4, port)) : undefined) ??
      this.#holders.get(formatEndpoint(WILDCARD_V6, port))
    );
  }

  /** A free port, in turn so that one just given back is not given out again at once. */
  free(address: string): number {
    for (let tries = this.#first; tries <= LAST_PORT; tries++) {
      const port = this.#next;
      this.#next = port === LAST_PORT ? this.#first : port + 1;
      if (!this.#isTaken(address, port)) return port;
    }
    throw systemError('EADDRNOTAVAIL', 'bind', { address, port: 0 });
  }

  #isTaken(address: string, port: number): boolean {
    const wildcard = familyOf(address) === 'IPv4' ? WILDCARD_V4 : WILDCARD_V6;
    return this.#holders.has(formatEndpoint(address, port)) || this.#holders.has(formatEndpoint(wildcard, port));
  }
}

export class VirtualHost implements Network {
  readonly addresses: string[] = [];
  readonly #net: VirtualNetwork;
  readonly #udp: PortTable<VirtualUdpSocket>;
  readonly #tcp: PortTable<TcpListener | 'outgoing'>;
  readonly #endpoints = new Map<string, TcpEndpoint>();
  /** Connections that ended well, whose late duplicates are not answered with RST. */
  readonly #ended = new Set<number>();

  /** Use `net.host(address)`. */
  constructor(net: VirtualNetwork) {
    this.#net = net;
    this.#udp = new PortTable(net.firstEphemeralPort);
    this.#tcp = new PortTable(net.firstEphemeralPort);
  }

  connectTcp(options: TcpNetConnectOpts): VirtualTcpSocket {
    return new VirtualTcpSocket(this.#net, options).dial(this, options);
  }

  createTcpServer(options: ServerOpts = {}): VirtualTcpServer {
    return new VirtualTcpServer(this.#net, this, options);
  }

  createUdpSocket(options: SocketOptions): VirtualUdpSocket {
    return new VirtualUdpSocket(this.#net, this, options);
  }

  /** @internal The address for packets to `remote`. */
  addressFor(remote: string, syscall: string): string {
    const address = this.addresses.find((own) => familyOf(own) === familyOf(remote));
    if (address === undefined) throw systemError('ENETUNREACH', syscall);
    return address;
  }

  /** @internal An address to bind to: one of its own, or a wildcard. */
  ownAddress(address: string): string {
    const normal = normalizeAddress(address);
    if (normal === WILDCARD_V4 || normal === WILDCARD_V6 || this.addresses.includes(normal)) return normal;
    throw systemError('EADDRNOTAVAIL', 'bind', { address, port: 0 });
  }

  /** @internal Wildcard of TCP servers that were given no address. */
  get anyAddress(): string {
    return this.addresses.some((own) => familyOf(own) === 'IPv6') ? WILDCARD_V6 : WILDCARD_V4;
  }

  /** @internal Returns the port. */
  bindUdp(address: string, port: number, socket: VirtualUdpSocket): number {
    const chosen = port || this.#udp.free(address);
    this.#udp.bind(address, chosen, socket);
    return chosen;
  }

  /** @internal */
  unbindUdp(address: string, port: number): void {
    this.#udp.unbind(address, port);
  }

  /** @internal Returns the port. */
  bindTcp(address: string, port: number, listener: TcpListener): number {
    const chosen = port || this.#tcp.free(address);
    this.#tcp.bind(address, chosen, listener);
    return chosen;
  }

  /** @internal */
  unbindTcp(address: string, port: number): void {
    this.#tcp.unbind(address, port);
  }

  /** @internal The local end of a connection that this host opens; its port is free again when the endpoint is dead. */
  localEndpoint(remote: Endpoint, address?: string, port?: number): Endpoint {
    const own = address === undefined ? this.addressFor(remote.address, 'connect') : this.ownAddress(address);
    const chosen = port || this.#tcp.free(own);
    this.#tcp.bind(own, chosen, 'outgoing');
    return { address: own, port: chosen };
  }

  /** @internal */
  addEndpoint(endpoint: TcpEndpoint): void {
    this.#endpoints.set(endpointKey(endpoint.local, endpoint.remote), endpoint);
  }

  /** @internal */
  removeEndpoint(endpoint: TcpEndpoint): void {
    const key = endpointKey(endpoint.local, endpoint.remote);
    if (this.#endpoints.get(key) === endpoint) this.#endpoints.delete(key);
    if (endpoint.isOutgoing) this.#tcp.unbind(endpoint.local.address, endpoint.local.port);
  }

  /** @internal */
  rememberEnded(connection: number): void {
    this.#ended.add(connection);
    if (this.#ended.size > MAXIMUM_ENDED) this.#ended.delete(this.#ended.values().next().value as number);
  }

  /** @internal Whether a socket took it. */
  receiveDatagram(at: Endpoint, from: Endpoint, message: Buffer): boolean {
    if (this.#net.reachability('udp', at) === 'refuse') return false;
    return this.#udp.find(at.address, at.port)?.receive(from, message) ?? false;
  }

  /** @internal What ICMP says of a datagram that this host sent. */
  receivePortUnreachable(local: Endpoint, remote: Endpoint): void {
    this.#udp.find(local.address, local.port)?.receivePortUnreachable(remote);
  }

  /** @internal */
  receiveSegment(at: Endpoint, from: Endpoint, segment: Segment): void {
    const known = this.#endpoints.get(endpointKey(at, from));
    if (known?.connection === segment.connection) {
      known.receive(segment);
      return;
    }
    const listener = this.#tcp.find(at.address, at.port);
    const listens = listener !== undefined && listener !== 'outgoing' && this.#net.reachability('tcp', at) !== 'refuse';
    if (this.#ended.has(segment.connection)) return;
    if (segment.kind !== 'syn' || !listens) {
      this.#net.counters.tcp.unclaimed++;
      if (segment.kind !== 'rst') refuseSegment(this.#net, at, from, segment);
      return;
    }
    // The client took the same port for a new connection: the old one is over, whatever this end thinks.
    known?.receive({ ...segment, kind: 'rst', connection: known.connection });
    TcpEndpoint.answer(this.#net, this, at, from, segment.connection);
  }

  /** @internal Who takes connections at an address now. */
  listenerAt(local: Endpoint): TcpListener | undefined {
    const listener = this.#tcp.find(local.address, local.port);
    return listener === 'outgoing' ? undefined : listener;
  }

  /** @internal Everything is gone at once, and nobody is told. */
  powerOff(): void {
    for (const endpoint of [...this.#endpoints.values()]) endpoint.vanish();
  }
}

function endpointKey(local: Endpoint, remote: Endpoint): string {
  return `${formatEndpoint(local.address, local.port)} ${formatEndpoint(remote.address, remote.port)}`;
}
