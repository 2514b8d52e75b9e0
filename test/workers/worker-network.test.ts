/** Listening in a worker, with a real front and a real process. */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { FrontLink } from '../../src/workers/front-link.js';
import { Front } from '../../src/workers/index.js';
import { encodeToWorker } from '../../src/workers/messages.js';
import type { Outcome, Scenario } from './network-child.js';
import { until } from './rig.js';

const module = new URL('./network-child.js', import.meta.url);
const host = '127.0.0.1';

describe('listening in a worker', () => {
  let front: Front;
  let child: ChildProcess | undefined;
  let port: number;

  beforeEach(async () => {
    front = new Front();
    port = await freePort();
  });

  afterEach(async () => {
    front.close();
    if (child && child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    child = undefined;
  });

  async function run(scenario: Scenario): Promise<Outcome> {
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    const forked = fork(module, [scenario, String(port)], { execArgv });
    child = forked;
    front.add(forked);
    return new Promise((resolve) => {
      forked.on('message', (message: Outcome) => {
        if ('ports' in message || 'error' in message) resolve(message);
      });
    });
  }

  for (const scenario of ['again', 'again-held'] as const) {
    it(`serves an address that was just left${scenario === 'again' ? '' : ', held until all is ready'}`, async () => {
      expect(await run(scenario)).to.deep.equal({ ports: [port] });
      await until(() => front.workers.some(({ serving }) => serving), 'it serves');
      expect(await said(port)).to.equal('second');
    });
  }

  it('with port 0 has a port of its own each time, whatever else was left', async () => {
    const { ports } = (await run('indexes')) as { ports: number[] };
    expect(new Set(ports).size).to.equal(2);
    await until(() => front.workers.some(({ serving }) => serving), 'it serves');
    expect(await said(ports[0] as number)).to.equal('first');
    expect(await said(ports[1] as number)).to.equal('second');
  });

  it('finds an address in use that it serves itself, as net does', async () => {
    const { error } = (await run('twice')) as { error: Record<string, unknown> };
    expect(error).to.deep.equal(await errorOfNet());
    await until(() => front.workers.some(({ serving }) => serving), 'it serves');
    expect(await said(port)).to.equal('first');
  });

  async function errorOfNet() {
    const [first, second] = [createServer(), createServer()];
    await once(first.listen(0, host), 'listening');
    const taken = (first.address() as AddressInfo).port;
    const [error] = (await once(second.listen(taken, host), 'error')) as [Error];
    first.close();
    const message = error.message.replace(String(taken), String(port));
    return { ...error, port, message };
  }
});

describe('the end of the channel in a worker', () => {
  it('hands on the connections that came before it tells of a drain', async () => {
    const server = createServer().listen(0, host);
    const client = connect((await listening(server)).port, host);
    const [socket] = (await once(server, 'connection')) as [Socket];
    const front = Object.assign(new EventEmitter(), { connected: true, send: () => true });
    const say = (message: Parameters<typeof encodeToWorker>[0], handle?: Socket) =>
      front.emit('message', { 'turbotls.worker.v1': Buffer.from(encodeToWorker(message)).toString('base64') }, handle);
    const link = new FrontLink(front);
    const opened = link.listen({ host, port: 0, ipv6Only: false, backlog: 0 });
    say({ listening: { request: 1, portId: 7, address: host, family: 'IPv4', port: 1, failure: null } });
    const seen: string[] = [];
    link.receive(await opened, { onConnection: () => seen.push('connection') });
    link.drain$.subscribe((deadlineMs) => seen.push(`drain ${deadlineMs}`));
    link.told$.subscribe((bytes) => seen.push(`told ${bytes}`));
    say({ connection: { portId: 7, head: Buffer.from('head') } }, socket);
    say({ drain: { deadlineMs: 5 } });
    say({ told: Buffer.from('last') });
    await until(() => seen.length === 3, 'all has come');
    expect(seen).to.deep.equal(['connection', 'drain 5', 'told last']);
    link.close();
    client.destroy();
    socket.destroy();
    server.close();
  });
});

async function listening(server: Server): Promise<AddressInfo> {
  if (!server.listening) await once(server, 'listening');
  return server.address() as AddressInfo;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  const { port } = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

async function said(port: number): Promise<string> {
  const socket = connect(port, host).setEncoding('utf8');
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  // The front waits for first bytes.
  socket.write('PROXY hello\r\n');
  await once(socket, 'close');
  return heard;
}
