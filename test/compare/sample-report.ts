/** A report as a whole measurement gives one, made up from a seed: every sweep, lost packets, failures, missing cases. */
import type {
  CaseResult,
  CertificateKind,
  Conditions,
  Group,
  Packet,
  Phase,
  Report,
  Run,
  Sample,
  Sweep,
} from '../../src/compare/model.js';

interface Plan {
  id: string;
  title: string;
  group: Group;
  reference: string;
  /** To the first useful byte. */
  roundTrips: number;
  phases: readonly (readonly [Phase['name'], number])[];
  carrier?: 'udp' | 'tcp';
  startMs?: number;
  missing?: string;
  failures?: CaseResult['failures'];
}

const REFERENCES: Readonly<Record<Group, string>> = {
  echo: 'node-tls',
  postgres: 'pg-direct',
  redis: 'ioredis',
  https: 'undici',
};

const PLANS: readonly Plan[] = [
  plan(
    'echo',
    'node-tls',
    'node:tls',
    3.1,
    [
      ['tcp', 1.02],
      ['secure', 2.08],
    ],
    { carrier: 'tcp' },
  ),
  plan(
    'echo',
    'node-tls-resumed',
    'node:tls, resumed',
    3.06,
    [
      ['tcp', 1.02],
      ['secure', 2.05],
    ],
    { carrier: 'tcp' },
  ),
  plan(
    'echo',
    'turbo',
    'TurboTLS',
    2.09,
    [
      ['tcp', 1.03],
      ['udp', 1.05],
      ['secure', 1.08],
    ],
    { carrier: 'udp' },
  ),
  plan(
    'echo',
    'turbo-resumed',
    'TurboTLS, resumed',
    2.06,
    [
      ['tcp', 1.03],
      ['secure', 1.05],
    ],
    { carrier: 'udp' },
  ),
  plan(
    'echo',
    'turbo-blocked-first',
    'TurboTLS, UDP blocked, first contact',
    3.24,
    [
      ['tcp', 1.02],
      ['secure', 2.2],
    ],
    {
      carrier: 'tcp',
      failures: [{ message: 'connect ETIMEDOUT 10.88.0.2:8443', count: 2 }],
    },
  ),
  plan(
    'echo',
    'turbo-blocked-second',
    'TurboTLS, UDP blocked, second contact',
    3.11,
    [
      ['tcp', 1.02],
      ['secure', 2.1],
    ],
    {
      carrier: 'tcp',
    },
  ),
  plan('echo', 'quic', 'QUIC by @matrixai/quic', 2.14, [['secure', 1.1]], { carrier: 'udp' }),
  plan(
    'postgres',
    'pg-direct',
    'pg, direct TLS',
    5.2,
    [
      ['tcp', 1.02],
      ['secure', 2.1],
      ['ready', 4.16],
    ],
    {},
  ),
  plan(
    'postgres',
    'pg',
    'pg, SSLRequest',
    6.22,
    [
      ['tcp', 1.02],
      ['secure', 3.1],
      ['ready', 5.2],
    ],
    {},
  ),
  plan('postgres', 'postgres-js', 'postgres.js', 6.3, [], {}),
  plan('postgres', 'psql', 'psql', 6.15, [], { startMs: 38 }),
  plan('postgres', 'psql-proxy', 'psql through turbotls proxy and turbotls gateway on the same host', 4.21, [], {
    startMs: 38,
  }),
  plan(
    'postgres',
    'pg-client',
    'PgClient over node:tls',
    4.1,
    [
      ['tcp', 1.02],
      ['secure', 2.1],
      ['ready', 3.1],
    ],
    { carrier: 'tcp' },
  ),
  plan(
    'postgres',
    'pg-client-turbo',
    'PgClient over TurboTLS',
    3.08,
    [
      ['tcp', 1.02],
      ['udp', 1.04],
      ['secure', 1.1],
      ['ready', 2.1],
    ],
    { carrier: 'udp' },
  ),
  plan(
    'redis',
    'ioredis',
    'ioredis',
    4.1,
    [
      ['tcp', 1.02],
      ['secure', 2.1],
    ],
    {},
  ),
  plan('redis', 'node-redis', '@redis/client', 0, [], { missing: 'the npm package @redis/client is not installed' }),
  plan(
    'redis',
    'redis-client',
    'RedisClient over node:tls',
    3.08,
    [
      ['tcp', 1.02],
      ['secure', 2.07],
    ],
    { carrier: 'tcp' },
  ),
  plan(
    'redis',
    'redis-client-turbo',
    'RedisClient over TurboTLS',
    2.07,
    [
      ['tcp', 1.02],
      ['udp', 1.04],
      ['secure', 1.09],
    ],
    { carrier: 'udp' },
  ),
  plan(
    'https',
    'undici',
    'undici',
    3.15,
    [
      ['tcp', 1.02],
      ['secure', 2.1],
    ],
    { carrier: 'tcp' },
  ),
  plan(
    'https',
    'undici-turbo',
    'undici over TurboTLS',
    2.13,
    [
      ['tcp', 1.02],
      ['udp', 1.05],
      ['secure', 1.1],
    ],
    { carrier: 'udp' },
  ),
];

