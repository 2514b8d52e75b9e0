/** `turbotls ping`: see `../gateway/ping.ts`. */
import { Command } from 'commander';
import { DEFAULT_ALPN, type PingReport, ping } from '../gateway/ping.js';
import type { HostAddress } from '../transport.js';
import { EXIT, type ExitCode } from './exit.js';
import { pingPicture } from './ping-picture.js';
import { terminalStyle } from './terminal-style.js';
import { alpn, contentOf, duration, listOf, parseAddress, positive } from './values.js';

interface PingCommandOptions {
  serverName?: string;
  alpn?: string[];
  ca?: string;
  timeout?: number;
  json?: true;
}

const HTTPS_PORT = 443;

const EXAMPLES = `
Examples:
  turbotls ping db.example.com:443
  turbotls ping example.com --json | jq .tls
  turbotls ping 10.0.0.5:5432 --server-name db.example.com --ca ca.pem
`;

export function pingCommand(finish: (code: ExitCode) => void): Command {
  return new Command('ping')
    .summary('say what a server speaks, and how long each step takes')
    .description(
      'Connects to a server in every way that it may speak: TCP, TLS 1.3 and 1.2, TurboTLS over UDP, ALPN protocols and ' +
        "PostgreSQL's requests, and draws how long each step takes. Exit code 0: TLS came about in one of these ways.",
    )
    .argument('<address>', 'HOST:PORT, or HOST for port 443', (text: string) =>
      parseAddress(text, { port: HTTPS_PORT, minPort: 1 }),
    )
    .option('--server-name <name>', 'sent and looked for in the certificate; default: HOST')
    .option('--alpn <names>', `protocols to try (default: ${DEFAULT_ALPN.join(',')})`, listOf(alpn))
    .option('--ca <file>', 'authorities, PEM; default: those that Node trusts')
    .option('--timeout <time>', 'for each step (default: 5s)', positive(duration))
    .option('--json', 'for machines; docs/cli.md has its shape')
    .addHelpText('after', EXAMPLES)
    .action(async (address: HostAddress, options: PingCommandOptions) => finish(await run(address, options)));
}

async function run(address: HostAddress, options: PingCommandOptions): Promise<ExitCode> {
  const { serverName, alpn, ca, timeout, json } = options;
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
  const report = await ping({
    ...address,
    serverName,
    alpn,
    ca: ca && contentOf('--ca', ca),
    timeoutMs: timeout,
  });
  console.log(json ? JSON.stringify(report, undefined, 2) : pingPicture(report, terminalStyle()));
  return succeeded(report) ? EXIT.ok : EXIT.failed;
}

function succeeded({ tlsBegins }: PingReport): boolean {
  return tlsBegins !== null;
}
