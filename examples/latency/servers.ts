/**
 * All that the harness connects to, on one address. PostgreSQL, Redis and https are reached straight and, over TurboTLS,
 * through a gateway that passes their TLS on.
 *
 *     10.88.0.2 ─┬─ echo, a port for each certificate, TLS and turbo; beside it QUIC
 *                ├─ PostgreSQL, Redis, https
 *                └─ gateway, one port ─► PostgreSQL, Redis, https
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { HostAddress } from 'turbotls';
import { createServer } from 'turbotls/experimental';
import { Gateway, planFrom } from 'turbotls/gateway';
import type { EchoTarget, HttpsTarget, PostgresTarget, RedisTarget } from '../../src/compare/case.js';
import type { CertificateKind } from '../../src/compare/model.js';
import { findPart, startPostgres, startRedis } from '../../test/servers/index.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../test/support/certificates.js';

/** Plain data. */
export interface ServedTargets {
  targets: Partial<Record<CertificateKind, EchoTarget>>;
  postgres?: PostgresTarget;
  redis?: RedisTarget;
  https?: HttpsTarget;
  /** What is not served, by name, and why. */
  missing: Record<string, string>;
}

/** Of a TurboTLS port, since it was opened. */
export interface PortCounters {
  /** Sessions that began over UDP and that TCP has taken over; the gateway counts one when it ends. */
  bound: number;
  /** Datagrams, by reason. */
  drops: Record<string, number>;
}

/** `gateway`, and each kind of certificate. */
export type ServerCounters = Record<string, PortCounters>;

export interface Servers {
  served: ServedTargets;
  counters(): ServerCounters;
  /** Again is no error. */
  stop(): Promise<void>;
}

/** What was started: how it is reached, and what ends it. */
interface Started<T> {
  target: T;
  stop(): Promise<unknown>;
}

const NAMES = {
  echo: 'echo.latency.test',
  postgres: 'pg.latency.test',
  redis: 'redis.latency.test',
  https: 'www.latency.test',
} as const;

const CERTIFICATE_KINDS: readonly CertificateKind[] = ['ecdsa', 'rsa', 'long-chain'];

/**
 * A long chain is one whose flight is more than a client that knows nothing asks for, 6.9 KB: RSA of 2,048 bits, three
 * intermediates, and as many names in the leaf as those of a shared host have.
 */
const LONG_CHAIN = 4;
const LONG_CHAIN_NAMES = 160;

const POSTGRES_VERSIONS = [18, 17, 15] as const;
/** Those of connections that were just ended count too. */
const POSTGRES_CONNECTIONS = 200;

