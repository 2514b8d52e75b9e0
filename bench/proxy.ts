/**
 * `node dist/bench/proxy.js`: proxy and gateway beside HAProxy and stunnel, in the same run. Clients are curl and
 * redis-benchmark, servers nginx and redis-server, all on this machine; what is compared are processes of one thread.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type NginxServer, type RedisServer, startNginx, startRedis } from '../test/servers/index.js';
import { makeCertificate } from '../test/support/certificates.js';
import { median } from './measure.js';
import * as setups from './setups.js';
import { cpuSeconds, type Middle, NAMES, type Ports } from './setups.js';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
});
const ROUNDS = values.quick ? 1 : 5;
const MEGABYTES = values.quick ? 100 : 300;
const CONNECTIONS = values.quick ? 500 : 2_000;
const REQUESTS = values.quick ? 3_000 : 10_000;

interface Setup {
  name: string;
  /** What else it is compared with: the first of its group. */
  group: string;
  /** Whether clients speak TLS. */
  tls: boolean;
  ports: Ports;
  middles: readonly Middle[];
}

interface Figures {
  megabytesPerSecond: number;
  /** Of all processes in the middle. */
  cpuSecondsPerGigabyte: number;
  connectionsPerSecond: number;
  cpuMsPerConnection: number;
  /** Of one request at a time, ms. */
  latencyMs: number;
}

const KEYS = [
  'megabytesPerSecond',
  'cpuSecondsPerGigabyte',
  'connectionsPerSecond',
  'cpuMsPerConnection',
  'latencyMs',
] as const;
const HEADS = ['MB/s', 'CPU s/GB', 'connections/s', 'CPU ms/conn.', 'request, ms'];

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'turbotls-bench-proxy-'));
const certificate = await makeCertificate({ names: Object.values(NAMES) });
const ca = join(folder, 'ca.pem');
writeFileSync(ca, certificate.ca);

const redis = await startRedis({ tls: certificate });
const nginx = await startNginx({ tls: certificate, files: { big: 'x'.repeat(MEGABYTES * 1e6) } });
const running: Middle[] = [];
try {
  const all = await makeSetups(redis, nginx);
  const measured = new Map(all.map((setup): [Setup, Figures[]] => [setup, []]));
  for (let round = 0; round < ROUNDS; round++) {
    // By turns, so that what the machine does meanwhile hits all.
    for (const [setup, figures] of measured) {
      if (!values.json && process.stderr.isTTY) process.stderr.write(`… round ${round + 1}, ${setup.name}\x1b[K\r`);
      figures.push(await measure(setup));
    }
  }
  report(new Map([...measured].map(([setup, figures]) => [setup, medians(figures)])));
} finally {
  await Promise.all([...running, redis, nginx].map((server) => server.stop()));
  rmSync(folder, { recursive: true });
}

async function makeSetups(redis: RedisServer, nginx: NginxServer): Promise<Setup[]> {
  const [secure, plain] = [setups.tlsPorts({ redis, nginx }), setups.plainPorts({ redis, nginx })];
  async function keep(middle: Promise<Middle>): Promise<Middle> {
    running.push(await middle);
    return middle;
  }
  const made: Setup[] = [];
  const add = (group: string, name: string, tls: boolean, ports: Ports, ...middles: Middle[]) =>
    made.push({ group, name, tls, ports, middles });

  let group = 'TLS end to end';
  const tcp = await keep(setups.haproxy(secure));
  const before = await keep(setups.haproxy(tcp.ports));
  const through = await keep(setups.gateway(secure));
  const inFront = await keep(setups.proxy(through.ports));
  add(group, 'HAProxy, TCP mode', true, tcp.ports, tcp);
  add(group, 'gateway', true, through.ports, through);
  add(group, 'HAProxy, twice', true, before.ports, before, tcp);
  add(group, 'proxy and gateway', true, inFront.ports, inFront, through);
  add(group, 'nothing', true, secure);

  group = 'TLS ended before the server';
  const ssl = await keep(setups.haproxy(plain, certificate));
  const tunnel = await keep(setups.stunnel(plain, 'server', certificate));
  const ending = await keep(setups.gateway(plain, certificate));
  const inFrontOfEnding = await keep(setups.proxy(ending.ports));
  add(group, 'HAProxy', true, ssl.ports, ssl);
  add(group, 'stunnel', true, tunnel.ports, tunnel);
  add(group, 'gateway', true, ending.ports, ending);
  add(group, 'proxy and gateway', true, inFrontOfEnding.ports, inFrontOfEnding, ending);

  group = 'plain client, plain server, TLS between';
  const beginning = await keep(setups.stunnel(tunnel.ports, 'client', certificate));
  const forRedis = await keep(setups.originating(ending.ports, 'redis', certificate));
  const forWeb = await keep(setups.originating(ending.ports, 'web', certificate));
  const ports = { redis: forRedis.ports.redis, web: forWeb.ports.web };
  add(group, 'stunnel, twice', false, beginning.ports, beginning, tunnel);
  add(group, 'proxy --tls and gateway', false, ports, forRedis, forWeb, ending);
  add(group, 'nothing', false, plain);
  return made;
}

