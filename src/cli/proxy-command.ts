/** `turbotls proxy`: see `../gateway/local-proxy.ts`. */
import { Command, Option } from 'commander';
import { LocalProxy, type ProxyLimits, type ProxyPlan } from '../gateway/local-proxy.js';
import { messageOf } from '../gateway/message-of.js';
import { type Logger, logger } from '../gateway/ops/index.js';
import type { HostAddress, PathAddress } from '../transport.js';
import { type ExitCode, UsageError } from './exit.js';
import { addLogOptions, type LogOptions, logPlan } from './log-options.js';
import { addressText, logProxyEvent } from './proxy-log.js';
import { serve } from './service.js';
import { alpn, contentOf, count, duration, listOf, localAddress, positive, remoteAddress } from './values.js';

interface ProxyOptions extends LogOptions {
  listen: (HostAddress | PathAddress)[];
  to: HostAddress;
  backup?: HostAddress[];
  tls?: true;
  postgres?: true;
  serverName?: string;
  alpn?: string[];
  ca?: string;
  cert?: string;
  key?: string;
  insecure?: true;
  careful?: true;
  maxConnections?: number;
  connectTimeout?: number;
  idleTimeout?: number;
  drainTimeout: number;
}

const DRAIN_MS = 10_000;

const EXAMPLES = `
Examples:
  psql of any version, one round trip for connecting, SSLRequest and TLS:
    turbotls proxy --listen localhost:6432 --to db.example.com:443
    psql 'host=db.example.com hostaddr=127.0.0.1 port=6432 sslmode=verify-full'
  redis-cli without TLS, the proxy with it:
    turbotls proxy --listen :6379 --to cache.example.com:443 --tls
  A program that knows PostgreSQL and no TLS, by a Unix socket:
    turbotls proxy --listen /run/user/1000/.s.PGSQL.5432 --to db.example.com:443 --tls --postgres
`;

export function proxyCommand(finish: (code: ExitCode) => void): Command {
  const command = new Command('proxy')
    .summary('carry local clients to a gateway, over TurboTLS')
    .description(
      'Takes plain connections on this machine and carries them to a gateway over TurboTLS. By default TLS stays ' +
        'between client and server: the proxy holds no key and checks nothing. With --tls it makes TLS for clients that have none.',
    )
    .requiredOption(
      '--listen <address>',
      'where clients connect: HOST:PORT, :PORT or a path; repeatable',
      listOf(localAddress),
    )
    .requiredOption('--to <address>', 'the gateway, or any server of TLS: HOST:PORT', remoteAddress)
    .option('--backup <address>', 'tried where the one before does not connect; repeatable', listOf(remoteAddress))
    .option('--tls', 'make the TLS session here, for clients that have no TLS')
    .option('--postgres', 'with --tls: clients speak PostgreSQL; requests for encryption are answered with no')
    .option('--server-name <name>', 'with --tls: sent and verified; default: the host of --to')
    .option(
      '--alpn <names>',
      'with --tls: protocols that are offered; default: postgresql with --postgres',
      listOf(alpn),
    )
    .option('--ca <file>', 'with --tls: authorities, PEM; default: those that Node trusts')
    .option('--cert <file>', 'with --tls: the certificate to show, PEM')
    .option('--key <file>', 'with --tls: its key, PEM')
    .option('--insecure', 'with --tls: do not check the certificate')
    .option('--careful', 'spend a round trip on the first connection, so that none can fail for a session lost')
    .option('--max-connections <n>', 'clients at once (default: 10000)', count)
    .option('--connect-timeout <time>', 'for one remote (default: 10s)', positive(duration))
    .option('--idle-timeout <time>', 'end connections that are silent for so long; 0s: never (default: 0s)', duration)
    .addOption(
      new Option('--drain-timeout <time>', 'how long connections may go on after SIGTERM')
        .argParser(duration)
        .default(DRAIN_MS, '10s'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (options: ProxyOptions) => finish(await run(options)));
  return addLogOptions(command);
}

async function run(options: ProxyOptions): Promise<ExitCode> {
  const plan = planOf(options);
  const log = logger(logPlan(options));
  const proxy = new LocalProxy(plan, { onEvent: (event) => logProxyEvent(log, event) });
  return serve(async () => {
    const addresses = await proxy.start();
    if (options.tls) warnOfOthers(log, addresses);
    return {
      reload: async () => {
        try {
          proxy.reload(planOf(options));
          log.info('files read again');
        } catch (error) {
          log.error({ error: messageOf(error) }, 'files not usable, those before stay');
        }
      },
      drain: async () => {
        log.info({ connections: proxy.connections, deadlineMs: options.drainTimeout }, 'draining');
        await proxy.drain(options.drainTimeout);
      },
    };
  });
}

/** TLS that is made here is made for everyone who connects. */
function warnOfOthers(log: Logger, addresses: readonly (HostAddress | PathAddress)[]): void {
  for (const address of addresses) {
    if ('path' in address || isLoopback(address.host)) continue;
    log.warn({ address: addressText(address) }, 'other machines can connect here, and get the TLS session of this one');
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** Reads the files that the options name. */
function planOf(options: ProxyOptions): ProxyPlan {
  const { listen, to, backup = [], careful } = options;
  return {
    listen,
    to,
    backups: backup,
    mode: modeOf(options),
    ...(careful && { firstContact: 'careful' }),
    limits: limitsOf(options),
  };
}

/** Options that say something about the TLS session that the proxy makes. */
const OF_TLS = ['postgres', 'serverName', 'alpn', 'ca', 'cert', 'key', 'insecure'] as const;

function modeOf(options: ProxyOptions): ProxyPlan['mode'] {
  const { tls, postgres = false, serverName, alpn, ca, cert, key, insecure = false } = options;
  if (!tls) {
    const stray = OF_TLS.find((name) => options[name] !== undefined);
    if (stray) throw new UsageError(`--${kebab(stray)} needs --tls: without it the TLS session is the client's own`);
    return { kind: 'transparent' };
  }
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  if (insecure && ca !== undefined) throw new UsageError('--ca says whom to trust, --insecure not to ask: give one');
  return {
    kind: 'originate',
    serverName,
    alpn,
    ca: ca && contentOf('--ca', ca),
    cert: cert && contentOf('--cert', cert),
    key: key && contentOf('--key', key),
    verify: !insecure,
    postgres,
  };
}

function limitsOf({ maxConnections, connectTimeout, idleTimeout }: ProxyOptions): Partial<ProxyLimits> {
  return {
    ...(maxConnections !== undefined && { connections: maxConnections }),
    ...(connectTimeout !== undefined && { connectTimeoutMs: connectTimeout }),
    ...(idleTimeout !== undefined && { idleTimeoutMs: idleTimeout }),
  };
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
