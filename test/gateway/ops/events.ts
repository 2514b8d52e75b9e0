/** Values of tests: events of a gateway and readings of its state. */
import type { GatewayEvent } from '../../../src/gateway/events.js';
import type { GatewayState } from '../../../src/gateway/gateway.js';
import type { PoolEvent } from '../../../src/workers/index.js';

export type EventOf<Type extends GatewayEvent['type']> = Extract<GatewayEvent, { type: Type }>;

const routed = {
  id: 7,
  route: 'orders',
  mode: 'passthrough',
  carrier: 'turbo',
  protocol: 'postgresql',
  serverName: 'orders.example.com',
  alpn: 'postgresql',
  client: { address: '192.0.2.1', port: 5543 },
} as const;

export const connectionStart: EventOf<'connection-start'> = { type: 'connection-start', ...routed };

export function connectionEnd(changes: Partial<EventOf<'connection-end'>> = {}): EventOf<'connection-end'> {
  return {
    type: 'connection-end',
    ...routed,
    target: { host: 'fd00::5', port: 5432 },
    timings: { helloMs: 1.26, handshakeMs: undefined, backendMs: 2, firstByteMs: 12.04, totalMs: 1234.5678 },
    up: 100,
    down: 2_000_000_000_000,
    reason: 'client',
    error: undefined,
    ...changes,
  };
}

export function refused(changes: Partial<EventOf<'refused'>> = {}): EventOf<'refused'> {
  return {
    type: 'refused',
    reason: 'no-route',
    carrier: 'tcp',
    client: { address: '2001:db8::1', port: 1 },
    route: undefined,
    serverName: 'nobody.example.com',
    error: undefined,
    ...changes,
  };
}

const listen = { host: '::', port: 443 };
const target = { host: '10.0.0.5', port: 5432 };

/** One of each type, and of each type of the engine's. */
export const oneOfEach: readonly GatewayEvent[] = [
  { type: 'listening', address: listen },
  { type: 'unlistening', address: listen },
  connectionStart,
  connectionEnd(),
  refused(),
  { type: 'cancel', encrypted: true, known: false, reached: 2, client: { address: '192.0.2.1', port: 2 } },
  { type: 'backend', route: 'orders', target, healthy: false, error: new Error('refused') },
  { type: 'backend', route: 'orders', target, healthy: true, error: undefined },
  { type: 'reload', routes: 3, added: [listen], removed: [] },
  { type: 'key-lost', error: new Error('the key process has ended') },
  { type: 'drain', connections: 12, deadlineMs: 30_000 },
  {
    type: 'certificate',
    route: 'orders',
    file: '/etc/a.pem',
    expiresAt: Date.UTC(2030, 0),
    warnings: [],
    error: undefined,
  },
  { type: 'engine', listen, event: { type: 'session', connectionId: Buffer.alloc(16) } },
  { type: 'engine', listen, event: { type: 'dropped', reason: 'unknown-session' } },
  { type: 'engine', listen, event: { type: 'bound', connectionId: Buffer.alloc(16), waitedMs: 50 } },
  { type: 'engine', listen, event: { type: 'rejected', reason: 'claimed' } },
  { type: 'engine', listen, event: { type: 'expired', connectionId: Buffer.alloc(16) } },
  { type: 'engine', listen, event: { type: 'plain' } },
  { type: 'engine', listen, event: { type: 'udp-error', error: new Error('ENOBUFS') } },
  { type: 'engine', listen, event: { type: 'tcp-error', error: new Error('EMFILE') } },
];

const worker = { pid: 4711 };
const address = { address: '::', family: 'IPv6', port: 443 };

/** What front and pool report, in the life of a worker that dies. */
export const oneOfEachOfPool: readonly PoolEvent[] = [
  { type: 'listening', address },
  { type: 'started', worker },
  { type: 'serving', worker },
  { type: 'shed', reason: 'lagging' },
  { type: 'shed', reason: 'malformed' },
  { type: 'refused', reason: 'timeout', error: undefined },
  { type: 'udp-error', error: new Error('ENOBUFS') },
  { type: 'tcp-error', error: new Error('EMFILE') },
  { type: 'unresponsive', worker },
  { type: 'lost', worker, connections: 12, sessions: 3 },
  { type: 'ended', worker, wanted: false, code: null, signal: 'SIGKILL' },
  { type: 'replacing', delayMs: 50 },
  { type: 'started', worker: { pid: 4712 } },
  { type: 'ended', worker: { pid: 4712 }, wanted: true, code: 0, signal: null },
  { type: 'unlistening', address },
];

export function stateOf(changes: Partial<GatewayState> = {}): GatewayState {
  const up = { address: target, healthy: true, connections: 3, lastError: undefined };
  return {
    phase: 'running',
    listening: [listen],
    connections: 3,
    routes: [{ name: 'orders', connections: 3, targets: [up, { ...up, healthy: false }] }],
    keyError: undefined,
    engine: { halfOpen: { sessions: 4, bytes: 5000 }, unrouted: 6, drops: new Map() },
    ...changes,
  };
}
