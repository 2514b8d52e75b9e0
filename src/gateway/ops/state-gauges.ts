/** Metrics that are read from a gateway's state when somebody asks for them. */
import { type Aggregator, Gauge, type Registry } from 'prom-client';
import type { GatewayState } from '../gateway.js';
import { PREFIX } from './metric-set.js';

interface Reading {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

interface StateGauge {
  name: string;
  help: string;
  labelNames?: readonly string[];
  /** What those of several workers are together. Default: their sum. */
  aggregator?: Aggregator;
  read: (state: GatewayState) => Reading[];
}

const STATE_GAUGES: readonly StateGauge[] = [
  {
    name: 'connections',
    help: 'Connections that have a route and are open.',
    labelNames: ['route'],
    read: ({ routes }) => routes.map(({ name, connections }) => ({ labels: { route: name }, value: connections })),
  },
  {
    name: 'targets',
    help: 'Targets that are up, and that are down.',
    labelNames: ['route', 'health'],
    // Each has its own view of the same targets.
    aggregator: 'average',
    read: ({ routes }) =>
      routes.flatMap(({ name, targets }) => {
        const up = targets.filter(({ healthy }) => healthy).length;
        return [
          { labels: { route: name, health: 'up' }, value: up },
          { labels: { route: name, health: 'down' }, value: targets.length - up },
        ];
      }),
  },
  {
    name: 'listening',
    help: 'Addresses that are listened on.',
    aggregator: 'max',
    read: ({ listening }) => [{ value: listening.length }],
  },
  {
    name: 'draining',
    help: '1 while the gateway waits for connections to end and takes no new ones.',
    // One that drains is being replaced; all of them are the gateway.
    aggregator: 'min',
    read: ({ phase }) => [{ value: phase === 'draining' ? 1 : 0 }],
  },
  {
    name: 'key_lost',
    help: '1 from when the keys of the token are lost to this process, until it is replaced.',
    aggregator: 'max',
    read: ({ keyError }) => [{ value: keyError === undefined ? 0 : 1 }],
  },
  {
    name: 'half_open_sessions',
    help: 'Sessions over UDP that wait for TCP.',
    read: ({ engine }) => [{ value: engine.halfOpen.sessions }],
  },
  {
    name: 'half_open_bytes',
    help: 'Memory that these are charged.',
    read: ({ engine }) => [{ value: engine.halfOpen.bytes }],
  },
  {
    name: 'unrouted_connections',
    help: 'TCP connections whose first bytes are awaited.',
    read: ({ engine }) => [{ value: engine.unrouted }],
  },
];

export function addStateGauges(registry: Registry, readState: () => GatewayState): void {
  for (const { name, help, labelNames = [], aggregator = 'sum', read } of STATE_GAUGES) {
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames,
      aggregator,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels = {}, value } of read(readState())) this.set(labels, value);
      },
    });
  }
}
