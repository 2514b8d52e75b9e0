/** What holds where the file says nothing. docs/gateway-config.md has the same figures; a test compares them. */
import type { GatewayLimits, LogPlan, TerminateMode } from '../plan.js';

const KiB = 1024;
const SECOND = 1000;

export const DEFAULT_LIMITS: Readonly<GatewayLimits> = {
  /** Two descriptors each: 20,000, which the systemd unit allows for. */
  connections: 10_000,
  routeTimeoutMs: 10 * SECOND,
  handshakeTimeoutMs: 10 * SECOND,
  /** One of today is 2 KiB with a post-quantum key share. */
  clientHelloBytes: 16 * KiB,
  /** Never: a pool's connections are silent for hours. TCP's keep-alive finds the dead ones. */
  idleTimeoutMs: 0,
  /** What Kubernetes waits between SIGTERM and SIGKILL, unless told otherwise. */
  drainTimeoutMs: 30 * SECOND,
};

/** Of one source in one route. In all, a route has what the gateway has. */
export const DEFAULT_CONNECTIONS_PER_SOURCE = 1_000;

export const DEFAULT_CONNECT_TIMEOUT_MS = 5 * SECOND;

export const DEFAULT_HEALTH = { intervalMs: 5 * SECOND, timeoutMs: 2 * SECOND } as const;

export const DEFAULT_LOG_LEVEL: LogPlan['level'] = 'info';

export const DEFAULT_MIN_VERSION: TerminateMode['minVersion'] = 'TLSv1.2';

/** Where an address of `listen` that is a port alone listens: every interface, IPv6 and IPv4. */
export const ANY_HOST = '::';

/** Where `admin` that is a port alone listens. */
export const ADMIN_HOST = '127.0.0.1';
