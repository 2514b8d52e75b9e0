/**
 * A gateway on a free port of 127.0.0.1, with what it reports, and plans for it.
 *
 *     const rig = await startGateway([passthrough('pg', { targets: [server], transport: 'postgres' })]);
 *     …
 *     expect(await rig.ended(1)).to.have.length(1);
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../src/gateway/config/defaults.js';
import { Gateway, type GatewayEvent, type GatewayOptions } from '../../src/gateway/index.js';
import type {
  BackendPlan,
  GatewayLimits,
  GatewayPlan,
  RouteLimits,
  RouteMatch,
  RoutePlan,
  TerminateMode,
} from '../../src/gateway/plan.js';
import type { HostAddress } from '../../src/transport.js';
import type { Certificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';

type Of<T extends GatewayEvent['type']> = Extract<GatewayEvent, { type: T }>;

export interface RouteChanges {
  match?: Partial<RouteMatch>;
  backend?: Partial<Omit<BackendPlan, 'targets'>>;
  limits?: Partial<RouteLimits>;
}

export interface PlanChanges {
  listen?: readonly HostAddress[];
  proxyProtocolFrom?: BlockList;
  limits?: Partial<GatewayLimits>;
}

const LOOPBACK = { host: '127.0.0.1', port: 0 };

export function passthrough(name: string, targets: readonly HostAddress[], changes: RouteChanges = {}): RoutePlan {
  return { ...route(name, targets, changes), mode: { kind: 'passthrough' } };
}

export function terminate(
  name: string,
  targets: readonly HostAddress[],
  { mode, ...changes }: RouteChanges & { mode: Partial<TerminateMode> & Pick<TerminateMode, 'certificates'> },
): RoutePlan {
  const defaults = { clientCertificate: { mode: 'none' }, alpn: [], minVersion: 'TLSv1.2' } as const;
  return { ...route(name, targets, changes), mode: { kind: 'terminate', ...defaults, ...mode } };
}

function route(name: string, targets: readonly HostAddress[], { match, backend, limits }: RouteChanges) {
  return {
    name,
    match: { serverNames: [], alpn: [], protocols: [], ...match },
    backend: {
      targets: targets.map(({ host, port }) => ({ host, port })),
      balance: 'round-robin' as const,
      transport: 'plain' as const,
      tls: undefined,
      proxyProtocol: false,
      connectTimeoutMs: 5_000,
      health: undefined,
      ...backend,
    },
    limits: { connections: 10_000, connectionsPerSource: 10_000, ...limits },
  };
}

export function planOf(routes: readonly RoutePlan[], changes: PlanChanges = {}): GatewayPlan {
  const { listen = [LOOPBACK], proxyProtocolFrom = new BlockList(), limits } = changes;
  return {
    listen,
    proxyProtocolFrom,
    routes,
    admin: undefined,
    log: { level: 'info', format: 'json' },
    limits: { ...DEFAULT_LIMITS, ...limits },
    workers: undefined,
  };
}

export class GatewayRig {
  readonly gateway: Gateway;
  readonly events: GatewayEvent[] = [];
  readonly host = '127.0.0.1';
  port = 0;

  constructor(plan: GatewayPlan, options: GatewayOptions = {}) {
    this.gateway = new Gateway(plan, { ...options, onEvent: (event) => this.events.push(event) });
  }

  of<T extends GatewayEvent['type']>(type: T): Of<T>[] {
    return this.events.filter((event): event is Of<T> => event.type === type);
  }

  /** Resolves when so many connections have ended. */
  ended(count: number): Promise<Of<'connection-end'>[]> {
    return this.#first('connection-end', count);
  }

  refused(count: number): Promise<Of<'refused'>[]> {
    return this.#first('refused', count);
  }

  async #first<T extends GatewayEvent['type']>(type: T, count: number): Promise<Of<T>[]> {
    await until(() => this.of(type).length >= count);
    return this.of(type);
  }
}

const rigs = new Set<GatewayRig>();
const folders = new Set<string>();

export async function startGateway(
  routes: readonly RoutePlan[],
  changes: PlanChanges = {},
  options: GatewayOptions = {},
): Promise<GatewayRig> {
  const rig = new GatewayRig(planOf(routes, changes), options);
  rigs.add(rig);
  const [address] = await rig.gateway.start();
  rig.port = address?.port ?? 0;
  return rig;
}

/** For `afterEach`: all gateways, and all files. */
export async function closeGateways(): Promise<void> {
  await Promise.all([...rigs].map(({ gateway }) => gateway.close()));
  rigs.clear();
  await Promise.all([...folders].map((folder) => rm(folder, { recursive: true })));
  folders.clear();
}

/** Where a certificate's files are. */
export function filesOf({ cert, key, ca }: Certificate): { cert: string; key: string; ca: string } {
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-gateway-'));
  folders.add(folder);
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.ca, ca);
  return files;
}
