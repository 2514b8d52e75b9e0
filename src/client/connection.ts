/** What a client stream is asked for, and what it tells of itself. */
import type { TcpNetConnectOpts } from 'node:net';
import type { Observable } from 'rxjs';
import type { turbotls } from '#proto/turbotls.js';
import type { Limits } from '../limits.js';
import type { Clock } from '../platform/clock.js';
import type { Network } from '../platform/network.js';
import type { FirstContact, PathMemory } from './path-memory.js';

type HandshakeState = turbotls.v1.HandshakeState;

export interface ClientIOOptions {
  /** As for net.connect; `host` may be a name. */
  tcp: TcpNetConnectOpts;
  /** Whether nothing is dialled before `start`. Default false. */
  deferred?: boolean | undefined;
  /** When TLS gets the server's bytes from UDP on a path that is not known. Default 'fast'. */
  firstContact?: FirstContact | undefined;
  /** Fail rather than run over TCP alone. Default false. */
  require?: boolean | undefined;
  /** Default: one memory for the process. */
  memory?: PathMemory | undefined;
  limits?: Partial<Limits> | undefined;
  network?: Network | undefined;
  clock?: Clock | undefined;
}

/** When each thing happened, in ms since the IO was made; undefined: it has not. */
export interface Timeline {
  udpSent?: number;
  udpAnswered?: number;
  tcpConnected?: number;
  /** The tombstone, or the first bytes of plain TLS, was written. */
  carrierChosen?: number;
  /** The server's Reply came. */
  replied?: number;
}

/** How a connection came to be. */
export interface TurboInfo {
  /** The states of this end (proto: HandshakeState), the present one first. */
  readonly state$: Observable<HandshakeState>;
  readonly state: HandshakeState;
  /** What carried the first flights; undefined until it is decided. */
  readonly carrier: 'udp' | 'tcp' | undefined;
  /** When each thing happened, ms since `connect`. */
  readonly timeline: Readonly<Timeline>;
}
