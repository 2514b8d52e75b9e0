/** `turbotls gateway` with workers, as a program: who serves, reload, drain, metrics, and workers that die. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { connect as connectTurbo, PathMemory, type TurboSocket } from '../../src/experimental.js';
import { answerTo, secured } from '../gateway/clients.js';
import { closeBackends, type EchoBackend, startEcho } from '../gateway/echo-backend.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';
import { endPrograms, type Program, portOf, runTurbotls, startTurbotls } from './turbotls.js';

type Line = Record<string, unknown> & { msg: string };

describe('cli: turbotls gateway with workers', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let folder: string;
  let backend: EchoBackend;
  const sockets = new Set<Socket>();
  // A busy machine must not count as a path without UDP.
  const memory = new PathMemory();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-gateway-'));
    await writeFile(join(folder, 'cert.pem'), certificate.cert);
    await writeFile(join(folder, 'key.pem'), certificate.key);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    backend = await startEcho();
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await endPrograms();
    await closeBackends();
  });

  async function turbo(port: number): Promise<TurboSocket> {
    const options = { turbo: { memory, limits: { graceMinMs: 1_000 } } };
    const client = connectTurbo({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca, ...options });
    sockets.add(client.on('error', () => {}));
    return secured(client);
  }

  async function plain(port: number, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const client = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca, ...options });
    sockets.add(client.on('error', () => {}));
    return secured(client);
  }

  interface Changes {
    workers?: number | string | undefined;
    route?: string;
    target?: number;
    key?: string;
    more?: Record<string, unknown>;
  }

  async function configure({ workers = 2, route = 'web', target, key = 'key.pem', more = {} }: Changes = {}) {
    const path = join(folder, 'gateway.json');
    const terminate = { certificates: [{ cert: 'cert.pem', key }] };
    const routes = [{ name: route, terminate, backend: { targets: [`127.0.0.1:${target ?? backend.port}`] } }];
    const config = { listen: ['127.0.0.1:0'], admin: '127.0.0.1:0', workers, routes, ...more };
    await writeFile(path, JSON.stringify(config));
    return path;
  }

  /** A gateway that is ready. */
  async function startGateway(changes: Changes = {}) {
    const program = startTurbotls('gateway', '--config', await configure(changes));
    const lines = linesOf(program);
    const said = async (msg: string, count = 1): Promise<Line[]> => {
      const found = () => lines.filter((line) => line.msg === msg);
      await until(() => found().length >= count, PATIENCE_MS);
      return found();
    };
    const [, admin] = await program.said(/"address":"127\.0\.0\.1:(\d+)","msg":"admin"/);
    const get = (path: string) => fetch(`http://127.0.0.1:${admin}${path}`);
    await said('worker serves', Number(changes.workers ?? 2));
    return {
      program,
      port: await portOf(program),
      get,
      said,
      signal: (name: NodeJS.Signals) => program.process.kill(name),
      /** Of those that serve, in the order in which they began to. */
      workers: async (count = 1) => (await said('worker serves', count)).map(({ worker }) => Number(worker)),
      /** The sum over all labels. */
      metric: async (name: string): Promise<number> => {
        const text = await (await get('/metrics')).text();
        const values = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
        expect(values, name).not.to.have.length(0);
        return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
      },
    };
  }

  it('serves both kinds of clients, in all workers', async () => {
    const { program, port, said, workers } = await startGateway();
    for (let i = 0; i < 6; i++) {
      const [early, late] = [await turbo(port), await plain(port)];
      expect(early.turbo?.carrier).to.equal('udp');
      for (const client of [early, late]) expect(await answerTo(client, 'hello')).to.equal('hello');
    }
    for (const socket of sockets) socket.end();
    const ends = await said('connection', 12);
    expect(new Set(ends.map(({ worker }) => worker))).to.deep.equal(new Set(await workers(2)));
    expect(ends.map(({ worker }) => worker)).not.to.include(program.process.pid);
    expect(ends.filter(({ carrier }) => carrier === 'turbo')).to.have.length(6);
  });

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`resumes in one worker what began in another: ${maxVersion}`, async () => {
      const { port, said } = await startGateway();
      const first = await plain(port, { maxVersion });
      let session = first.getSession();
      first.on('session', (fresh) => {
        session = fresh;
      });
      expect(await answerTo(first, 'hello')).to.equal('hello');
      // The first stays open: the next one goes to the other worker.
      const next = await plain(port, { maxVersion, session });
      expect(next.isSessionReused()).to.equal(true);
      for (const socket of [first, next]) socket.end();
      const ends = await said('connection', 2);
      expect(new Set(ends.map(({ worker }) => worker)).size).to.equal(2);
    });
  }

  it('loses with a worker that is killed its own connections alone; replaces it, and goes on counting', async () => {
    const { port, get, said, metric, workers } = await startGateway();
    const clients = [await plain(port), await plain(port), await plain(port), await plain(port)];
    for (const client of clients) expect(await answerTo(client, 'hello')).to.equal('hello');
    expect(await metric('turbotls_connections_started_total')).to.equal(4);
    const [killed = 0, other] = await workers(2);
    process.kill(killed, 'SIGKILL');
    const [died] = await said('worker died');
    expect(died).to.include({ worker: killed, signal: 'SIGKILL', connections: 2 });
    await until(() => clients.filter(({ destroyed }) => destroyed).length === 2, PATIENCE_MS);
    for (const client of clients) if (!client.destroyed) expect(await answerTo(client, 'on')).to.equal('on');
    const [, , successor] = await workers(3);
    expect(successor).not.to.be.oneOf([killed, other]);
    for (let i = 0; i < 4; i++) expect(await answerTo(await turbo(port), 'hello')).to.equal('hello');
    expect(await metric('turbotls_connections_started_total')).to.equal(8);
    expect(await metric('turbotls_worker_ends_total')).to.equal(1);
    expect((await get('/readyz')).status).to.equal(200);
  });

  it('is not ready where a backend is down in its workers, nor without workers', async () => {
    const { program, get, said } = await startGateway({
      more: {
        routes: [{ name: 'down', backend: { targets: ['127.0.0.1:1'], healthCheck: { interval: '0.1s' } } }],
      },
    });
    await said('target is down', 2);
    const ready = await get('/readyz');
    expect({ status: ready.status, text: await ready.text() }).to.deep.equal({
      status: 503,
      text: 'route down: no target is up\n',
    });
    expect((await get('/readyz/listening')).status).to.equal(200);
    for (const worker of workersOf(program)) process.kill(worker, 'SIGSTOP');
    const silent = await get('/readyz/listening');
    expect(silent.status).to.equal(503);
    expect(await silent.text()).to.match(/^worker \d+ does not answer\nworker \d+ does not answer\n$/);
    for (const worker of workersOf(program)) process.kill(worker, 'SIGCONT');
  });

  it('puts another configuration in force in all workers, and drops no connection', async () => {
    const { port, said, signal, metric } = await startGateway();
    const before = [await plain(port), await turbo(port)];
    const serve = (socket: Socket) => socket.on('data', () => socket.write('other')).on('end', () => socket.end());
    const other = await startEcho({ serve });
    await configure({ route: 'next', target: other.port });
    signal('SIGHUP');
    await said('configuration in force');
    const after = [await plain(port), await plain(port), await turbo(port), await turbo(port)];
    for (const client of after) expect(await answerTo(client, 'hello')).to.equal('other');
    for (const client of before) expect(await answerTo(client, 'hello')).to.equal('hello');
    expect(await metric('turbotls_reloads_total')).to.equal(1);
    for (const client of after) client.end();
    const routes = (await said('connection', 4)).map(({ route }) => route);
    expect(new Set(routes)).to.deep.equal(new Set(['next']));
  });

  it('keeps the configuration that it has where the next one cannot be used, or its key', async () => {
    const { port, said, signal, workers } = await startGateway();
    await configure({ more: { colour: 'red' } });
    signal('SIGHUP');
    const [unknown] = await said('configuration not usable, the one before stays');
    expect(unknown?.problem).to.match(/colour: is no key of Gateway/);
    // What the main process does not read, a worker does.
    await configure({ key: 'cert.pem' });
    signal('SIGHUP');
    const [, wrong] = await said('configuration not usable, the one before stays', 2);
    expect(wrong?.problem).to.match(/routes\[0\]\.terminate\.certificates\[0\]\.key: .*cert\.pem/);
    expect(await answerTo(await plain(port), 'hello')).to.equal('hello');
    // Nor does a worker that comes new.
    process.kill((await workers())[0] ?? 0, 'SIGKILL');
    await said('worker serves', 3);
    for (let i = 0; i < 2; i++) expect(await answerTo(await plain(port), 'hello')).to.equal('hello');
  });

  it('changes how many workers there are', async () => {
    const { port, said, signal, program } = await startGateway({ workers: 1 });
    const before = await plain(port);
    for (const workers of [3, 1]) {
      await configure({ workers });
      signal('SIGHUP');
      await said('configuration in force', workers === 3 ? 1 : 2);
      await until(() => workersOf(program).length === workers, PATIENCE_MS);
    }
    expect(await answerTo(before, 'hello')).to.equal('hello');
    expect(await answerTo(await plain(port), 'hello')).to.equal('hello');
  });

  it('drains at SIGTERM to all its processes, as systemd sends it', async () => {
    const { program, port, said, workers } = await startGateway();
    const clients = [await plain(port), await plain(port)];
    for (const client of clients) expect(await answerTo(client, 'hello')).to.equal('hello');
    for (const pid of [program.process.pid ?? 0, ...(await workers(2))]) process.kill(pid, 'SIGTERM');
    expect((await said('draining'))[0]).to.include({ connections: 2, deadlineMs: 30_000 });
    for (const client of clients) expect(await answerTo(client, 'still here')).to.equal('still here');
    for (const client of clients) client.end();
    const { code, stderr } = await program.ended;
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(await said('worker ended', 2)).to.have.length(2);
  });

  it('ends at once where it is told so twice, with its workers', async () => {
    const { program, port, said, workers } = await startGateway();
    const client = await plain(port);
    const pids = await workers(2);
    for (const pid of [program.process.pid ?? 0, ...pids]) process.kill(pid, 'SIGINT');
    await said('draining');
    for (const pid of [program.process.pid ?? 0, ...pids]) process.kill(pid, 'SIGINT');
    expect((await program.ended).code).to.equal(130);
    await until(() => !pids.some(isAlive), PATIENCE_MS);
    await until(() => client.destroyed, PATIENCE_MS);
  });

  it('leaves no worker behind where it is killed', async () => {
    const { program, port, workers } = await startGateway({ more: { limits: { drainTimeout: '0.5s' } } });
    const client = await plain(port);
    const pids = await workers(2);
    program.process.kill('SIGKILL');
    expect(await answerTo(client, 'still here')).to.equal('still here');
    await until(() => !pids.some(isAlive), PATIENCE_MS);
  });

  it('serves one backend by options', async () => {
    const files = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem'), '--workers', '2'];
    const to = ['--to', `127.0.0.1:${backend.port}`];
    const gateway = startTurbotls('gateway', '--listen', '127.0.0.1:0', ...to, ...files);
    const port = await portOf(gateway);
    expect(await answerTo(await turbo(port), 'hello')).to.equal('hello');
    expect(workersOf(gateway)).to.have.length(2);
  });

  it('says what is wrong with options, as without workers', async () => {
    const files = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'cert.pem')];
    const options = ['gateway', '--listen', '127.0.0.1:0', '--to', '127.0.0.1:1', ...files];
    const alone = await runTurbotls(...options);
    const withWorkers = await runTurbotls(...options, '--workers', '2');
    expect({ code: withWorkers.code, stderr: withWorkers.stderr }).to.deep.equal({ code: 2, stderr: alone.stderr });
    expect(alone.stderr).to.match(/^turbotls: --key: .*cert\.pem\n/);
  });

  it('loses no signal that comes while workers start: SIGHUP', async () => {
    const program = startTurbotls('gateway', '--config', await configure());
    await until(() => workersOf(program).length === 2, PATIENCE_MS);
    program.process.kill('SIGHUP');
    await program.said(/"msg":"configuration in force"/);
  });

  it('loses no signal that comes while workers start: SIGTERM to all its processes', async () => {
    const program = startTurbotls('gateway', '--config', await configure());
    await until(() => workersOf(program).length === 2, PATIENCE_MS);
    for (const pid of [program.process.pid ?? 0, ...workersOf(program)]) process.kill(pid, 'SIGTERM');
    const { code, stderr } = await program.ended;
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
  });

  it('says why it cannot serve, as without workers', async () => {
    for (const workers of [2, 0]) {
      const changes = workers ? { workers } : { workers: undefined };
      const bad = await runTurbotls('gateway', '--config', await configure({ ...changes, key: 'cert.pem' }));
      expect(bad.code).to.equal(1);
      expect(bad.stderr).to.match(
        /^turbotls: The configuration cannot be used: .*\n {2}(line 1: )?routes\[0\]\.terminate\.certificates\[0\]\.key: .*cert\.pem\n$/,
      );
      const { port } = await startEcho();
      const path = await configure({ ...changes, more: { listen: [`127.0.0.1:${port}`] } });
      const taken = await runTurbotls('gateway', '--config', path);
      expect(taken.code).to.equal(1);
      expect(taken.stderr).to.match(/^turbotls: .*127\.0\.0\.1:\d+.*EADDRINUSE.*\(another program has this/);
    }
    const wrong = await runTurbotls('gateway', '--config', await configure({ workers: 'many' }));
    expect(wrong.stderr).to.match(/workers: must be a whole number from 1 to 256, or "auto", not "many"/);
  });
});

/** What a busy machine may take. */
const PATIENCE_MS = 20_000;

function linesOf({ process: { stdout } }: Program): Line[] {
  const lines: Line[] = [];
  let rest = '';
  stdout?.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as Line));
  });
  return lines;
}

function workersOf({ process: { pid } }: Program): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
