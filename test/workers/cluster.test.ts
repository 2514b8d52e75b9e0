/** Workers of node:cluster share ports by turbotls as they do by Node: the same is asked of both. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { get } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import type { TurboSocket } from '../../src/experimental.js';
import { takeUdpPort } from '../support/ports.js';
import type { ClusterSettings } from './cluster-messages.js';
import { ClusterRig, isAlive, type Reached } from './cluster-rig.js';
import { echoed, until } from './rig.js';

/** A session that nobody claims keeps its worker for so long, and a little. */
const SESSION_MS = 15_000;
const SERIALIZATIONS = ['json', 'advanced'] as const;

let rig: ClusterRig;
let pids: number[];

/** One worker, and the other. */
async function start(settings: Partial<ClusterSettings> = {}, workers = 2): Promise<[number, number]> {
  ({ rig, pids } = await ClusterRig.start(settings, workers));
  pids.sort();
  return pids as [number, number];
}

async function failure(promise: Promise<unknown>): Promise<NodeJS.ErrnoException & { port?: number }> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  );
}

async function echoes({ socket }: Reached<import('node:tls').TLSSocket>, text = 'and back'): Promise<void> {
  expect((await echoed(socket, Buffer.from(text))).toString()).to.equal(text);
}

/** Node's own take part where time is no matter: to see that what is asked of turbotls is what Node does. */
const isLong = process.env.TURBOTLS_LONG === '1';

