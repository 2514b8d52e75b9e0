/**
 * `npm run bench:workers`: what a front and its workers cost, and what they spare established connections. All rounds
 * take turns, so that what the machine does meanwhile hits all; ratios are of the same round.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants, cpus, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { makeCertificate } from '../test/support/certificates.js';
import { median } from './measure.js';
import type { BareJob } from './workers/bare-clients.js';
import {
  type Answer,
  type Ask,
  type Delay,
  ECDSA_NAME,
  type Job,
  type JobResult,
  quantile,
  RSA_NAME,
  type ServerSettings,
  type Serving,
  WHO,
} from './workers/protocol.js';

const quick = process.argv.includes('--quick');
const only = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const ROUNDS = quick ? 2 : 5;
const ROUND_MS = quick ? 1500 : 4000;
/** Of the experiment with established connections. */
const CONNECTIONS = 50;
const MESSAGE = Buffer.alloc(1024, 7);
const MESSAGE_EVERY_MS = 10;
/** Until code is compiled, and connections that were closed are gone. */
const WARM_UP_MS = 1000;
const HANDSHAKES_PER_SECOND = 200;

const execArgv = ['--disable-warning=ExperimentalWarning'];
const [ecdsa, rsa] = await Promise.all([
  makeCertificate({ names: [ECDSA_NAME] }),
  makeCertificate({ names: [RSA_NAME], keyType: 'rsa' }),
]);
const settings: ServerSettings = { certificates: { ecdsa, rsa }, ticketKeys: randomBytes(48).toString('hex') };
const ca = `${ecdsa.ca}\n${rsa.ca}`;

