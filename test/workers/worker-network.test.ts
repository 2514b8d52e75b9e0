/** Listening in a worker, with a real front and a real process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect } from 'chai';
import { Front } from '../../src/workers/index.js';
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
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
