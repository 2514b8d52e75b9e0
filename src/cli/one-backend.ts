/** The gateway by options instead of a file: one route, whose backends are all alike. */
import { type CheckOptions, ConfigError, planFrom } from '../gateway/config/index.js';
import type { GatewayPlan } from '../gateway/plan.js';
import { UsageError } from './exit.js';

export interface OneBackend {
  listen: string[];
  to: string[];
  cert?: string;
  key?: string;
  clientCa?: string;
  alpn?: string[];
  proxyProtocol?: true;
  admin?: string;
  workers?: string;
}

/** How a backend is spoken to, by the scheme of its address: where TLS passes through, and where it ends here. */
const SCHEMES: Readonly<Record<string, { through: string | undefined; ended: string }>> = {
  tcp: { through: 'PLAIN', ended: 'PLAIN' },
  tls: { through: 'PLAIN', ended: 'BACKEND_TLS' },
  postgres: { through: 'POSTGRES', ended: 'PLAIN' },
  // Its own TLS is the gateway's, so the client's must have ended.
  'postgres+tls': { through: undefined, ended: 'POSTGRES_TLS' },
};

const DEFAULT_PORT: Readonly<Record<string, string>> = { postgres: ':5432', 'postgres+tls': ':5432' };

/** What the configuration calls it, and what the option is called. */
const OPTION_OF: readonly (readonly [RegExp, string])[] = [
  [/^listen\b/, '--listen'],
  [/^admin\b/, '--admin'],
  [/^workers\b/, '--workers'],
  [/\.certificates\[0\]\.cert$/, '--cert'],
  [/\.certificates\[0\]\.key$/, '--key'],
  [/\.clientCertificate\b/, '--client-ca'],
  [/\.alpn\b/, '--alpn'],
  [/\.backend\b/, '--to'],
];

/** @throws UsageError, ConfigError */
export function oneBackendPlan(options: OneBackend, check?: CheckOptions): GatewayPlan {
  const { listen, cert, key, clientCa, alpn, proxyProtocol, admin, workers } = options;
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  for (const [name, value] of Object.entries({ '--client-ca': clientCa, '--alpn': alpn })) {
    if (value !== undefined && cert === undefined) throw new UsageError(`${name} needs --cert and --key`);
  }
  const backend = backendOf(options);
  const terminate =
    cert === undefined
      ? undefined
      : {
          certificates: [{ cert, key }],
          ...(clientCa !== undefined && { clientCertificate: { mode: 'REQUIRE', ca: clientCa } }),
          ...(alpn !== undefined && { alpn }),
        };
  const route = {
    name: 'default',
    // CancelRequests come to any worker: each must know where they belong, whoever its clients were.
    ...(terminate && alpn === undefined && isPostgres(options) && { match: { protocols: ['POSTGRESQL'] } }),
    ...(terminate && { terminate }),
    backend: { ...backend, ...(proxyProtocol && { proxyProtocol }) },
  };
  const gateway = {
    listen,
    routes: [route],
    ...(admin !== undefined && { admin }),
    ...(workers !== undefined && { workers }),
  };
  try {
    return planFrom(gateway, process.cwd(), check);
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.problems.map(problemOfOption).join('; '));
    throw error;
  }
}

function isPostgres({ to }: OneBackend): boolean {
  return to.every((text) => parseBackend(text).scheme.startsWith('postgres'));
}

function backendOf({ to, cert }: OneBackend): { targets: string[]; transport: string } {
  const parsed = to.map(parseBackend);
  const schemes = [...new Set(parsed.map(({ scheme }) => scheme))];
  const [scheme = 'tcp'] = schemes;
  if (schemes.length > 1) throw new UsageError(`--to: all backends are spoken to alike, not ${schemes.join(' and ')}`);
  const transport = SCHEMES[scheme]?.[cert === undefined ? 'through' : 'ended'];
  if (transport === undefined) throw new UsageError(`--to ${scheme}://… needs --cert and --key: TLS ends here`);
  return { targets: parsed.map(({ address }) => address), transport };
}

function parseBackend(text: string): { scheme: string; address: string } {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z+]+):\/\/)?([^/?#@]*)\/?$/.exec(text) ?? [];
  if (rest === '') throw new UsageError(`--to ${text}: it must be HOST:PORT, or SCHEME://HOST:PORT and nothing more`);
  if (!Object.hasOwn(SCHEMES, scheme)) {
    throw new UsageError(`--to ${text}: the scheme must be one of ${Object.keys(SCHEMES).join(', ')}`);
  }
  const hasPort = /:\d+$/.test(rest);
  return { scheme, address: hasPort ? rest : `${rest}${DEFAULT_PORT[scheme] ?? ''}` };
}

function problemOfOption({ path, message }: { path: string; message: string }): string {
  const option = OPTION_OF.find(([pattern]) => pattern.test(path))?.[1] ?? path;
  return `${option}: ${message}`;
}