class Server {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(serving: Serving): Promise<Server> {
    const child = fork(new URL('./workers/server.js', import.meta.url), { execArgv });
    const { port } = (await ask(child, { ask: 'start', serving, settings })) as { port: number };
    return new Server(child, port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async cpuUs(): Promise<number> {
    return ((await ask(this.#child, { ask: 'cpu' })) as { cpuUs: number }).cpuUs;
  }

  async watch(): Promise<void> {
    await ask(this.#child, { ask: 'watch' });
  }

  async delays(): Promise<Delay[]> {
    return ((await ask(this.#child, { ask: 'delays' })) as { delays: Delay[] }).delays;
  }

  async stop(): Promise<void> {
    this.#child.send({ ask: 'stop' } satisfies Ask);
    await once(this.#child, 'exit');
  }
}

class Clients {
  readonly #child = fork(new URL('./workers/clients.js', import.meta.url), { execArgv });

  async run(job: Partial<Job> & { port: number }): Promise<JobResult> {
    const all: Job = {
      ca,
      name: ECDSA_NAME,
      transport: 'turbo',
      rate: 0,
      concurrency: 16,
      resume: false,
      ms: ROUND_MS,
      ...job,
    };
    this.#child.send(all);
    const [result] = (await once(this.#child, 'message')) as [JobResult];
    return result;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Runs when nothing else wants to. */
  giveWay(): void {
    if (this.#child.pid) setPriority(this.#child.pid, constants.priority.PRIORITY_LOW);
  }

  stop(): void {
    this.#child.disconnect();
  }
}

async function ask(child: ChildProcess, message: Ask): Promise<Answer> {
  child.send(message);
  const [answer] = (await once(child, 'message')) as [Answer];
  return answer;
}

/**
 * CPU of the front alone, µs, for each TurboTLS handshake (two datagrams each way, a tombstone) and for each plain
 * connection, by clients and a worker that do no TLS: else they and not the front would set the pace.
 */
async function frontCpu(): Promise<void> {
  const server = await Server.start({ by: 'workers', workers: 1, bare: true });
  const clients = fork(new URL('./workers/bare-clients.js', import.meta.url), { execArgv });
  let [failures, rate] = [0, 0];
  const cost = async (plain: boolean, concurrency: number, count: number) => {
    const [before, startedAt] = [await server.cpuUs(), performance.now()];
    clients.send({ port: server.port, plain, count, concurrency } satisfies BareJob);
    const [{ failed }] = (await once(clients, 'message')) as [{ failed: number }];
    failures += failed;
    rate = count / ((performance.now() - startedAt) / 1000);
    return ((await server.cpuUs()) - before) / count;
  };
  const count = quick ? 2000 : 6000;
  for (const plain of [true, false]) await cost(plain, 32, count);
  for (const concurrency of [1, 32]) {
    for (const plain of [true, false]) {
      const found: number[] = [];
      for (let round = 0; round < ROUNDS; round++) found.push(await cost(plain, concurrency, count));
      const title = plain ? 'plain connection (first bytes, passing)' : 'TurboTLS handshake (datagrams too)';
      const note = `${rate.toFixed(0)} a second, ${failures} failed`;
      print(`front CPU per ${title}, ${concurrency} at a time`, found, 'µs', note);
    }
  }
  clients.disconnect();
  await server.stop();
}

/** Handshakes a second, by node:tls in one process, and by one and two workers. */
async function rates(): Promise<void> {
  for (const name of [ECDSA_NAME, RSA_NAME]) {
    const servings: [string, Serving, 'tls' | 'turbo'][] = [
      ['node:tls, one process', { by: 'node:tls' }, 'tls'],
      ['1 worker, plain TLS', { by: 'workers', workers: 1 }, 'tls'],
      ['1 worker, TurboTLS', { by: 'workers', workers: 1 }, 'turbo'],
      ['2 workers, plain TLS', { by: 'workers', workers: 2 }, 'tls'],
      ['2 workers, TurboTLS', { by: 'workers', workers: 2 }, 'turbo'],
    ];
    const found = servings.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, [, serving, transport]] of servings.entries()) {
        const [server, clients] = [await Server.start(serving), new Clients()];
        await clients.run({ port: server.port, name, transport, ms: 300 });
        const { made, seconds } = await clients.run({ port: server.port, name, transport });
        found[i]?.push(made / seconds);
        clients.stop();
        await server.stop();
      }
    }
    for (const [i, [title]] of servings.entries()) print(`${name}: ${title}`, found[i] as number[], 'handshakes/s');
  }
}

/** How long ECDSA and resumed handshakes take, alone and beside RSA ones. */
async function besideRsa(): Promise<void> {
  const servings: [string, Serving][] = [
    ['node:tls, one process', { by: 'node:tls' }],
    ['2 workers', { by: 'workers', workers: 2 }],
  ];
  for (const [title, serving] of servings) {
    const found: Record<string, JobResult[]> = {};
    for (let round = 0; round < ROUNDS; round++) {
      for (const rsaRate of [0, HANDSHAKES_PER_SECOND]) {
        for (const resume of [false, true]) {
          const [server, clients, others] = [await Server.start(serving), new Clients(), new Clients()];
          const { port } = server;
          others.giveWay();
          await clients.run({ port, transport: 'tls', ms: 300, concurrency: 1 });
          const beside = rsaRate
            ? others.run({ port, name: RSA_NAME, transport: 'tls', rate: rsaRate })
            : Promise.resolve(undefined);
          const key = `${resume ? 'resumed' : 'ECDSA'}${rsaRate ? ` beside ${rsaRate} RSA/s` : ' alone'}`;
          found[key] ??= [];
          found[key].push(await clients.run({ port, transport: 'tls', rate: 50, resume }));
          await beside;
          clients.stop();
          others.stop();
          await server.stop();
        }
      }
    }
    for (const [key, results] of Object.entries(found)) {
      const at = (part: 'p50' | 'p99') => median(results.map((each) => each[part])).toFixed(2);
      const resumed = results.reduce((sum, each) => sum + each.resumed, 0);
      const made = results.reduce((sum, each) => sum + each.made, 0);
      console.log(
        `${`${title}: ${key}`.padEnd(64)}p50 ${at('p50')}  p99 ${at('p99')} ms  (${resumed} of ${made} resumed)`,
      );
    }
  }
}

/**
 * What established connections feel of new ones. `apart`: one worker has all that are established, and so the other gets
 * what is new. The process that carries them has one core, together with their clients; everything that makes handshakes
 * has the others, or shares that process.
 */
async function established(): Promise<void> {
  const [one, workers] = [{ by: 'node:tls' } as const, { by: 'workers', workers: 2 } as const];
  const forms: (Experiment & { title: string })[] = [
    { title: 'alone, one process', serving: one, rate: 0 },
    { title: 'with RSA handshakes, node:tls in one process', serving: one, rate: HANDSHAKES_PER_SECOND },
    { title: 'alone, beside a server of RSA handshakes', serving: one, rate: HANDSHAKES_PER_SECOND, beside: true },
    { title: 'alone, in one of 2 workers', serving: workers, rate: 0, apart: true },
    {
      title: 'with RSA handshakes, in the other worker',
      serving: workers,
      rate: HANDSHAKES_PER_SECOND,
      apart: true,
    },
    { title: 'with RSA handshakes, in both workers', serving: workers, rate: HANDSHAKES_PER_SECOND },
  ];
  const found = forms.map((): Felt[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, form] of forms.entries()) found[i]?.push(await feel(form));
  }
  const base = found[0] as Felt[];
  for (const [i, { title }] of forms.entries()) {
    const results = found[i] as Felt[];
    const of = (pick: (each: Felt) => number) => median(results.map(pick)).toFixed(2);
    const against = (pick: (each: Felt) => number) =>
      median(results.map((each, round) => pick(each) / pick(base[round] as Felt))).toFixed(2);
    const late = (each: Felt) => each.loop.p999;
    const echoLate = (each: Felt) => quantile(each.echo, 0.999);
    const loop = [of((each) => each.loop.p50), of((each) => each.loop.p99), of(late)].join(' / ');
    const echo = [of((each) => quantile(each.echo, 0.5)), of((each) => quantile(each.echo, 0.99)), of(echoLate)];
    console.log(
      `${title.padEnd(46)}loop ${loop} ms (p99.9 x${against(late)})  echo ${echo.join(' / ')} ms ` +
        `(p99.9 x${against(echoLate)})  ${of(({ made }) => made)} handshakes/s`,
    );
  }
}

interface Experiment {
  serving: Serving;
  /** RSA handshakes a second. */
  rate: number;
  /** One worker has all that are established. */
  apart?: true;
  /** Handshakes are those of another server: what the machine makes of it, whoever serves. */
  beside?: true;
}

interface Felt {
  /** Of the process that carries them, or of the worst of those. */
  loop: Delay;
  /** Times from message to echo, sorted, ms. */
  echo: number[];
  /** Handshakes a second. */
  made: number;
}

async function feel({ serving, rate, apart, beside }: Experiment): Promise<Felt> {
  const [server, clients] = [await Server.start(serving), new Clients()];
  const other = beside && (await Server.start(serving));
  if (other) keepTo(OTHER_CORES, other.pid);
  keepTo(OWN_CORE, process.pid);
  keepTo(OTHER_CORES, clients.pid);
  keepTo(serving.by === 'node:tls' ? OWN_CORE : OTHER_CORES, server.pid);
  const sockets = await (apart ? ofOneWorker(server.port) : connected(server.port, CONNECTIONS));
  const echo: number[] = [];
  const stops = sockets.map((socket) => busy(socket, echo));
  const job = { port: (other ?? server).port, name: RSA_NAME, transport: 'tls' as const, rate };
  await (rate > 0 ? clients.run({ ...job, ms: WARM_UP_MS }) : delay(WARM_UP_MS));
  echo.length = 0;
  await server.watch();
  const { made, seconds } = rate > 0 ? await clients.run(job) : await delay(ROUND_MS, { made: 0, seconds: 1 });
  const delays = await server.delays();
  for (const stop of stops) stop();
  for (const socket of sockets) socket.destroy();
  clients.stop();
  await server.stop();
  await other?.stop();
  const carriers = delays.filter(({ connections }) => connections > CONNECTIONS / 4);
  carriers.sort((a, b) => b.p999 - a.p999);
  return { loop: carriers[0] as Delay, echo: echo.sort((a, b) => a - b), made: made / seconds };
}

function connected(port: number, count: number): Promise<TLSSocket[]> {
  return Promise.all(Array.from({ length: count }, () => secure(port)));
}

/** Connections that one worker has, on a core of its own; those of the other are closed again. */
async function ofOneWorker(port: number): Promise<TLSSocket[]> {
  const groups = new Map<number, TLSSocket[]>();
  for (const socket of await connected(port, 2 * CONNECTIONS)) {
    socket.write(WHO);
    const [pid] = (await once(socket, 'data')) as [Buffer];
    groups.set(Number(pid), [...(groups.get(Number(pid)) ?? []), socket]);
  }
  const [[pid, sockets], ...others] = [...groups] as [[number, TLSSocket[]], ...[number, TLSSocket[]][]];
  keepTo(OWN_CORE, pid);
  for (const [other, theirs] of others) {
    for (const socket of theirs) socket.destroy();
    keepTo(OTHER_CORES, other);
  }
  return sockets;
}

const OWN_CORE = '0';
const OTHER_CORES = `1-${cpus().length - 1}`;

/** All threads of a process, where Linux lets us and there is more than one core. */
function keepTo(cores: string, pid: number): void {
  if (cpus().length > 1) spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)]);
}

async function secure(port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: ECDSA_NAME });
  await once(socket, 'secureConnect');
  return socket.on('error', () => {}).setNoDelay(true);
}

/** A message at a time, one after the other. */
function busy(socket: TLSSocket, times: number[]): () => void {
  let sentAt = 0;
  let heard = 0;
  let timer: NodeJS.Timeout;
  const send = () => {
    heard = 0;
    sentAt = performance.now();
    socket.write(MESSAGE);
  };
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.length;
    if (heard < MESSAGE.length) return;
    times.push(performance.now() - sentAt);
    timer = setTimeout(send, MESSAGE_EVERY_MS);
  });
  timer = setTimeout(send, Math.random() * MESSAGE_EVERY_MS);
  return () => clearTimeout(timer);
}

function print(title: string, values: readonly number[], unit: string, note = ''): void {
  const number = median(values).toLocaleString('en', { maximumFractionDigits: 0 });
  console.log(`${title.padEnd(64)}${number.padStart(8)} ${unit}${note && `  (${note})`}`);
}

const suites = { cpu: frontCpu, rates, rsa: besideRsa, established };
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}; medians of ${ROUNDS} rounds\n`);
for (const [name, suite] of Object.entries(suites)) if (only.length === 0 || only.includes(name)) await suite();
