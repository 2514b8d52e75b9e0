/**
 * What a client of the end-to-end tests goes through, from left to right, and the servers on the right:
 *
 *     client ─► LocalProxy ══ UDP open or blocked ══► Gateway ─┬─► PostgreSQL 18
 *                                                              ├─► redis-server
 *                                                              └─► nginx
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PathMemory } from '../../src/experimental.js';
import type { OriginateMode } from '../../src/gateway/local-proxy.js';
import type { RoutePlan } from '../../src/gateway/plan.js';
import type { RemoteOptions } from '../../src/gateway/proxy/remote.js';
import { filesOf, type GatewayRig, passthrough, startGateway, terminate } from '../gateway/gateway-rig.js';
import { type ProxyRig, startProxy } from '../gateway/proxy-rig.js';
import {
  type NginxServer,
  type PostgresServer,
  type RedisServer,
  requirePart,
  startNginx,
  startPostgres,
  startRedis,
} from '../servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.js';
import { LossyNetwork } from '../support/lossy-network.js';

export const NAMES = { postgres: 'pg.test', redis: 'redis.test', web: 'www.test' } as const;
export const ALICE = { name: 'alice', password: 'secret' } as const;
export const REDIS_PASSWORD = 'secret';

export type Mode = 'passthrough' | 'terminate';
export type Udp = 'open' | 'blocked';

export interface Servers {
  postgres: PostgresServer;
  redis: RedisServer;
  nginx: NginxServer;
  stop(): Promise<void>;
}

/** PostgreSQL 15 for its programs, 17 for its libpq. */
const PARTS = ['postgresql-15', 'postgresql-17', 'postgresql-18', 'redis-server', 'nginx'] as const;

/** Servers with TLS, and ports without. `files` are nginx's. */
export async function startServers(context: Mocha.Context, files: Readonly<Record<string, string>>): Promise<Servers> {
  for (const part of PARTS) requirePart(context, part);
  const tls = await serversCertificate();
  const [postgres, redis, nginx] = await Promise.all([
    startPostgres({ version: 18, tls, users: [ALICE], settings: { max_connections: '100', max_wal_size: '256MB' } }),
    startRedis({ password: REDIS_PASSWORD, tls }),
    startNginx({ tls, files }),
  ]);
  const stop = async () => {
    await Promise.all([postgres, redis, nginx].map((server) => server.stop()));
  };
  return { postgres, redis, nginx, stop };
}

/** What the servers themselves show. */
export function serversCertificate(): Promise<Certificate> {
  return makeCertificate({ names: Object.values(NAMES) });
}

/** What a gateway shows that ends TLS: of another authority, so that it is certain who ends it. */
export async function gatewayCertificate(): Promise<Certificate> {
  const authority = await makeAuthority({ name: 'Gateway Authority' });
  return makeCertificate({ names: Object.values(NAMES), authority });
}

export interface Line {
  gateway: GatewayRig;
  proxy: ProxyRig;
  /** Makes TLS itself, to Redis. */
  originating: ProxyRig;
  certificate: Certificate;
  /** File of the authority that clients trust. */
  ca: string;
  /** How clients that speak TurboTLS themselves reach the gateway. */
  turbo: Omit<RemoteOptions, 'firstContact'>;
  remove(): Promise<void>;
}

/** `closeRigs` and `closeGateways` end it. */
export async function startLine(servers: Servers, mode: Mode, udp: Udp): Promise<Line> {
  const certificate = await (mode === 'passthrough' ? serversCertificate() : gatewayCertificate());
  const folder = await mkdtemp(join(tmpdir(), 'turbotls-line-'));
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, certificate.ca);
  const gateway = await startGateway(mode === 'passthrough' ? passing(servers) : ending(servers, certificate));
  const to = { host: gateway.host, port: gateway.port };
  const turbo = () => turboOver(udp);
  const originate: OriginateMode = {
    kind: 'originate',
    serverName: NAMES.redis,
    ca: certificate.ca,
    verify: true,
  };
  return {
    gateway,
    proxy: await startProxy({ to }, turbo()),
    originating: await startProxy({ to, mode: originate }, turbo()),
    certificate,
    ca,
    turbo: turbo(),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** A busy machine must not count as a path without UDP. */
function turboOver(udp: Udp): Line['turbo'] {
  const memory = new PathMemory();
  if (udp === 'open') return { memory, limits: { graceMinMs: 1_000 } };
  return { memory, limits: {}, network: new LossyNetwork({ loss: 1, seed: 1 }) };
}

function passing({ postgres, redis, nginx }: Servers): RoutePlan[] {
  return [
    passthrough('postgres', [postgres], {
      match: { serverNames: [NAMES.postgres], protocols: ['postgresql'] },
      backend: { transport: 'postgres' },
    }),
    passthrough('redis', [{ host: redis.host, port: redis.tlsPort }], { match: { serverNames: [NAMES.redis] } }),
    passthrough('web', [{ host: nginx.host, port: nginx.tlsPort }], {
      match: { serverNames: [NAMES.web], alpn: ['h2', 'http/1.1'] },
    }),
  ];
}

function ending({ postgres, redis, nginx }: Servers, certificate: Certificate): RoutePlan[] {
  const mode = { certificates: [filesOf(certificate)] };
  return [
    terminate('postgres', [postgres], {
      mode: { ...mode, alpn: ['postgresql'] },
      match: { serverNames: [NAMES.postgres], protocols: ['postgresql'] },
    }),
    terminate('redis', [redis], { mode, match: { serverNames: [NAMES.redis] } }),
    terminate('web-h2', [{ host: nginx.host, port: nginx.h2Port }], {
      mode,
      match: { serverNames: [NAMES.web], alpn: ['h2'] },
    }),
    terminate('web-h1', [nginx], { mode, match: { serverNames: [NAMES.web], alpn: ['http/1.1'] } }),
  ];
}