function plan(
  group: Group,
  id: string,
  title: string,
  roundTrips: number,
  phases: Plan['phases'],
  rest: Pick<Plan, 'carrier' | 'startMs' | 'missing' | 'failures'>,
): Plan {
  return { id, title, group, reference: REFERENCES[group], roundTrips, phases, ...rest };
}

const CONDITIONS: Conditions = {
  roundTripMs: 50,
  jitterMs: 0,
  loss: 0,
  reorder: 0,
  duplicate: 0,
  rateKbit: 0,
  udp: 'pass',
  seed: 1,
};

/** TCP waits so long for what answers a SYN, ms. */
const SYN_TIMEOUT_MS = 1000;
/** And at least so long for what acknowledges data. */
const RESEND_MS = 220;
/** Cases that the sweeps have. */
const SWEPT = new Set(['node-tls', 'turbo', 'quic', 'pg-direct', 'pg-client', 'pg-client-turbo']);

export function sampleReport({ seed = 1, connections = 30, lossy = 500 } = {}): Report {
  const random = randomOf(seed);
  const runs: Run[] = [runOf('cases', '50 ms', {}, PLANS, connections, random)];
  const swept = PLANS.filter(({ id }) => SWEPT.has(id));
  for (const roundTripMs of [0, 5, 10, 20, 50, 100, 150, 200]) {
    runs.push({
      ...runOf('round-trip', `${roundTripMs} ms`, { roundTripMs }, swept, connections, random),
      at: roundTripMs,
    });
  }
  for (const loss of [0, 0.01, 0.05, 0.1, 0.2]) {
    runs.push({ ...runOf('loss', `${loss * 100} % loss`, { loss }, swept, lossy, random), at: loss });
  }
  for (const certificate of ['ecdsa', 'rsa', 'long-chain'] satisfies CertificateKind[]) {
    const slower = { ecdsa: 0, rsa: 0.03, 'long-chain': 0.09 }[certificate];
    const plans = swept.map((each) => ({ ...each, roundTrips: each.roundTrips + slower }));
    runs.push({ ...runOf('certificate', certificate, {}, plans, connections, random), certificate });
  }
  for (const udp of ['pass', 'drop-to-server', 'drop-to-client', 'drop'] as const) {
    const plans = swept.map((each) =>
      udp !== 'pass' && each.carrier === 'udp'
        ? {
            ...each,
            carrier: 'tcp' as const,
            roundTrips: each.roundTrips + 1.12,
            ...(each.id === 'quic' ? noQuic : {}),
          }
        : each,
    );
    runs.push(runOf('udp', UDP_LABELS[udp], { udp }, plans, connections, random));
  }
  for (const load of [0, 50, 200]) {
    const plans = swept.map((each) => ({ ...each, roundTrips: each.roundTrips + load / 400 }));
    runs.push(runOf('load', load === 0 ? 'idle' : `${load} connections a second`, {}, plans, connections, random));
  }
  return {
    version: 1,
    command: 'npm run latency -- --seed 1',
    date: '2025-11-03T14:05:09.000Z',
    machine: {
      node: 'v20.20.2',
      openssl: '3.0.17',
      platform: 'linux x64',
      kernel: '6.1.0-40-amd64',
      cpu: 'AMD EPYC 7B13',
      cores: 2,
    },
    network: 'Two network namespaces on one machine, joined by a link with a given delay',
    runs,
    notes: [
      'Each case connects anew each time: names, modules and proxies are ready before, nothing else is.',
      'Cases take turns, so that whatever the machine does beside reaches all of them alike.',
    ],
  };
}

const UDP_LABELS = {
  pass: 'UDP passes',
  'drop-to-server': 'blocked to the server',
  'drop-to-client': 'blocked to the client',
  drop: 'blocked both ways',
} as const;

const noQuic = { missing: 'QUIC cannot do without UDP' };

/** As foreign as text can be: for tests that nothing of it is taken for markup, or for a command. */
export function hostileReport(): Report {
  const hostile = '<script>alert(1)</script>"\'&\x1b[31m\u0000\u202e]]>--><img src=x onerror=alert(2)>';
  const report = sampleReport({ connections: 3, lossy: 5 });
  report.command = hostile;
  report.date = hostile;
  report.network = hostile;
  report.notes = [hostile];
  const { machine } = report;
  report.machine = { ...machine, node: hostile, openssl: hostile, platform: hostile, kernel: hostile, cpu: hostile };
  for (const run of report.runs) {
    run.label = hostile;
    for (const result of run.results) {
      result.title = `${hostile} ${result.id}`;
      result.failures = [{ message: hostile, count: 1 }];
      if (result.missing !== undefined) result.missing = hostile;
      for (const packet of result.trace?.packets ?? []) packet.label = hostile;
    }
  }
  return report;
}