for (const servers of isLong ? (['node', 'turbo'] as const) : (['turbo'] as const)) {
  describe(`servers of ${servers === 'turbo' ? 'turbotls' : 'node:tls'} in a cluster`, function () {
    this.timeout(30_000);

    afterEach(() => rig.close());

    for (const policy of ['rr', 'none'] as const) {
      for (const serialization of isLong ? SERIALIZATIONS : [SERIALIZATIONS[policy === 'rr' ? 0 : 1]]) {
        it(`share a port: policy '${policy}', serialization '${serialization}'`, async () => {
          const [one, two] = await start({ servers, policy, serialization });
          const port = await rig.listen(one);
          expect(await rig.listen(two), 'port 0 is the same number in all').to.equal(port);
          const reached = await Promise.all([0, 1, 2, 3].map(() => rig.plain(port)));
          for (const each of reached) await echoes(each);
          for (const { pid } of reached) expect(pids).to.include(pid);
          // The kernel says who accepts, with 'none': one may have all.
          if (policy === 'rr' || servers === 'turbo') await untilSpread(port, [one, two]);
        });
      }
    }

    it('close in one worker while others go on, and listen again', async () => {
      const [one, two] = await start({ servers });
      const port = await freePort();
      await rig.listen(one, port);
      await rig.listen(two, port);
      expect(await rig.ask(one, 'close', 'one')).to.equal(undefined);
      await untilSpread(port, [two]);
      expect(await rig.listen(one, port)).to.equal(port);
      await untilSpread(port, [one, two]);
      const { events, listening } = await rig.ask(one, 'state', 'one');
      expect(events).to.deep.equal(['listening', 'close', 'listening']);
      expect(listening).to.equal(true);
      expect(await rig.ask(one, 'close', 'one')).to.equal(undefined);
      expect(await rig.ask(one, 'close', 'one')).to.equal('ERR_SERVER_NOT_RUNNING');
    });

    it('free the port when the last one closes; connections go on', async () => {
      const [one, two] = await start({ servers });
      const port = await freePort();
      for (const pid of [one, two]) await rig.listen(pid, port);
      const reached = await rig.plain(port);
      const closes = [one, two].map((pid) => rig.ask(pid, 'close', 'one'));
      await untilRefused(port);
      await echoes(reached);
      reached.socket.destroy();
      expect(await Promise.all(closes)).to.deep.equal([undefined, undefined]);
    });

    it('have several ports in one worker', async () => {
      const [one, two] = await start({ servers });
      const first = await rig.listen(one);
      const second = await rig.listen(one, 0, { name: 'two' });
      expect(second).not.to.equal(first);
      expect(await rig.listen(two)).to.equal(first);
      expect(await rig.listen(two, 0, { name: 'two' })).to.equal(second);
      await untilSpread(first, [one, two]);
      await untilSpread(second, [one, two]);
      await rig.ask(one, 'close', 'one');
      await untilSpread(first, [two]);
      await untilSpread(second, [one, two]);
    });

    it('fail where the primary cannot have the port, and may try again', async () => {
      const [one] = await start({ servers }, 1);
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      const error = await failure(rig.listen(one, port));
      expect(error).to.include({ code: 'EADDRINUSE', port });
      taken.close();
      await once(taken, 'close');
      expect(await rig.listen(one, port)).to.equal(port);
      expect((await rig.ask(one, 'state', 'one')).events).to.deep.equal(['error EADDRINUSE', 'listening']);
    });

    it('fail where a worker listens twice on one address', async () => {
      const [one] = await start({ servers }, 1);
      const port = await rig.listen(one);
      expect(await failure(rig.listen(one, port, { name: 'two' }))).to.include({ code: 'EADDRINUSE' });
      await untilSpread(port, [one]);
    });

    it('refuse a port that is none at once', async () => {
      const [one] = await start({ servers }, 1);
      expect(await failure(rig.listen(one, 65_536))).to.include({ code: 'ERR_SOCKET_BAD_PORT' });
      expect((await rig.ask(one, 'state', 'one')).events).to.deep.equal([]);
    });

    it('have a port of their own with `exclusive`', async () => {
      const [one, two] = await start({ servers });
      const exclusive = { options: { exclusive: true } };
      const port = await rig.listen(one, 0, exclusive);
      expect(await failure(rig.listen(two, port, exclusive))).to.include({ code: 'EADDRINUSE', port });
      expect(await rig.listen(two, 0, { ...exclusive, name: 'two' }), 'port 0 is another in each').not.to.equal(port);
      const { pid, socket } = servers === 'turbo' ? await rig.turbo(port) : await rig.plain(port);
      expect(pid).to.equal(one);
      if (servers === 'turbo') expect((socket as TurboSocket).turbo?.carrier).to.equal('udp');
    });

    it('listen on a Unix socket', async () => {
      const [one] = await start({ servers }, 1);
      const folder = mkdtempSync(join(tmpdir(), 'turbotls-cluster-'));
      try {
        const path = join(folder, 'socket');
        expect(await rig.ask(one, 'listen', { name: 'one', options: { path } })).to.deep.equal({ path });
        const socket = connectTls({ path, ca: rig.certificate.ca, servername: 'localhost' });
        expect(String((await once(socket, 'data'))[0])).to.equal(`${one} `);
        socket.destroy();
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('end with a worker that is killed; others go on, and a new one serves', async () => {
      const [one, two] = await start({ servers });
      const port = await freePort();
      for (const pid of [one, two]) await rig.listen(pid, port);
      const reached = await Promise.all([0, 1, 2, 3].map(() => rig.plain(port)));
      process.kill(one, 'SIGKILL');
      await delayUntil(async () => (await rig.ask(undefined, 'exits')).length === 1);
      await until(() => reached.every(({ pid, socket }) => pid === two || socket.destroyed), 'the dead one’s are lost');
      for (const each of reached.filter(({ pid }) => pid === two)) await echoes(each);
      await untilSpread(port, [two]);
      const next = await rig.fork();
      expect(await rig.listen(next, port)).to.equal(port);
      await untilSpread(port, [two, next].sort());
      expect(await rig.ask(undefined, 'exits')).to.deep.equal([
        { pid: one, code: null, signal: 'SIGKILL', wanted: false },
      ]);
    });

    for (const where of ['primary', 'worker'] as const) {
      it(`close and let connections end where a worker disconnects, by the ${where}`, async () => {
        const [one, two] = await start({ servers });
        const port = await freePort();
        for (const pid of [one, two]) await rig.listen(pid, port);
        const reached = await Promise.all([0, 1, 2, 3].map(() => rig.plain(port)));
        const kept = reached.find(({ pid }) => pid === one) as (typeof reached)[0];
        if (where === 'primary') await rig.ask(undefined, 'disconnectWorker', one);
        else await rig.ask(one, 'disconnect');
        await untilSpread(port, [two]);
        await echoes(kept);
        expect(isAlive(one)).to.equal(true);
        for (const { socket } of reached) socket.destroy();
        await delayUntil(async () => (await rig.ask(undefined, 'exits')).length === 1);
        expect(await rig.ask(undefined, 'exits')).to.deep.equal([{ pid: one, code: 0, signal: null, wanted: true }]);
        await untilSpread(port, [two]);
        if (where === 'primary') await rig.ask(undefined, 'disconnectWorker', two);
        else await rig.ask(two, 'disconnect');
        await untilRefused(port);
      });
    }

    it('end with cluster.disconnect(), and the primary by itself', async () => {
      const [one, two] = await start({ servers });
      const port = await freePort();
      for (const pid of [one, two]) await rig.listen(pid, port);
      const { socket } = await rig.plain(port);
      socket.destroy();
      await rig.ask(undefined, 'disconnectAll');
      expect(await rig.ended).to.deep.equal({ code: 0, signal: null });
      await untilRefused(port);
      expect(rig.stderr).to.equal('');
    });

    it('do not keep a primary whose workers have all been killed', async () => {
      const [one, two] = await start({ servers });
      for (const pid of [one, two]) await rig.listen(pid);
      await rig.ask(undefined, 'endAlone');
      for (const pid of [one, two]) process.kill(pid, 'SIGKILL');
      expect(await rig.ended).to.deep.equal({ code: 0, signal: null });
    });

    it('end with their primary', async () => {
      const [one, two] = await start({ servers });
      const port = await freePort();
      for (const pid of [one, two]) await rig.listen(pid, port);
      rig.primary.kill('SIGKILL');
      await until(() => !isAlive(one) && !isAlive(two), 'the workers have ended');
      await untilRefused(port);
    });

    for (const kind of ['https', 'http2'] as const) {
      it(`are ${kind} too`, async () => {
        const [one, two] = await start({ servers });
        const port = await freePort();
        for (const pid of [one, two]) await rig.listen(pid, port, { kind });
        const said = new Set<string>();
        const ask = () => (kind === 'https' ? fetched(port) : fetched2(port));
        await delayUntil(async () => {
          for (const each of await Promise.all([ask(), ask(), ask(), ask()])) said.add(each);
          return said.size === 2;
        });
        expect([...said].sort()).to.deep.equal([String(one), String(two)]);
        expect(await rig.ask(one, 'close', 'one')).to.equal(undefined);
        await delayUntil(async () => (await ask().catch(() => '')) === String(two));
      });
    }
  });
}

describe('TurboTLS in a cluster', function () {
  this.timeout(isLong ? 90_000 : 30_000);

  afterEach(() => rig?.close());

  for (const serialization of SERIALIZATIONS) {
    it(`goes over UDP to all workers: serialization '${serialization}'`, async () => {
      const [one, two] = await start({ serialization });
      const port = await freePort();
      for (const pid of [one, two]) await rig.listen(pid, port);
      const count = new Map([one, two].map((pid) => [pid, 0]));
      for (let i = 0; i < 12; i++) {
        const reached = await rig.turbo(port, { turbo: { firstContact: i % 2 ? 'careful' : 'fast' } });
        expect(reached.socket.turbo?.carrier).to.equal('udp');
        await echoes(reached, 'x'.repeat(100_000));
        count.set(reached.pid, (count.get(reached.pid) ?? 0) + 1);
      }
      expect(Math.min(...count.values()), 'connections of each').to.be.at.least(3);
    });
  }

  it('carries 200 connections at once', async () => {
    const [one, two] = await start({ serialization: 'advanced' });
    const port = await freePort();
    for (const pid of [one, two]) await rig.listen(pid, port);
    const all = await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? rig.turbo(port) : rig.plain(port))));
    await Promise.all(all.map((each, i) => echoes(each, `connection ${i}`)));
    for (const pid of [one, two]) expect(all.filter((each) => each.pid === pid).length).to.be.above(40);
    for (const { socket } of all) socket.destroy();
  });

  it('counts connections, and drops what is above maxConnections', async () => {
    const [one] = await start({}, 1);
    const port = await rig.listen(one, 0, { maxConnections: 2 });
    const two = [await rig.plain(port), await rig.turbo(port)];
    await failure(rig.plain(port));
    const { connections, events } = await rig.ask(one, 'state', 'one');
    expect({ connections, events }).to.deep.equal({ connections: 2, events: ['listening', 'drop'] });
    for (const { socket } of two) socket.destroy();
    await delayUntil(async () => (await rig.ask(one, 'state', 'one')).connections === 0);
    await rig.plain(port);
  });

  it('resumes sessions in every worker with ticket keys that all have', async () => {
    const [one, two] = await start({ ticketKeys: randomBytes(48).toString('hex') });
    const port = await freePort();
    for (const pid of [one, two]) await rig.listen(pid, port);
    const first = await rig.turbo(port);
    const session = first.socket.getSession();
    if (!session) throw new Error('no session');
    const again = await Promise.all([0, 1, 2, 3].map(() => rig.turbo(port, { session })));
    expect(again.map(({ socket }) => [socket.isSessionReused(), socket.turbo?.carrier])).to.deep.equal(
      Array(4).fill([true, 'udp']),
    );
    expect(new Set(again.map(({ pid }) => pid)).size).to.equal(2);
  });

  it('is shared by TurboListener', async () => {
    const [one, two] = await start();
    const port = await rig.listen(one, 0, { kind: 'listener' });
    expect(await rig.listen(two, 0, { kind: 'listener' })).to.equal(port);
    const reached = await Promise.all([0, 1, 2, 3].map((i) => (i % 2 ? rig.turbo(port) : rig.plain(port))));
    expect(new Set(reached.map(({ pid }) => pid)).size).to.equal(2);
    const carriers = reached.map(({ socket }) => (socket as Partial<TurboSocket>).turbo?.carrier);
    expect(carriers).to.deep.equal([undefined, 'udp', undefined, 'udp']);
    for (const { socket } of reached) socket.destroy();
    await rig.ask(one, 'close', 'one');
    expect((await rig.turbo(port)).pid).to.equal(two);
  });

  it('is TurboListener’s own with `exclusive`', async () => {
    const [one, two] = await start();
    const exclusive = { kind: 'listener', options: { exclusive: true } } as const;
    const port = await rig.listen(one, 0, exclusive);
    expect(await rig.listen(two, 0, exclusive), 'port 0 is another in each').not.to.equal(port);
    expect((await rig.turbo(port)).pid).to.equal(one);
  });

  it('is a worker’s own with a network that the caller gives', async () => {
    const [one, two] = await start();
    const port = await rig.listen(one, 0, { own: true });
    expect((await failure(rig.listen(two, port))).code, 'the primary of node:cluster has it').to.equal('EADDRINUSE');
    expect((await rig.turbo(port)).socket.turbo?.carrier).to.equal('udp');
  });

  it('loses no connection where the primary disconnects a worker', async function () {
    if (!isLong) this.skip(); // sessions that nobody claims may keep a worker for 10 s
    await start({}, 1);
    const [one] = pids as [number];
    const port = await freePort();
    await rig.listen(one, port);
    let over = false;
    let made = 0;
    const load = Array.from({ length: 4 }, async () => {
      while (!over) {
        // A datagram that comes too late for the worker is lost: TCP goes on.
        const reached = await rig.turbo(port, { turbo: { firstContact: 'fast', limits: { graceMinMs: 2 } } });
        await echoes(reached);
        reached.socket.destroy();
        made++;
      }
    });
    for (let i = 0; i < 4; i++) {
      const next = await rig.fork();
      await rig.listen(next, port);
      await rig.ask(undefined, 'disconnectWorker', pids.shift() as number);
      pids.push(next);
      await delayUntil(async () => (await rig.ask(undefined, 'exits')).length === i + 1, SESSION_MS);
    }
    over = true;
    await Promise.all(load);
    expect(made).to.be.above(0);
  });

  it('needs a line in the primary, and says which', async () => {
    const [one] = await start({ share: false, frontTimeoutMs: 300 }, 1);
    const kinds = ['tls', 'https', 'listener'] as const;
    const errors = await Promise.all(kinds.map((kind) => failure(rig.listen(one, 0, { name: kind, kind }))));
    for (const error of errors) {
      expect(error.code).to.equal('ERR_WORKERS_NO_FRONT');
      expect(error.message).to.contain("import { sharePorts } from 'turbotls/cluster'; sharePorts();");
    }
    expect((await rig.ask(one, 'state', 'tls')).listening).to.equal(false);
  });

  it('is for servers that are attached before they listen', async () => {
    const [one] = await start({}, 1);
    const error = await failure(rig.listen(one, 0, { attachLate: true }));
    expect(error).to.include({ code: 'ERR_WORKERS_STATE' });
    expect(error.message).to.contain('attach before listen');
    expect((await rig.ask(one, 'state', 'one')).listening).to.equal(false);
  });
});

