import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { BackendConnection, BackendEvent, BackendPool } from '../../../src/gateway/backend/index.js';
import { BACKOFF_MIN_MS } from '../../../src/gateway/backend/target.js';
import { ManualClock } from '../../support/manual-clock.js';
import { CLIENT, listen, never, Rig, rejection, type Scripted, until } from './rig.js';

/** What a pool reports, in short: "up 1", "down 0". */
function recorder(servers: readonly Scripted[]) {
  const events: string[] = [];
  const onEvent = ({ state, target }: BackendEvent) => {
    events.push(`${state} ${servers.findIndex(({ address }) => address.port === target.port)}`);
  };
  return { events, onEvent };
}

describe('gateway backend: pool', () => {
  const rig = Rig.use();

  async function servers(count: number): Promise<Scripted[]> {
    return Promise.all(Array.from({ length: count }, () => rig.serve()));
  }

  async function dialMany(pool: BackendPool, count: number): Promise<BackendConnection[]> {
    return Promise.all(Array.from({ length: count }, () => rig.dial(pool)));
  }

  describe('balancing', () => {
    it('round-robin: each in turn', async () => {
      const all = await servers(3);
      const pool = rig.pool(all);
      const targets: number[] = [];
      for (let count = 0; count < 7; count++) {
        const { target } = await rig.dial(pool);
        targets.push(all.findIndex(({ address }) => address.port === target.port));
      }
      expect(targets).to.deep.equal([0, 1, 2, 0, 1, 2, 0]);
    });

    it('least-connections: those that are being made count as well', async () => {
      const all = await servers(3);
      const pool = rig.pool(all, { balance: 'least-connections' });
      const connections = await dialMany(pool, 9);
      expect(pool.targets.map(({ connections }) => connections)).to.deep.equal([3, 3, 3]);
      const [gone] = connections.filter(({ target }) => target.port === all[1]?.address.port);
      gone?.release();
      gone?.release();
      expect(pool.targets.map(({ connections }) => connections)).to.deep.equal([3, 2, 3]);
      expect((await rig.dial(pool)).target).to.deep.equal(all[1]?.address);
    });

    it('source: an address keeps its target, and gets another one only while that is down', async () => {
      const all = await servers(3);
      const pool = rig.pool(all, { balance: 'source' });
      const portOf = async (address: string) => (await rig.dial(pool, { address })).target.port;
      const clients = Array.from({ length: 60 }, (_, index) => `10.0.0.${index}`); // that one target has none: 1 in 10^10
      const first = await Promise.all(clients.map(portOf));
      expect(await Promise.all(clients.map(portOf))).to.deep.equal(first);
      expect(new Set(first).size).to.equal(3);
      await all[0]?.close();
      const second = await Promise.all(clients.map(portOf));
      for (const [index, port] of first.entries()) {
        if (port !== all[0]?.address.port) expect(second[index]).to.equal(port);
        else expect(second[index]).not.to.equal(port);
      }
    });
  });

  describe('a target that is down', () => {
    it('is passed over at once, reported once, and left alone until its backoff is over', async () => {
      const clock = new ManualClock();
      const all = await servers(2);
      const [first, second] = all as [Scripted, Scripted];
      await first.close();
      const { events, onEvent } = recorder(all);
      const pool = rig.pool(all, {}, { clock, onEvent });
      await dialMany(pool, 4);
      expect(events).to.deep.equal(['down 0']);
      expect(pool.targets[0]).to.include({ healthy: false, connections: 0 });
      expect(pool.targets[0]?.lastError).to.have.property('code', 'ECONNREFUSED');
      await until(() => second.accepted === 4, 'the other one has all');

      await first.open();
      clock.advance(BACKOFF_MIN_MS - 1);
      await dialMany(pool, 4);
      await until(() => second.accepted === 8, 'the other one has all');
      expect(first.accepted).to.equal(0);
      clock.advance(1);
      await dialMany(pool, 2);
      await dialMany(pool, 2);
      expect(events).to.deep.equal(['down 0', 'up 0']);
      await until(() => first.accepted > 0, 'it is used again');
      expect(pool.targets[0]).to.include({ healthy: true, lastError: undefined });
    });

    it('is tried by one connection at a time', async () => {
      const clock = new ManualClock();
      // It takes connections and never answers.
      const silent = await rig.serve(listen);
      const good = await rig.serve((socket) => {
        socket.once('data', () => socket.write('S'));
        listen(socket);
      });
      const pool = rig.pool([silent, good], { transport: 'postgres', connectTimeoutMs: 100 }, { clock });
      const attempt = rig.dial(pool);
      await until(() => silent.accepted === 1, 'the first target is tried');
      clock.advance(100);
      expect((await attempt).target).to.deep.equal(good.address);
      expect(pool.targets[0]?.lastError).to.have.property('code', 'ERR_GATEWAY_BACKEND_TIMEOUT');

      clock.advance(BACKOFF_MIN_MS);
      let served = 0;
      const attempts = Array.from({ length: 6 }, async () => {
        expect((await rig.dial(pool)).target).to.deep.equal(good.address);
        served++;
      });
      await until(() => served === 5, 'all but one are served at once');
      await until(() => silent.accepted === 2, 'that one tries');
      clock.advance(100);
      await Promise.all(attempts);
      // Twice as long from now on.
      clock.advance(2 * BACKOFF_MIN_MS - 1);
      await dialMany(pool, 3);
      expect(silent.accepted).to.equal(2);
    });

    it('is still tried when all are, and the error tells of each', async () => {
      const all = await servers(3);
      for (const server of all) await server.close();
      const { events, onEvent } = recorder(all);
      const pool = rig.pool(all, {}, { onEvent, clock: new ManualClock() });
      const error = await rejection(pool.dial(CLIENT, never()));
      expect(error).to.include({ code: 'ERR_GATEWAY_BACKEND', retryable: true });
      expect((error.cause as AggregateError).errors.map(({ code }) => code)).to.deep.equal(
        Array(3).fill('ECONNREFUSED'),
      );
      for (const { address } of all) expect(error.message).to.include(`127.0.0.1:${address.port}`);
      expect(events.sort()).to.deep.equal(['down 0', 'down 1', 'down 2']);
      await all[1]?.open();
      expect((await rig.dial(pool)).target).to.deep.equal(all[1]?.address);
      expect(events).to.include('up 1');
    });

    it('alone is tried by every connection', async () => {
      const server = await rig.serve();
      const pool = rig.pool([server], {}, { clock: new ManualClock() });
      await server.close();
      expect((await rejection(pool.dial(CLIENT, never()))).cause).to.have.property('code', 'ECONNREFUSED');
      await server.open();
      expect((await rig.dial(pool)).target).to.deep.equal(server.address);
    });

    it('is found again while connections come in without a pause', async () => {
      const all = await servers(2);
      const clock = new ManualClock();
      const { events, onEvent } = recorder(all);
      const pool = rig.pool(all, { balance: 'least-connections' }, { clock, onEvent });
      for (let round = 0; round < 5; round++) {
        await all[0]?.close();
        await dialMany(pool, 10);
        await all[0]?.open();
        clock.advance(60_000);
        await dialMany(pool, 10);
        expect(pool.targets[0]?.healthy).to.equal(true);
      }
      expect(events).to.deep.equal(Array(5).fill(['down 0', 'up 0']).flat());
    });
  });

  it('blames no target for a want of descriptors', async function () {
    this.timeout(30_000);
    const child = fileURLToPath(new URL('descriptors-child.js', import.meta.url));
    const script = `ulimit -n 60 && exec "${process.execPath}" "${child}"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script]);
    const { codes, healthy, events } = JSON.parse(stdout);
    expect(codes).to.include('EMFILE');
    expect(codes.every((code: string) => code === 'EMFILE')).to.equal(true);
    expect({ healthy, events }).to.deep.equal({ healthy: true, events: [] });
  });
});
