import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { BackendEvent } from '../../../src/gateway/backend/index.js';
import type { BackendPlan } from '../../../src/gateway/plan.js';
import { readProxyHeader } from '../../../src/wire/proxy-protocol.js';
import { ManualClock } from '../../support/manual-clock.js';
import { CLIENT, listen, never, Rig, rejection, type Scripted, until } from './rig.js';

const HEALTH = { intervalMs: 1_000, timeoutMs: 200 };
/** When a check is due, at the earliest and at the latest. */
const EARLIEST_MS = 800;
const LATEST_MS = 1_200;
const STEP_MS = 20;

/** Virtual time goes on, slowly enough for the network, until it holds; for as long as one check needs at most. */
async function advanceUntil(clock: ManualClock, holds: () => boolean, what: string): Promise<void> {
  const end = clock.now() + LATEST_MS;
  while (!holds() && clock.now() < end) {
    clock.advance(STEP_MS);
    await delay(5);
  }
  await until(holds, what);
}

describe('gateway backend: health checks', () => {
  const rig = Rig.use();

  function checked(servers: readonly Scripted[], changes: Partial<BackendPlan> = {}) {
    const clock = new ManualClock();
    const events: BackendEvent[] = [];
    const onEvent = (event: BackendEvent) => events.push(event);
    const pool = rig.pool(servers, { health: HEALTH, ...changes }, { clock, onEvent });
    return { clock, events, pool };
  }

  it('find a target that went, and that it is back, without any connection of a client', async () => {
    const server = await rig.serve(listen);
    const { clock, events, pool } = checked([server]);
    await server.close();
    await advanceUntil(clock, () => events.length === 1, 'it is down');
    expect(events[0]).to.deep.include({ state: 'down', target: server.address });
    expect(pool.targets[0]).to.include({ healthy: false, connections: 0 });
    await server.open();
    await advanceUntil(clock, () => events.length === 2, 'it is up');
    expect(events[1]).to.deep.equal({ type: 'backend', state: 'up', target: server.address });
    await until(() => server.sockets.size === 0, 'the connection of the check is closed');
  });

  it('come once in each interval, not all at once', async () => {
    const server = await rig.serve(listen);
    const { clock } = checked([server]);
    const gaps: number[] = [];
    for (let round = 1; round <= 12; round++) {
      const before = clock.now();
      clock.advance(EARLIEST_MS - STEP_MS);
      await delay(5);
      expect(server.accepted).to.equal(round - 1);
      await advanceUntil(clock, () => server.accepted === round && clock.pending === 1, 'a check, and the next is due');
      gaps.push(clock.now() - before);
    }
    expect(Math.max(...gaps)).to.be.above(Math.min(...gaps));
  });

  it('decide alone when a target is tried again', async () => {
    const [bad, good] = [await rig.serve(listen), await rig.serve(listen)];
    const { clock, pool } = checked([bad, good], { health: { intervalMs: 100_000, timeoutMs: 200 } });
    await bad.close();
    await rig.dial(pool);
    await bad.open();
    clock.advance(60_000);
    for (let count = 0; count < 4; count++) await rig.dial(pool);
    expect([bad.accepted, good.accepted]).to.deep.equal([0, 5]);
  });

  it('end at their time limit', async () => {
    const server = await rig.serve(listen);
    const { clock, events } = checked([server], { transport: 'postgres' });
    await advanceUntil(clock, () => server.sockets.size === 1, 'the check has begun');
    clock.advance(HEALTH.timeoutMs);
    await until(() => events.length === 1, 'it is down');
    expect(events[0]).to.have.nested.property('error.code', 'ERR_GATEWAY_BACKEND_TIMEOUT');
    await until(() => server.sockets.size === 0, 'the connection is closed');
  });

  it('ask for TLS where PostgreSQL is', async () => {
    let answer = 'S';
    const server = await rig.serve((socket) => {
      socket.once('data', () => socket.write(answer));
      listen(socket);
    });
    const { clock, events } = checked([server], { transport: 'postgres' });
    await advanceUntil(clock, () => server.accepted === 1 && clock.pending === 1, 'the first check');
    await until(() => server.sockets.size === 0, 'its connection is closed');
    expect(events).to.deep.equal([]);
    answer = 'N';
    await advanceUntil(clock, () => events.length === 1, 'it is down');
    expect(events[0]).to.have.nested.property('error.code', 'ERR_PG_TLS_REFUSED');
    answer = 'S';
    await advanceUntil(clock, () => events.length === 2, 'it is up');
  });

  it('are connections of the gateway itself, in PROXY headers', async () => {
    const heads: Buffer[] = [];
    const server = await rig.serve((socket) => {
      socket.once('data', (chunk: Buffer) => heads.push(chunk));
      listen(socket);
    });
    const { clock } = checked([server], { proxyProtocol: true });
    await advanceUntil(clock, () => heads.length === 1, 'a check');
    expect(readProxyHeader(heads[0] as Buffer)).to.deep.equal({
      header: { command: 'local', version: 2 },
      length: heads[0]?.length,
    });
  });

  it('end with the pool, those that are under way too; connections go on', async () => {
    const server = await rig.serve(listen);
    const { clock, events, pool } = checked([server, server, server], {
      transport: 'postgres',
      health: { intervalMs: 1_000, timeoutMs: 60_000 },
    });
    const pending = rejection(pool.dial(CLIENT, never()));
    await until(() => server.sockets.size === 1, 'the connection');
    await advanceUntil(clock, () => server.sockets.size === 4, 'the checks are under way');
    pool.close();
    await until(() => server.sockets.size === 1, 'the checks are over');
    // What is left is the time limit of the connection.
    expect(clock.pending).to.equal(1);
    for (const accepted of [5, 6]) {
      clock.advance(5_000);
      await until(() => server.accepted === accepted, 'the connection tries the next target');
    }
    clock.advance(5_000);
    await pending;
    expect(clock.pending).to.equal(0);
    expect(events.map(({ state }) => state)).to.deep.equal(['down', 'down', 'down']);
  });
});
