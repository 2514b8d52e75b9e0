/** What is measured, in which order: every case at one round trip, then some of them while one thing varies. */
import type { CertificateKind, Conditions, Sweep, UdpFilter } from '../../src/compare/model.js';

export interface PlannedRun {
  sweep: Sweep;
  /** For people, and on an axis. */
  label: string;
  at?: number | undefined;
  conditions: Conditions;
  certificate: CertificateKind;
  /** `all`, or ids. */
  cases: readonly string[] | 'all';
  samples: number;
  /** Connections under way at a time. */
  concurrency: number;
  /** RSA handshakes a second that others make meanwhile. */
  load?: number | undefined;
}

export interface PlanOptions {
  roundTripMs: number;
  quick: boolean;
  seed: number;
  /** Connections of each case; under loss more, for there it is the slowest that matter. */
  samples: number;
  lossSamples: number;
  sweeps: readonly Sweep[];
  /** Parts of packets; default: those of the sweep. */
  losses?: readonly number[] | undefined;
}

export const SWEEPS: readonly Sweep[] = ['cases', 'udp', 'round-trip', 'certificate', 'load', 'loss'];

const ECHO = ['tls', 'turbo', 'turbo-known'];
const BEST_OF_EACH = [...ECHO, 'quic', 'pg', 'pgclient-tls', 'pgclient-turbo', 'ioredis', 'redisclient-turbo'];

/** ms. */
const ROUND_TRIPS = { full: [0, 10, 20, 50, 100, 200], quick: [20, 100] };
const LOSSES = { full: [0, 0.01, 0.02, 0.05, 0.1, 0.2], quick: [0.05] };
const FILTERS: [UdpFilter, string][] = [
  ['drop', 'UDP blocked'],
  ['drop-to-server', 'UDP blocked on the way to the server'],
  ['drop-to-client', 'UDP blocked on the way to the client'],
];
const CERTIFICATES: [CertificateKind, string][] = [
  ['ecdsa', 'ECDSA P-256'],
  ['rsa', 'RSA 2048'],
  ['long-chain', 'RSA 2048, four certificates, a flight of more than 6.9 KB'],
];
/** A second. */
const LOADS = [0, 200];
/** Connections under loss wait for timers most of the time. */
const LOSS_CONCURRENCY = 16;

/** Of a network that does nothing but to take its time. */
export function clean(roundTripMs: number, seed: number): Conditions {
  return { roundTripMs, jitterMs: 0, loss: 0, reorder: 0, duplicate: 0, rateKbit: 0, udp: 'pass', seed };
}

export function plan(options: PlanOptions): PlannedRun[] {
  return SWEEPS.filter((sweep) => options.sweeps.includes(sweep)).flatMap((sweep) => PLANS[sweep](options));
}

const PLANS: Record<Sweep, (options: PlanOptions) => PlannedRun[]> = {
  cases: (options) => [run(options, 'cases', `round trip of ${options.roundTripMs} ms`, { cases: 'all' })],

  udp: (options) =>
    FILTERS.slice(0, options.quick ? 1 : undefined).map(([udp, label]) =>
      run(options, 'udp', label, { conditions: { udp } }),
    ),

  'round-trip': (options) =>
    ROUND_TRIPS[options.quick ? 'quick' : 'full'].map((roundTripMs) =>
      run(options, 'round-trip', `${roundTripMs} ms`, {
        at: roundTripMs,
        conditions: { roundTripMs },
        cases: options.quick ? ECHO : BEST_OF_EACH,
      }),
    ),

  certificate: (options) =>
    options.quick
      ? []
      : CERTIFICATES.map(([certificate, label]) => run(options, 'certificate', label, { certificate })),

  load: (options) =>
    options.quick
      ? []
      : LOADS.map((load) =>
          run(options, 'load', load === 0 ? 'idle' : `${load} RSA handshakes a second besides`, load ? { load } : {}),
        ),

  loss: (options) =>
    (options.losses ?? LOSSES[options.quick ? 'quick' : 'full']).map((loss) =>
      run(options, 'loss', `${Number((loss * 100).toFixed(4))} % loss`, {
        at: loss,
        conditions: { loss },
        cases: options.quick ? ECHO : [...ECHO, 'quic'],
        samples: options.lossSamples,
        concurrency: LOSS_CONCURRENCY,
      }),
    ),
};

function run(
  { roundTripMs, seed, samples }: PlanOptions,
  sweep: Sweep,
  label: string,
  { conditions, ...changes }: Partial<Omit<PlannedRun, 'conditions'>> & { conditions?: Partial<Conditions> },
): PlannedRun {
  return {
    sweep,
    label,
    conditions: { ...clean(roundTripMs, seed), ...conditions },
    certificate: 'ecdsa',
    cases: ECHO,
    samples,
    concurrency: 1,
    ...changes,
  };
}
