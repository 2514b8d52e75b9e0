import { expect } from 'chai';
import * as fc from 'fast-check';
import { Metrics } from '../../../src/gateway/ops/index.js';
import { connectionEnd, connectionStart, oneOfEach, refused, stateOf } from './events.js';

/** Metric name with labels, as Prometheus writes it, and value. */
async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('gateway metrics', () => {
  it('count what the gateway reports', async () => {
    const metrics = new Metrics(() => stateOf());
    metrics.onEvent(connectionStart);
    metrics.onEvent(connectionEnd());
    metrics.onEvent(connectionEnd({ carrier: 'tcp', reason: 'idle', up: 1, down: 2 }));
    metrics.onEvent(refused());
    metrics.countFailedReload();
    const found = await samples(metrics);
    const expected: Record<string, number> = {
      'turbotls_connections_started_total{route="orders",carrier="turbo",protocol="postgresql"}': 1,
      'turbotls_connections_ended_total{route="orders",carrier="turbo",reason="client"}': 1,
      'turbotls_connections_ended_total{route="orders",carrier="tcp",reason="idle"}': 1,
      'turbotls_refused_total{carrier="tcp",reason="no-route"}': 1,
      'turbotls_transferred_bytes_total{route="orders",direction="up"}': 101,
      'turbotls_transferred_bytes_total{route="orders",direction="down"}': 2_000_000_000_002,
      'turbotls_backend_connect_duration_seconds_sum{route="orders"}': 0.004,
      'turbotls_backend_connect_duration_seconds_count{route="orders"}': 2,
      'turbotls_connection_duration_seconds_bucket{le="1",route="orders"}': 0,
      'turbotls_connection_duration_seconds_bucket{le="10",route="orders"}': 2,
      'turbotls_reloads_total{outcome="failed"}': 1,
    };
    for (const [name, value] of Object.entries(expected)) expect(found.get(name), name).to.equal(value);
    expect([...found.keys()].filter((name) => name.includes('handshake_duration_seconds_count'))).to.deep.equal([]);
  });

  it('have a place for each event, and read the state for the rest', async () => {
    const metrics = new Metrics(() => stateOf());
    for (const event of oneOfEach) metrics.onEvent(event);
    const found = await samples(metrics);
    const expected: Record<string, number> = {
      'turbotls_cancels_total{key="unknown"}': 1,
      'turbotls_target_changes_total{route="orders",health="up"}': 1,
      'turbotls_target_changes_total{route="orders",health="down"}': 1,
      'turbotls_reloads_total{outcome="applied"}': 1,
      'turbotls_certificate_reads_total{route="orders",outcome="used"}': 1,
      'turbotls_certificate_expiry_timestamp_seconds{route="orders"}': Date.UTC(2030, 0) / 1000,
      'turbotls_sessions_total{event="opened"}': 1,
      'turbotls_sessions_total{event="bound"}': 1,
      'turbotls_sessions_total{event="expired"}': 1,
      turbotls_session_claim_duration_seconds_sum: 0.05,
      'turbotls_datagrams_dropped_total{reason="unknown-session"}': 1,
      'turbotls_tombstones_rejected_total{reason="claimed"}': 1,
      turbotls_plain_tls_total: 1,
      'turbotls_socket_errors_total{transport="udp"}': 1,
      'turbotls_socket_errors_total{transport="tcp"}': 1,
      'turbotls_connections{route="orders"}': 3,
      'turbotls_targets{route="orders",health="up"}': 1,
      'turbotls_targets{route="orders",health="down"}': 1,
      turbotls_listening: 1,
      turbotls_draining: 0,
      turbotls_half_open_sessions: 4,
      turbotls_half_open_bytes: 5000,
      turbotls_unrouted_connections: 6,
    };
    for (const [name, value] of Object.entries(expected)) expect(found.get(name), name).to.equal(value);
  });

  it('have the first end of the certificates of a route', async () => {
    const metrics = new Metrics(() => stateOf());
    const read = { type: 'certificate', route: 'orders', warnings: [], error: undefined } as const;
    const expiry = async () =>
      (await samples(metrics)).get('turbotls_certificate_expiry_timestamp_seconds{route="orders"}');
    metrics.onEvent({ ...read, file: 'a', expiresAt: 5000 });
    metrics.onEvent({ ...read, file: 'b', expiresAt: 3000 });
    metrics.onEvent({ ...read, file: 'ca', expiresAt: undefined });
    expect(await expiry()).to.equal(3);
    metrics.onEvent({ ...read, file: 'b', expiresAt: 9000 });
    expect(await expiry()).to.equal(5);
  });

  it('never have what a client chose: no label, however many clients come', async () => {
    const chosen = fc.string({ minLength: 8, maxLength: 30 }).map((text) => `chosen-${text}`);
    const metrics = new Metrics(() => stateOf());
    const text = fc.tuple(chosen, chosen, chosen, fc.integer({ min: 0, max: 65_535 }));
    const sizes: number[] = [];
    for (const [serverName, alpn, address, port] of fc.sample(text, 300)) {
      const client = { address, port };
      metrics.onEvent({ ...connectionStart, serverName, alpn, client });
      metrics.onEvent(connectionEnd({ serverName, alpn, client, error: new Error(serverName) }));
      metrics.onEvent(refused({ serverName, client, error: new Error(alpn) }));
      sizes.push((await samples(metrics)).size);
    }
    expect(sizes.at(-1)).to.equal(sizes[0]);
    expect(await metrics.text()).to.not.include('chosen-');
  });

  it('forget routes that a reload took away, and those alone', async () => {
    let names = ['orders', 'web'];
    const metrics = new Metrics(() =>
      stateOf({ routes: names.map((name) => ({ name, connections: 0, targets: [] })) }),
    );
    const report = (route: string) => {
      for (const event of oneOfEach) metrics.onEvent('route' in event && event.route ? { ...event, route } : event);
    };
    for (const name of names) report(name);
    const routes = async () =>
      new Set([...(await samples(metrics)).keys()].map((name) => name.match(/route="([^"]*)"/)?.[1]));
    expect(await routes()).to.deep.equal(new Set([undefined, 'orders', 'web']));
    names = ['web'];
    expect(await routes()).to.deep.equal(new Set([undefined, 'web']));
    report('orders');
    expect(await routes(), 'the last connections of a route that is gone').to.deep.equal(new Set([undefined, 'web']));
  });

  it("keep to Prometheus' conventions", async () => {
    const metrics = new Metrics(() => stateOf());
    for (const event of oneOfEach) metrics.onEvent(event);
    const text = await metrics.text();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => ({ name, type }));
    expect(types).to.have.length.above(20);
    for (const { name, type } of types) {
      expect(name).to.match(/^turbotls_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total'), name).to.equal(type === 'counter');
      if (type === 'histogram') expect(name).to.match(/_seconds$/);
    }
    for (const [, help = ''] of text.matchAll(/^# HELP \S+ (.*)$/gm)) expect(help).to.match(/^[A-Z0-9].*\.$/);
    expect(metrics.contentType).to.match(/^text\/plain; version=0\.0\.4/);
  });

  it('have those of the process where they are asked for', async () => {
    const metrics = new Metrics(() => stateOf(), { process: true });
    expect([...(await samples(metrics)).keys()]).to.include('process_open_fds');
  });
});
