/** `turbotls gateway`: see `../gateway/gateway.ts`. */
import { Command } from 'commander';
import { type ExitCode, UsageError } from './exit.js';
import { gatewayService } from './gateway-service.js';
import { addLogOptions, type LogOptions } from './log-options.js';
import type { OneBackend } from './one-backend.js';
import { configSource, optionsSource, type PlanSource } from './plan-source.js';
import { serve } from './service.js';
import { alpn, listOf } from './values.js';

interface GatewayOptions extends LogOptions, Partial<OneBackend> {
  config?: string;
}

const EXAMPLES = `
Examples:
  turbotls gateway --config gateway.yaml
  One backend, TLS end to end, no key here:
    turbotls gateway --listen :443 --to postgres://127.0.0.1:5432
  One backend without TLS of its own:
    turbotls gateway --listen :443 --to 127.0.0.1:6379 --cert cache.pem --key cache.key

Signals:
  SIGHUP reads the configuration again; so does a change of the file. Connections go on.
  SIGTERM lets connections end until the deadline (limits.drainTimeout); a second one ends them at once.
`;

/** Options that a configuration file has in itself. */
const OF_ONE_BACKEND = [
  'listen',
  'to',
  'cert',
  'key',
  'clientCa',
  'alpn',
  'proxyProtocol',
  'admin',
  'workers',
] as const;

export function gatewayCommand(finish: (code: ExitCode) => void): Command {
  const command = new Command('gateway')
    .summary('serve: one UDP and one TCP port, routed to backends')
    .description(
      'Serves TurboTLS and TLS on one port and routes connections to backends by server name, ALPN and protocol.',
    )
    .option('--config <file>', 'JSON or YAML, see docs/gateway-config.md')
    .option('--listen <address>', 'without --config: HOST:PORT or :PORT, UDP and TCP; repeatable', listOf(String))
    .option(
      '--to <address>',
      'the backend: HOST:PORT, tls://…, postgres://… or postgres+tls://…; repeatable',
      listOf(String),
    )
    .option('--cert <file>', 'end TLS here: certificate with its chain, PEM')
    .option('--key <file>', 'its key, PEM')
    .option('--client-ca <file>', 'with --cert: ask clients for a certificate of these authorities, PEM')
    .option('--alpn <names>', 'with --cert: protocols that are agreed to', listOf(alpn))
    .option('--proxy-protocol', 'tell the backend the address of the client, by PROXY v2')
    .option('--admin <address>', 'metrics and health over HTTP: HOST:PORT, or :PORT on loopback')
    .option('--workers <n>', 'serve in so many processes, or "auto": one for each core')
    .addHelpText('after', EXAMPLES)
    .action(async (options: GatewayOptions) => finish(await serve(() => gatewayService(planSource(options)))));
  return addLogOptions(command);
}

function planSource(options: GatewayOptions): PlanSource {
  const { config, listen, to, logLevel: level, logFormat: format } = options;
  const log = { ...(level && { level }), ...(format && { format }) };
  if (config !== undefined) {
    const stray = OF_ONE_BACKEND.find((name) => options[name] !== undefined);
    if (stray)
      throw new UsageError(
        `--config has everything in the file: leave out --${stray.replace('clientCa', 'client-ca')}`,
      );
    return configSource(config, log);
  }
  if (listen === undefined || to === undefined) {
    throw new UsageError('give --config FILE, or --listen ADDRESS and --to ADDRESS');
  }
  return optionsSource({ ...options, listen, to }, log);
}