async function measure(setup: Setup): Promise<Figures> {
  const download = await withCpu(setup, () => downloadSeconds(setup));
  const connections = await withCpu(setup, () => connectSeconds(setup));
  return {
    megabytesPerSecond: MEGABYTES / download.result,
    cpuSecondsPerGigabyte: download.cpu / (MEGABYTES / 1000),
    connectionsPerSecond: CONNECTIONS / connections.result,
    cpuMsPerConnection: (connections.cpu / CONNECTIONS) * 1000,
    latencyMs: await latency(setup),
  };
}

async function withCpu<T>({ middles }: Setup, act: () => Promise<T>): Promise<{ result: T; cpu: number }> {
  const sum = () => middles.reduce((total, { pid }) => total + cpuSeconds(pid), 0);
  const before = sum();
  const result = await act();
  return { result, cpu: sum() - before };
}

/** One connection, HTTP/1.1. */
async function downloadSeconds({ tls, ports: { web } }: Setup): Promise<number> {
  const url = tls ? `https://${NAMES.web}/files/big` : `http://${NAMES.web}/files/big`;
  const { stdout } = await run('curl', [
    ...['--silent', '--show-error', '--fail', '--http1.1', '--cacert', ca, '--output', '/dev/null'],
    ...['--connect-to', `${NAMES.web}:${tls ? 443 : 80}:127.0.0.1:${web}`],
    ...['--write-out', '%{time_total} %{size_download}', url],
  ]);
  const [seconds, bytes] = stdout.split(' ').map(Number);
  if (bytes !== MEGABYTES * 1e6 || !seconds) throw new Error(`curl: ${stdout}`);
  return seconds;
}

/** Four at a time, each with one request. */
async function connectSeconds(setup: Setup): Promise<number> {
  const startedAt = performance.now();
  await redisBenchmark(setup, ['-k', '0', '-c', '4', '-n', String(CONNECTIONS)]);
  return (performance.now() - startedAt) / 1000;
}

/** The median, over one connection. */
async function latency(setup: Setup): Promise<number> {
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms",…
  const csv = await redisBenchmark(setup, ['-c', '1', '-n', String(REQUESTS)]);
  const p50 = Number(csv.trim().split('\n').at(-1)?.split(',')[4]?.replaceAll('"', ''));
  if (!(p50 > 0)) throw new Error(`redis-benchmark: ${csv}`);
  return p50;
}

async function redisBenchmark({ tls, ports }: Setup, args: readonly string[]): Promise<string> {
  const secure = tls ? ['--tls', '--cacert', ca, '--sni', NAMES.redis] : [];
  const common = ['-h', '127.0.0.1', '-p', String(ports.redis), '--csv', '-t', 'ping_mbulk'];
  return (await run('redis-benchmark', [...common, ...secure, ...args])).stdout;
}

function medians(figures: readonly Figures[]): Figures {
  const of = (name: keyof Figures) => median(figures.map((one) => one[name]));
  return {
    megabytesPerSecond: of('megabytesPerSecond'),
    cpuSecondsPerGigabyte: of('cpuSecondsPerGigabyte'),
    connectionsPerSecond: of('connectionsPerSecond'),
    cpuMsPerConnection: of('cpuMsPerConnection'),
    latencyMs: of('latencyMs'),
  };
}

function report(measured: ReadonlyMap<Setup, Figures>): void {
  const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' };
  if (values.json) {
    const rows = [...measured].map(([{ group, name }, figures]) => ({ group, name, ...figures }));
    console.log(JSON.stringify({ machine, rows }, null, 2));
    return;
  }
  console.log(
    `Node ${machine.node}, ${machine.cpus} x ${machine.cpu}; medians of ${ROUNDS}; in brackets: ratio to the first row`,
  );
  let group = '';
  let first: Figures | undefined;
  for (const [setup, figures] of measured) {
    if (setup.group !== group) {
      ({ group } = setup);
      first = figures;
      console.log(`\n${group.padEnd(40)}${HEADS.map((head) => head.padStart(18)).join('')}`);
    }
    const cells = KEYS.map((key) => cell(figures[key], first?.[key]).padStart(18));
    console.log(`  ${setup.name.padEnd(38)}${cells.join('')}`);
  }
}

function cell(value: number, first: number | undefined): string {
  const digits = value < 10 ? 3 : 0;
  const ratio = first ? ` (${(value / first).toFixed(2)})` : '';
  return `${value.toFixed(digits)}${ratio}`;
}
