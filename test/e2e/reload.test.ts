/** Plans that change each second, backends that restart, and a connection for each transaction: none is lost without need. */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { connect, defaultLimits, PathMemory } from '../../src/experimental.js';
import type { RoutePlan } from '../../src/gateway/plan.js';
import type { HostAddress } from '../../src/transport.js';
import { endCommands } from '../gateway/commands.js';
import {
  closeGateways,
  filesOf,
  type GatewayRig,
  passthrough,
  planOf,
  startGateway,
  terminate,
} from '../gateway/gateway-rig.js';
import { closeRigs, startProxy } from '../gateway/proxy-rig.js';
import { type PostgresServer, type RedisServer, requirePart, startPostgres, startRedis } from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';
import { collectGarbage } from '../support/garbage.js';
import { ALICE } from './line.js';
import { startPostgresProgram } from './programs.js';

const SECONDS = Number(process.env.TURBOTLS_COUNT ?? (process.env.TURBOTLS_LONG === '1' ? 600 : 10));
/** Of pgbench, per second: 2,000 a minute. As many again go to the backends that restart. */
const RATE = 34;
const RELOAD_MS = 1_000;
/** After the load, and a collection, beside before: what the JIT has compiled, and caches that fill. */
const MORE_HEAP_BYTES = 16 * 1024 * 1024;

const STEADY = 'steady.test';
const RESTARTING = 'restarting.test';
const LIMITS = { graceMinMs: 1_000 };

