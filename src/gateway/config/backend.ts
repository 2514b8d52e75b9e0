/** The section `backend`. */
import type { HostAddress } from '../../transport.js';
import type { BackendPlan, BackendTls, PassthroughMode, TerminateMode } from '../plan.js';
import { authoritiesFrom, type FileRules, pairFrom } from './certificates.js';
import { DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_HEALTH } from './defaults.js';
import { millisecondsFrom } from './limits.js';
import { reportLoop } from './loops.js';
import type { Section } from './section.js';
import { addressFrom, alpnFrom, each, serverNameFrom } from './values.js';

const BALANCES: Readonly<Record<string, BackendPlan['balance']>> = {
  ROUND_ROBIN: 'round-robin',
  LEAST_CONNECTIONS: 'least-connections',
  SOURCE: 'source',
};

const TRANSPORTS: Readonly<Record<string, BackendPlan['transport']>> = {
  PLAIN: 'plain',
  POSTGRES: 'postgres',
  BACKEND_TLS: 'tls',
  POSTGRES_TLS: 'postgres-tls',
};

type Mode = (PassthroughMode | TerminateMode)['kind'];

/** What a backend's meaning depends on beside its own section. */
export interface BackendSurroundings {
  mode: Mode;
  /** Where the gateway itself listens. */
  listen: readonly HostAddress[];
  rules: FileRules;
}

export function backendFrom(backend: Section, { mode, listen, rules }: BackendSurroundings): BackendPlan {
  const transport = TRANSPORTS[backend.choice('transport') ?? 'PLAIN'] ?? 'plain';
  reportImpossible(backend, transport, mode);
  return {
    targets: targetsFrom(backend, listen),
    balance: BALANCES[backend.choice('balance') ?? 'ROUND_ROBIN'] ?? 'round-robin',
    transport,
    tls: isOwnTls(transport) ? tlsFrom(backend.section('tls'), rules) : undefined,
    proxyProtocol: backend.flag('proxyProtocol'),
    connectTimeoutMs: millisecondsFrom(backend, 'connectTimeout') ?? DEFAULT_CONNECT_TIMEOUT_MS,
    health: backend.has('healthCheck') ? healthFrom(backend.section('healthCheck')) : undefined,
  };
}

function isOwnTls(transport: BackendPlan['transport']): boolean {
  return transport === 'tls' || transport === 'postgres-tls';
}

function reportImpossible(backend: Section, transport: BackendPlan['transport'], mode: Mode): void {
  const place = backend.at('transport');
  if (isOwnTls(transport) && mode === 'passthrough') {
    place.error(
      'puts TLS into TLS: in passthrough the TLS of the client goes on to the backend; say terminate, or PLAIN or POSTGRES',
    );
  }
  if (transport === 'postgres' && mode === 'terminate') {
    place.error('asks the backend for TLS that ends here already; say POSTGRES_TLS or PLAIN');
  }
  if (backend.has('tls') && !isOwnTls(transport)) {
    backend.at('tls').error('has no effect unless transport is BACKEND_TLS or POSTGRES_TLS');
  }
}

function targetsFrom(backend: Section, listen: readonly HostAddress[]): HostAddress[] {
  backend.requireSome('targets', 'is missing: a route needs somewhere to go');
  return each(backend.texts('targets'), (text) => {
    const target = addressFrom(text, { minPort: 1 });
    if (target !== undefined) reportLoop(target, listen, text.place);
    return target;
  });
}

function tlsFrom(tls: Section, rules: FileRules): BackendTls {
  const pair = tls.has('cert') || tls.has('key') ? pairFrom(tls, rules, 'client') : undefined;
  const insecure = tls.flag('insecure');
  if (insecure) reportInsecure(tls);
  return {
    ca: authoritiesFrom(tls, rules),
    cert: pair?.cert,
    key: typeof pair?.key === 'string' ? pair.key : undefined,
    serverName: serverName(tls),
    alpn: each(tls.texts('alpn'), alpnFrom),
    verify: !insecure,
  };
}

function reportInsecure(tls: Section): void {
  if (tls.has('ca')) tls.at('ca').error('has no effect beside insecure');
  tls.at('insecure').warn('anybody between here and the backend can read and change what passes');
}

function serverName(tls: Section): string | undefined {
  const value = tls.text('serverName');
  return value === undefined ? undefined : serverNameFrom({ value, place: tls.at('serverName') }, { wildcard: false });
}

function healthFrom(section: Section): BackendPlan['health'] {
  const intervalMs = millisecondsFrom(section, 'interval') ?? DEFAULT_HEALTH.intervalMs;
  const timeoutMs = millisecondsFrom(section, 'timeout') ?? Math.min(DEFAULT_HEALTH.timeoutMs, intervalMs);
  if (timeoutMs > intervalMs) section.at('timeout').error('must not be longer than interval');
  return { intervalMs, timeoutMs };
}