describe('sharePorts', function () {
  this.timeout(30_000);

  afterEach(() => rig.close());

  it('is for workers that were forked before, too', async () => {
    const [one, two] = await start({ share: false, shareLate: true });
    const port = await rig.listen(one);
    expect(await rig.listen(two)).to.equal(port);
    expect((await rig.turbo(port)).socket.turbo?.carrier).to.equal('udp');
  });

  it('gives the same front each time, and refuses other options', async () => {
    await start({}, 0);
    expect(await rig.ask(undefined, 'sharePorts')).to.equal('the same');
    expect(await rig.ask(undefined, 'sharePorts', { limits: { pingMs: 1000 } })).to.equal('the same');
    expect(await rig.ask(undefined, 'sharePorts', { limits: { pingMs: 1001 } })).to.match(
      /^ERR_WORKERS_STATE .*pingMs/,
    );
  });

  it('is for the primary', async () => {
    const [one] = await start({}, 1);
    expect(await rig.ask(one, 'shareInWorker')).to.match(/^ERR_WORKERS_STATE .*for the primary/);
  });
});

/** For TCP and UDP. */
async function freePort(): Promise<number> {
  const { socket, port } = await takeUdpPort();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** A worker serves a little later than it listens; what is on its way to one that closes is reset. */
async function untilSpread(port: number, over: number[]): Promise<void> {
  await delayUntil(async () => (await rig.spread(port).catch(() => [])).join() === over.join());
}

async function untilRefused(port: number): Promise<void> {
  await delayUntil(async () => {
    const attempt = rig.plain(port).then(
      ({ socket }) => void socket.destroy(),
      (reason: NodeJS.ErrnoException) => reason,
    );
    // One that Node's primary has accepted, and that no worker takes, hangs.
    const error = await Promise.race([attempt, delay(500, undefined)]);
    return error?.code === 'ECONNREFUSED';
  });
}

async function delayUntil(holds: () => Promise<boolean>, withinMs = 8000): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 10) {
    if (waited > withinMs) throw new Error(`Waited in vain until ${holds}`);
    await delay(10);
  }
}

async function fetched(port: number): Promise<string> {
  const request = get({ host: '127.0.0.1', port, ca: rig.certificate.ca, servername: 'localhost', agent: false });
  const [response] = await once(request, 'response');
  return String((await once(response, 'data'))[0]);
}

async function fetched2(port: number): Promise<string> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: rig.certificate.ca, servername: 'localhost' });
  session.on('error', () => {});
  const request = session.request({ ':path': '/' });
  request.end();
  const [said] = await once(request, 'data');
  session.close();
  return String(said);
}