describe('e2e: reloads and restarts under load', function () {
  this.timeout((SECONDS + 60) * 1000);
  let postgres: PostgresServer;
  let redises: RedisServer[];
  let certificate: Certificate;
  let folder: string;
  let ca: string;

  before(async function () {
    for (const part of ['postgresql-15', 'redis-server'] as const) requirePart(this, part);
    certificate = await makeCertificate({ names: [STEADY, RESTARTING] });
    postgres = await startPostgres({ version: 15, tls: certificate, users: [ALICE] });
    redises = await Promise.all([startRedis({ tls: certificate }), startRedis({ tls: certificate })]);
    folder = await mkdtemp(join(tmpdir(), 'turbotls-reload-'));
    ca = join(folder, 'ca.pem');
    await writeFile(ca, certificate.ca);
  });
  afterEach(async () => {
    await endCommands();
    await closeRigs();
    await closeGateways();
  });
  after(async () => {
    await Promise.all([postgres, ...(redises ?? [])].map((server) => server?.stop()));
    if (folder) await rm(folder, { recursive: true });
  });

  for (const mode of ['passthrough', 'terminate'] as const) {
    it(`${mode}: ${RATE} connections a second to PostgreSQL, and as many to Redis, for ${SECONDS} s`, async () => {
      await load(mode, 1);
      const before = resources();
      await load(mode, SECONDS);
      const after = resources();
      expect(after.descriptors, 'descriptors').to.equal(before.descriptors);
      expect(after.active, 'active resources').to.deep.equal(before.active);
      expect(after.heap - before.heap, 'bytes of the heap').to.be.below(MORE_HEAP_BYTES);
    });
  }

  /** Everything, from the gateway's start to its end. */
  async function load(mode: 'passthrough' | 'terminate', seconds: number): Promise<void> {
    const files = filesOf(certificate);
    const routes = (mode === 'passthrough' ? passing : ending)(files);
    const rig = await startGateway(routes);
    const proxy = await startProxy({ to: { host: rig.host, port: rig.port } });
    const script = join(folder, 'select.sql');
    await writeFile(script, 'SELECT 1;\n');
    const target = `host=${STEADY} hostaddr=127.0.0.1 port=${proxy.port} dbname=postgres user=alice sslmode=verify-full`;
    const options = ['-n', '-C', '-c', '4', '-R', String(RATE), '-T', String(seconds), '-f', script];
    const bench = await startPostgresProgram('pgbench', [...options, `${target} sslrootcert=${ca}`]);
    const done = new AbortController();
    const restarts = restartInTurn(done.signal);
    const callers = [0, 1].map(() => callRestarting(rig, done.signal));
    const reloads = await reloadUntil(bench.ended, rig, routes);
    const { code, stdout, stderr } = await bench.ended;
    done.abort();
    const windows = await restarts;
    const calls = (await Promise.all(callers)).flat();

    expect({ code, stderr: stderr.replaceAll(/^pgbench \(.*\n/g, '') }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^number of failed transactions: 0 /m);
    expect(reloads).to.be.at.least(Math.floor(0.9 * seconds));
    expect(calls).to.have.length.above(seconds);
    await until(() => rig.gateway.state.connections === 0);
    const lost = calls.filter((call) => call.error && !windows.some((window) => excuses(window, call, rig)));
    expect(lost.map(({ error }) => String(error))).to.deep.equal([]);
    // On a busy machine a client may give UDP up, and goes on over TCP; its session expires.
    const refused = rig.of('refused').filter(({ reason }) => reason !== 'unclaimed');
    expect(refused.map(({ reason }) => reason)).to.deep.equal([]);
    await until(() => rig.gateway.state.engine.halfOpen.sessions === 0, 1.5 * defaultLimits.sessionLifetimeMs);
    expect(rig.gateway.state.engine.halfOpen).to.deep.equal({ sessions: 0, bytes: 0 });
    if (process.env.TURBOTLS_LONG === '1') {
      const failed = calls.filter(({ error }) => error).length;
      const ends = rig.of('connection-end');
      const turbo = ends.filter(({ carrier }) => carrier === 'turbo').length;
      console.log(
        `      ${ends.length} connections, ${turbo} by turbo; ${reloads} reloads, ${windows.length} restarts`,
      );
      console.log(`      ${calls.length} of them to backends that restart, which cut ${failed} off`);
    }
    await closeRigs();
    await closeGateways();
  }

  function passing(): RoutePlan[] {
    return [
      passthrough('steady', [postgres], { match: { serverNames: [STEADY] }, backend: { transport: 'postgres' } }),
      passthrough('restarting', redises.map(tlsPortOf), { match: { serverNames: [RESTARTING] } }),
    ];
  }

  function ending(files: { cert: string; key: string }): RoutePlan[] {
    const mode = { certificates: [files] };
    return [
      terminate('steady', [postgres], { match: { serverNames: [STEADY] }, mode: { ...mode, alpn: ['postgresql'] } }),
      terminate('restarting', redises, { match: { serverNames: [RESTARTING] }, mode }),
    ];
  }

  /** A backend goes and comes back, then the other one. */
  async function restartInTurn(signal: AbortSignal): Promise<Window[]> {
    const windows: Window[] = [];
    for (let turn = 0; !signal.aborted; turn++) {
      const server = redises[turn % redises.length] as RedisServer;
      const from = performance.now();
      await server.restart();
      windows.push({ ports: [server.port, server.tlsPort], from, to: performance.now() });
      await delay(700);
    }
    return windows;
  }

  async function callRestarting(rig: GatewayRig, signal: AbortSignal): Promise<Call[]> {
    const calls: Call[] = [];
    const memory = new PathMemory();
    const options = { host: rig.host, port: rig.port, ca: certificate.ca, servername: RESTARTING };
    while (!signal.aborted) {
      const call: Call = { from: performance.now(), to: 0, port: undefined, error: undefined };
      calls.push(call);
      try {
        const socket = connect({ ...options, turbo: { memory, limits: LIMITS } });
        socket.once('connect', () => {
          call.port = socket.localPort;
        });
        expect(await ask(socket)).to.equal('+PONG\r\n');
      } catch (error) {
        call.error = error as Error;
      }
      call.to = performance.now();
      await delay(2000 / RATE);
    }
    return calls;
  }
});

/** When a backend was not there, on all of its ports. */
interface Window {
  ports: readonly number[];
  from: number;
  to: number;
}

interface Call {
  from: number;
  to: number;
  /** The client's; undefined where it did not come to that. */
  port: number | undefined;
  error: Error | undefined;
}

/** The call went to the backend, which went down under it. */
function excuses({ ports, from, to }: Window, call: Call, rig: GatewayRig): boolean {
  if (call.port === undefined || call.to < from || call.from > to) return false;
  const ends = rig.of('connection-end').filter(({ client }) => client?.port === call.port);
  return ends.some(({ target }) => target !== undefined && ports.includes(target.port));
}

function tlsPortOf({ host, tlsPort }: RedisServer): HostAddress {
  return { host, port: tlsPort };
}

async function ask(stream: NodeJS.ReadWriteStream & { destroy(): unknown }): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      stream.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      stream.once('error', reject);
      stream.once('close', () => reject(new Error('it ended')));
      stream.write('PING\r\n');
    });
  } finally {
    stream.on('error', () => {});
    stream.destroy();
  }
}

/** Two plans by turns: a route that comes and goes, and everything else the same. */
async function reloadUntil(ended: Promise<unknown>, rig: GatewayRig, routes: RoutePlan[]): Promise<number> {
  let running = true;
  void ended.then(() => {
    running = false;
  });
  const more = passthrough('more', [{ host: '127.0.0.1', port: 9 }], { match: { serverNames: ['more.test'] } });
  let reloads = 0;
  while (running) {
    await Promise.race([ended, delay(RELOAD_MS)]);
    await rig.gateway.reload(planOf(reloads++ % 2 === 0 ? [more, ...routes] : routes));
  }
  return reloads;
}

function resources(): { descriptors: number; active: Record<string, number>; heap: number } {
  collectGarbage();
  const active: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) {
    if (/TCP|UDP|Pipe|Process/.test(kind)) active[kind] = (active[kind] ?? 0) + 1;
  }
  return { descriptors: readdirSync('/proc/self/fd').length, active, heap: process.memoryUsage().heapUsed };
}