function runOf(
  sweep: Sweep,
  label: string,
  different: Partial<Conditions>,
  plans: readonly Plan[],
  connections: number,
  random: () => number,
): Run {
  const conditions = { ...CONDITIONS, ...different };
  const withTraces = sweep === 'cases';
  const results = plans.map((each) => resultOf(each, conditions, connections, withTraces, random));
  const roundTripMs = conditions.roundTripMs === 0 ? undefined : conditions.roundTripMs + 0.2;
  return { sweep, label, conditions, roundTripMs, results };
}

function resultOf(
  plan: Plan,
  conditions: Conditions,
  connections: number,
  withTrace: boolean,
  random: () => number,
): CaseResult {
  const { id, title, group, reference, startMs = 0 } = plan;
  const empty = { id, title, group, reference, startMs, samples: [], failures: [] };
  if (plan.missing !== undefined) return { ...empty, missing: plan.missing };
  const samples = Array.from({ length: connections }, () => sampleOf(plan, conditions, random));
  const sample = samples.toSorted((one, other) => one.ms - other.ms)[Math.floor((connections - 1) / 2)] as Sample;
  const trace = withTrace && group !== 'https' ? { sample, packets: packetsOf(plan, conditions, sample) } : undefined;
  return { ...empty, samples, failures: plan.failures ?? [], trace };
}

function sampleOf(plan: Plan, { roundTripMs, loss }: Conditions, random: () => number): Sample {
  const overUdp = plan.carrier === 'udp' && (loss === 0 || random() > loss / 4);
  let ms = (plan.startMs ?? 0) + plan.roundTrips * roundTripMs + 3 + random() * 3;
  const flights = Math.ceil(plan.roundTrips) * 2;
  for (let flight = 0; flight < flights; flight++) {
    if (random() < loss) ms += flight < 2 ? (overUdp ? 120 : SYN_TIMEOUT_MS) : RESEND_MS;
  }
  const phases = plan.phases.map(([name, roundTrips]) => ({ name, atMs: roundTrips * roundTripMs + 1 }));
  return { ms, phases, ...(plan.carrier && { carrier: overUdp ? plan.carrier : 'tcp' }) };
}

/** What goes over the link, roughly: each flight answers the one before. */
function packetsOf(plan: Plan, { roundTripMs }: Conditions, sample: Sample): Packet[] {
  const packets: Packet[] = [];
  const start = plan.startMs ?? 0;
  const send = (
    from: Packet['from'],
    protocol: Packet['protocol'],
    at: number,
    label: string,
    bytes: number,
    lost = false,
  ) => {
    const sentAtMs = start + at * roundTripMs;
    packets.push({
      from,
      protocol,
      sentAtMs,
      ...(!lost && { arrivedAtMs: sentAtMs + roundTripMs / 2 }),
      label,
      bytes,
    });
  };
  const udp = plan.carrier === 'udp' || plan.id.startsWith('turbo');
  if (plan.id !== 'quic') {
    send('client', 'tcp', 0.004, 'SYN', 0);
    send('server', 'tcp', 0.505, 'SYN-ACK', 0);
    send('client', 'tcp', 1.006, 'ACK', 0);
  }
  if (udp) {
    const datagram = plan.id === 'quic' ? 'QUIC' : 'datagram';
    const blocked = plan.id.includes('blocked');
    send('client', 'udp', 0.01, datagram, 600, blocked);
    for (let request = 1; request <= 5; request++)
      send('client', 'udp', 0.011 + request / 1000, datagram, 400, blocked || request === 3);
    if (!blocked)
      for (let part = 0; part < 3; part++) send('server', 'udp', 0.53 + part / 500, datagram, 1200, part === 2);
  }
  let at = plan.carrier === 'udp' ? 1.05 : 1.02;
  const flights = Math.max(1, Math.round(plan.roundTrips - at));
  for (let flight = 0; flight < flights; flight++) {
    const label = plan.carrier === 'udp' && flight === 0 ? 'tombstone' : flight === 0 ? 'ClientHello' : 'TLS';
    send('client', 'tcp', at, label, 300);
    send('client', 'tcp', at + 0.002, 'TLS', 90);
    send('server', 'tcp', at + 0.51, flight === 0 ? 'ServerHello' : 'TLS', 1448);
    if (flight === 0) send('server', 'tcp', at + 0.512, 'TLS', 900);
    send('client', 'tcp', at + 1.012, 'ACK', 0);
    at += 1.02;
  }
  send('client', 'tcp', at + 0.1, 'FIN', 0);
  return packets.filter(({ sentAtMs }) => sentAtMs < sample.ms + roundTripMs);
}

/** mulberry32 by Tommy Ettinger: enough for made-up figures. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
