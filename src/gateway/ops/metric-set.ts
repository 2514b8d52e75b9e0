/** Names, meanings and labels of the metrics that events fill. docs/gateway.md has them; a test compares. */
import { Counter, Histogram, type Registry } from 'prom-client';

/** All names begin with it. */
export const PREFIX = 'turbotls_';

/** From a round trip within a machine to what nobody waits for, seconds. */
const STEP_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a query to a day in a pool, seconds. */
const DURATION_BUCKETS = [0.01, 0.1, 1, 10, 60, 600, 3_600, 21_600, 86_400];

export function reloadsCounter(registry: Registry) {
  return new Counter({
    name: `${PREFIX}reloads_total`,
    help: 'Configurations that were to be put in force.',
    labelNames: ['outcome'],
    registers: [registry],
  });
}

export function socketErrorsCounter(registry: Registry) {
  return new Counter({
    name: `${PREFIX}socket_errors_total`,
    help: 'Errors of the ports, for want of descriptors, say.',
    labelNames: ['transport'],
    registers: [registry],
  });
}

export type MetricSet = ReturnType<typeof metricSet>;

export function metricSet(registry: Registry) {
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name: PREFIX + name, help, labelNames, registers: [registry] });
  const histogram = (name: string, help: string, labelNames: readonly string[] = [], buckets = STEP_BUCKETS) =>
    new Histogram({ name: PREFIX + name, help, labelNames, buckets, registers: [registry] });

  return {
    started: counter('connections_started_total', 'Connections that got a route.', ['route', 'carrier', 'protocol']),
    ended: counter('connections_ended_total', 'Connections that had a route and ended.', [
      'route',
      'carrier',
      'reason',
    ]),
    refused: counter('refused_total', 'Connections and sessions that ended without a route.', ['carrier', 'reason']),
    bytes: counter('transferred_bytes_total', 'Bytes of connections that ended.', ['route', 'direction']),
    duration: histogram('connection_duration_seconds', 'How long connections lasted.', ['route'], DURATION_BUCKETS),
    hello: histogram('client_hello_duration_seconds', 'Until the ClientHello was read.', ['route', 'carrier']),
    handshake: histogram('handshake_duration_seconds', 'Until TLS that ends here was done.', ['route', 'carrier']),
    backend: histogram('backend_connect_duration_seconds', 'How long the backend took to be ready.', ['route']),
    firstByte: histogram('first_byte_duration_seconds', 'Until the backend said something.', ['route', 'carrier']),
    cancels: counter('cancels_total', 'CancelRequests of PostgreSQL that were passed on.', ['key']),
    targetChanges: counter('target_changes_total', 'Targets that went up or down.', ['route', 'health']),
    reloads: reloadsCounter(registry),
    certificates: counter('certificate_reads_total', 'Certificate files that were read.', ['route', 'outcome']),
    sessions: counter('sessions_total', 'Sessions over UDP: opened, bound to TCP, expired without it.', ['event']),
    claim: histogram('session_claim_duration_seconds', 'Until TCP claimed its session over UDP.'),
    rejected: counter('tombstones_rejected_total', 'Tombstones that claimed no session.', ['reason']),
    dropped: counter('datagrams_dropped_total', 'Datagrams that were dropped.', ['reason']),
    plain: counter('plain_tls_total', 'TCP connections that began as plain TLS.'),
    socketErrors: socketErrorsCounter(registry),
  };
}