/** @param progress told what is being done */
export async function startServers(host: string, progress: (text: string) => void): Promise<Servers> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    return { ...(await startAll(host, progress, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  host: string,
  progress: (text: string) => void,
  stops: (() => Promise<unknown>)[],
): Promise<Omit<Servers, 'stop'>> {
  const served: ServedTargets = { targets: {}, missing: {} };
  const counts: Record<string, () => PortCounters> = {};
  /** Undefined where it cannot be started, which is noted. */
  async function attempt<T>(name: string, start: () => Promise<Started<T>>): Promise<T | undefined> {
    progress(`starting ${name}`);
    try {
      const started = await start();
      stops.push(started.stop);
      return started.target;
    } catch (error) {
      served.missing[name] = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  progress('making certificates');
  const kinds = Object.fromEntries(CERTIFICATE_KINDS.map((kind) => [kind, certificateOf(kind)])) as Record<
    CertificateKind,
    Promise<Certificate>
  >;
  const certificate = await kinds.ecdsa;
  const [postgres, redis, https] = await Promise.all([
    attempt('PostgreSQL', () => startPostgresTarget(host, certificate)),
    attempt('Redis', () => startRedisTarget(host, certificate)),
    attempt('https', () => startHttpsTarget(host, certificate)),
  ]);
  const behind = [postgres, redis, https].filter((target) => target !== undefined);
  const gateway = await attempt('gateway', () => startGateway(host, behind));
  if (gateway !== undefined) {
    counts.gateway = gateway.counters;
    for (const target of behind) target.turboAddress = gateway.address;
  }
  for (const kind of CERTIFICATE_KINDS) {
    const shown = await kinds[kind];
    const echo = await attempt(`echo (${kind})`, () => startEcho(host, shown));
    if (echo === undefined) continue;
    const quicAddress = await attempt(`QUIC (${kind})`, () => startQuic(host, shown));
    served.targets[kind] = { ...echo.target, ...(quicAddress && { quicAddress }) };
    counts[kind] = echo.counters;
  }
  return {
    served: { ...served, ...(postgres && { postgres }), ...(redis && { redis }), ...(https && { https }) },
    counters: () => Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count()])),
  };
}

/** All are of one authority. */
async function certificateOf(kind: CertificateKind): Promise<Certificate> {
  const authority = await makeAuthority({ name: 'turbotls latency authority' });
  const names = Object.values(NAMES);
  switch (kind) {
    case 'ecdsa':
      return makeCertificate({ names, authority });
    case 'rsa':
      return makeCertificate({ names, authority, keyType: 'rsa' });
    case 'long-chain': {
      const others = Array.from({ length: LONG_CHAIN_NAMES }, (_, index) => `host-${index + 1}.shared.latency.test`);
      return makeCertificate({ names: [...names, ...others], authority, keyType: 'rsa', chainLength: LONG_CHAIN });
    }
  }
}

async function startEcho(
  host: string,
  { key, cert, ca }: Certificate,
): Promise<Started<{ target: EchoTarget; counters: () => PortCounters }>> {
  let bound = 0;
  const server = createServer({ key, cert }, (socket) => {
    socket.on('error', () => {}); // clients leave without a word
    socket.on('data', () => socket.write('hello\n'));
  });
  const port = server.turbo;
  port?.events$.subscribe(({ type }) => {
    if (type === 'bound') bound++;
  });
  const { address, stop } = await listen(server, host);
  return {
    target: {
      target: { group: 'echo', address, serverName: NAMES.echo, ca, request: 'hello\n' },
      counters: () => ({ bound, drops: Object.fromEntries(port?.engine?.drops ?? []) }),
    },
    stop,
  };
}

/** Its package has a native part, which is not there for every machine. */
async function startQuic(host: string, { key, cert }: Certificate): Promise<Started<HostAddress>> {
  const { startQuicServer } = await import('./quic-server.js');
  const server = await startQuicServer({ host, port: 0, key, cert });
  return { target: server.address, stop: () => server.close() };
}

async function startPostgresTarget(host: string, tls: Certificate): Promise<Started<PostgresTarget>> {
  const version = POSTGRES_VERSIONS.find((each) => findPart(`postgresql-${each}`) !== undefined);
  const user = { name: 'latency', password: randomBytes(16).toString('hex') };
  const server = await startPostgres({
    version: version ?? POSTGRES_VERSIONS[0], // which says what to install
    tls: { key: tls.key, cert: tls.cert },
    users: [user],
    settings: { listen_addresses: host, max_connections: String(POSTGRES_CONNECTIONS) },
  });
  return {
    target: {
      group: 'postgres',
      address: { host, port: server.port },
      serverName: NAMES.postgres,
      ca: tls.ca,
      user: user.name,
      password: user.password,
      database: 'postgres',
    },
    stop: () => server.stop(),
  };
}

async function startRedisTarget(host: string, tls: Certificate): Promise<Started<RedisTarget>> {
  const password = randomBytes(16).toString('hex');
  const server = await startRedis({ host, password, tls: { key: tls.key, cert: tls.cert } });
  return {
    target: {
      group: 'redis',
      address: { host, port: server.tlsPort },
      serverName: NAMES.redis,
      ca: tls.ca,
      password,
    },
    stop: () => server.stop(),
  };
}

async function startHttpsTarget(host: string, { key, cert, ca }: Certificate): Promise<Started<HttpsTarget>> {
  const server = createHttpsServer({ key, cert }, (_request, response) => response.end('hello\n'));
  const { address, stop } = await listen(server, host);
  return {
    target: { group: 'https', address, serverName: NAMES.https, ca, path: '/' },
    stop,
  };
}

/** One port for what is behind it, told apart by name. It holds no key. */
async function startGateway(
  host: string,
  behind: readonly (PostgresTarget | RedisTarget | HttpsTarget)[],
): Promise<Started<{ address: HostAddress; counters: () => PortCounters }>> {
  const routes = behind.map(({ group, address, serverName }) => ({
    name: group,
    match: { serverNames: [serverName] },
    backend: {
      targets: [`${address.host}:${address.port}`],
      transport: group === 'postgres' ? 'POSTGRES' : 'PLAIN',
    },
    limits: { connectionsPerSource: 10_000 }, // all clients have one address
  }));
  let bound = 0;
  const gateway = new Gateway(planFrom({ listen: [`${host}:0`], routes }, '.'), {
    onEvent(event) {
      if (event.type === 'connection-end' && event.carrier === 'turbo' && event.client !== undefined) bound++;
    },
  });
  const [address] = await gateway.start();
  const counters = () => ({ bound, drops: Object.fromEntries(gateway.state.engine.drops) });
  return { target: { address: address as HostAddress, counters }, stop: () => gateway.close() };
}

async function listen(server: Server, host: string): Promise<{ address: HostAddress; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen({ host, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return { address: { host, port }, stop };
}
