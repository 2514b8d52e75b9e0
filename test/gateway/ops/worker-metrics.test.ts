import { expect } from 'chai';
import * as fc from 'fast-check';
import type { GatewayState } from '../../../src/gateway/gateway.js';
import { type FrontReading, Metrics, WorkerMetrics } from '../../../src/gateway/ops/index.js';
import type { WorkerState } from '../../../src/workers/index.js';
import { connectionEnd, connectionStart, oneOfEach, oneOfEachOfPool, refused, stateOf } from './events.js';

function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const STARTED = 'turbotls_connections_started_total{route="orders",carrier="turbo",protocol="postgresql"}';

describe('gateway metrics: workers', () => {
  let front: FrontReading;
  let routes: string[];
  let all: WorkerMetrics;

  beforeEach(() => {
    front = { workers: [], arriving: 0, sessions: 0 };
    routes = ['orders'];
    all = new WorkerMetrics({ front: () => front, routes: () => routes });
  });

  const samples = async () => samplesOf(await all.text());
  const sample = async (name: string) => (await samples()).get(name);

  /** A worker: what it counts, and the way its reports go. */
  function worker(state: Partial<GatewayState> = {}) {
    const metrics = new Metrics(() => stateOf(state));
    const reports = all.add();
    return { metrics, end: reports.end, report: async () => reports.take(await metrics.report()) };
  }

  it('add up what each of them counted', async () => {
    const [one, two] = [worker(), worker()];
    for (const { metrics } of [one, two, two]) {
      metrics.onEvent(connectionStart);
      metrics.onEvent(connectionEnd());
      metrics.onEvent(refused());
    }
    two.metrics.onEvent(connectionEnd({ reason: 'idle' }));
    await Promise.all([one.report(), two.report()]);
    const found = await samples();
    const expected: Record<string, number> = {
      [STARTED]: 3,
      'turbotls_connections_ended_total{route="orders",carrier="turbo",reason="client"}': 3,
      'turbotls_connections_ended_total{route="orders",carrier="turbo",reason="idle"}': 1,
      'turbotls_refused_total{carrier="tcp",reason="no-route"}': 3,
      'turbotls_connection_duration_seconds_count{route="orders"}': 4,
      'turbotls_connection_duration_seconds_bucket{le="10",route="orders"}': 4,
      'turbotls_connection_duration_seconds_bucket{le="1",route="orders"}': 0,
      'turbotls_connections{route="orders"}': 6,
      turbotls_half_open_sessions: 8,
    };
    for (const [name, value] of Object.entries(expected)) expect(found.get(name), name).to.equal(value);
  });

  it('take the last report of each', async () => {
    const one = worker();
    for (let i = 1; i <= 3; i++) {
      one.metrics.onEvent(connectionStart);
      await one.report();
      expect(await sample(STARTED)).to.equal(i);
    }
  });

  it('keep what a worker counted when it has ended, and forget what it was', async () => {
    const [one, two] = [worker(), worker()];
    for (const { metrics } of [one, one, two]) metrics.onEvent(connectionStart);
    one.metrics.onEvent(connectionEnd());
    await Promise.all([one.report(), two.report()]);
    one.end();
    const successor = worker();
    await successor.report();
    const found = await samples();
    expect(found.get(STARTED)).to.equal(3);
    expect(found.get('turbotls_connection_duration_seconds_count{route="orders"}')).to.equal(1);
    expect(found.get('turbotls_connections{route="orders"}'), 'a gauge').to.equal(6);
    two.end();
    successor.end();
    expect(await sample(STARTED)).to.equal(3);
    expect(await sample('turbotls_connections{route="orders"}')).to.equal(undefined);
  });

  it('count nothing twice: a report that comes when its worker has ended is late', async () => {
    const one = worker();
    one.metrics.onEvent(connectionStart);
    await one.report();
    one.end();
    await one.report();
    one.end();
    expect(await sample(STARTED)).to.equal(1);
    const unheard = worker();
    unheard.end();
    expect(await sample(STARTED)).to.equal(1);
  });

  it('never go down, whatever comes when', async () => {
    const step = fc.record({ place: fc.nat(2), what: fc.constantFrom('count', 'report', 'end', 'read', 'race') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        all = new WorkerMetrics({ front: () => front, routes: () => routes });
        const places = [worker(), worker(), worker()];
        let [before, counted] = [0, 0];
        const read = async (text = all.text()) => {
          const now = samplesOf(await text).get(STARTED) ?? 0;
          expect(now).to.be.within(before, counted);
          before = now;
        };
        for (const { place, what } of steps) {
          const one = places[place] as ReturnType<typeof worker>;
          if (what === 'count') {
            one.metrics.onEvent(connectionStart);
            counted++;
          } else if (what === 'report') {
            await one.report();
          } else if (what === 'read') {
            await read();
          } else {
            const text = what === 'race' ? all.text() : undefined;
            one.end();
            places[place] = worker();
            if (text) await read(text);
          }
        }
        for (const one of places) await one.report();
        await read();
      }),
      { numRuns: 50 },
    );
  });

  it('are together what is true of the gateway, where a sum would not be', async () => {
    const address = { host: '::', port: 443 };
    const up = { address, healthy: true, connections: 0, lastError: undefined };
    const down = { ...up, healthy: false };
    const seen = (targets: GatewayState['routes'][0]['targets']) => [{ name: 'orders', connections: 0, targets }];
    const certificate = { type: 'certificate', route: 'orders', warnings: [], error: undefined, file: 'a' } as const;
    const one = worker({ phase: 'draining', routes: seen([up, up]), keyError: new Error('lost') });
    const two = worker({ routes: seen([up, down]) });
    one.metrics.onEvent({ ...certificate, expiresAt: 5000 });
    two.metrics.onEvent({ ...certificate, expiresAt: 9000 });
    await Promise.all([one.report(), two.report()]);
    const found = await samples();
    const expected: Record<string, number> = {
      turbotls_listening: 1,
      'turbotls_targets{route="orders",health="up"}': 1.5,
      'turbotls_targets{route="orders",health="down"}': 0.5,
      turbotls_key_lost: 1,
      turbotls_draining: 0,
      'turbotls_certificate_expiry_timestamp_seconds{route="orders"}': 5,
    };
    for (const [name, value] of Object.entries(expected)) expect(found.get(name), name).to.equal(value);
  });

  it('forget routes that a reload took away: of workers, of those that have ended, and of one that is late', async () => {
    routes = ['orders', 'web'];
    const states = ['orders', 'web'].map((name) => ({ name, connections: 1, targets: [] }));
    const [one, two] = [worker({ routes: states }), worker({ routes: states })];
    for (const { metrics } of [one, two]) {
      for (const route of routes) {
        for (const event of oneOfEach) metrics.onEvent('route' in event && event.route ? { ...event, route } : event);
      }
    }
    await Promise.all([one.report(), two.report()]);
    one.end();
    const labels = async () => new Set([...(await samples()).keys()].map((name) => name.match(/route="([^"]*)"/)?.[1]));
    expect(await labels()).to.deep.equal(new Set([undefined, 'orders', 'web']));
    routes = ['web'];
    expect(await labels()).to.deep.equal(new Set([undefined, 'web']));
    routes = ['orders', 'web'];
    two.end();
    const orders = 'turbotls_connections_started_total{route="orders",carrier="turbo",protocol="postgresql"}';
    expect(await sample(orders), 'what was forgotten does not come back').to.equal(1);
  });

  it('have what front and pool report', async () => {
    for (const event of oneOfEachOfPool) all.onEvent(event);
    all.countReload('applied');
    all.countReload('failed');
    const one = worker();
    one.metrics.onEvent({
      type: 'engine',
      listen: { host: '::', port: 1 },
      event: { type: 'udp-error', error: new Error() },
    });
    await one.report();
    const state = (pid: number, changes: Partial<WorkerState>): WorkerState => {
      return { pid, serving: true, draining: false, sessions: 0, connections: 0, lagMs: 0, ...changes };
    };
    front = {
      workers: [
        state(1, { lagMs: 30 }),
        state(2, { lagMs: 250 }),
        state(3, { serving: false }),
        state(4, { draining: true }),
      ],
      arriving: 7,
      sessions: 9,
    };
    const found = await samples();
    const expected: Record<string, number> = {
      'turbotls_workers{state="serving"}': 2,
      'turbotls_workers{state="starting"}': 1,
      'turbotls_workers{state="draining"}': 1,
      'turbotls_worker_ends_total{how="died"}': 1,
      'turbotls_worker_ends_total{how="wanted"}': 1,
      'turbotls_front_shed_total{reason="lagging"}': 1,
      'turbotls_front_shed_total{reason="malformed"}': 1,
      'turbotls_front_refused_total{reason="timeout"}': 1,
      turbotls_front_sessions: 9,
      turbotls_front_arriving_connections: 7,
      turbotls_front_lag_seconds: 0.25,
      turbotls_front_unresponsive_total: 1,
      'turbotls_reloads_total{outcome="applied"}': 1,
      'turbotls_reloads_total{outcome="failed"}': 1,
      'turbotls_socket_errors_total{transport="udp"}': 2,
      'turbotls_socket_errors_total{transport="tcp"}': 1,
    };
    for (const [name, value] of Object.entries(expected)) expect(found.get(name), name).to.equal(value);
    front = { workers: [], arriving: 0, sessions: 0 };
    expect(await sample('turbotls_workers{state="serving"}')).to.equal(0);
    expect(await sample('turbotls_front_lag_seconds')).to.equal(0);
  });

  it('are what Prometheus reads: each name once, with its type, and every sample once', async () => {
    const two = [worker(), worker()];
    for (const { metrics, report } of two) {
      for (const event of oneOfEach) metrics.onEvent(event);
      await report();
    }
    two[0]?.end();
    for (const event of oneOfEachOfPool) all.onEvent(event);
    const text = await all.text();
    const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(new Set(names)).to.have.property('size', names.length);
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(samplesOf(text).size).to.equal(lines.length);
    expect(all.contentType).to.match(/^text\/plain; version=0\.0\.4/);
  });

  it('have those of the processes: sums, and the start of the main process', async () => {
    const own = Math.floor(Date.now() / 1000 - process.uptime());
    all = new WorkerMetrics({ front: () => front, routes: () => routes }, { process: true });
    const metrics = new Metrics(() => stateOf(), { process: true });
    const reports = all.add();
    reports.take(await metrics.report());
    const found = await samples();
    const alone = samplesOf(await metrics.text());
    const memory = 'process_resident_memory_bytes';
    expect(found.get(memory)).to.be.above(1.5 * (alone.get(memory) ?? 0));
    expect(found.get('process_start_time_seconds')).to.be.within(own - 1, own + 2);
    expect([...found.keys()].some((name) => name.startsWith('nodejs_version_info'))).to.equal(true);
    reports.end();
    const cpu = 'process_cpu_seconds_total';
    expect(await sample(cpu), 'CPU that an ended worker has used').to.be.at.least(alone.get(cpu) ?? Infinity);
  });
});
