/** `turbotls compare`: see `../compare/index.ts`, which is loaded only here: it has a client for each kind of server. */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Progress, Report, Target, TargetSettings } from '../compare/index.js';
import { complain, EXIT, type ExitCode, UsageError } from './exit.js';
import { terminalStyle } from './terminal-style.js';
import { contentOf, count, duration, listOf, positive } from './values.js';

interface CompareCommandOptions {
  send?: string;
  samples: number;
  serverName?: string;
  ca?: string;
  turboPort?: number;
  timeout: number;
  only?: string[];
  json?: true;
  html?: string;
}

const SAMPLES = 15;
const TIMEOUT_MS = 10_000;
const PORT_MAX = 65_535;

const EXAMPLES = `
Examples:
  turbotls compare db.example.com:443
  turbotls compare https://example.com/ --samples 50 --html report.html
  PGPASSWORD=… turbotls compare postgres://app@db.example.com/app --ca ca.pem
  REDISCLI_AUTH=… turbotls compare rediss://cache.example.com --turbo-port 443 --only redisclient-turbo
`;

export function compareCommand(finish: (code: ExitCode) => void): Command {
  return new Command('compare')
    .summary('measure what TurboTLS saves with a server')
    .description(
      'Connects to a server in every way of its kind, by turns, and says how long each takes from the first call to ' +
        'the first useful byte: Node and TurboTLS, and the clients that people use, as far as they are installed. ' +
        'A server without TurboTLS shows what the others take. Exit code 0: at least one way was measured.',
    )
    .argument('<target>', 'HOST:PORT (TLS), https://…, postgres://… or rediss://…')
    .option(
      '--send <text>',
      'for HOST:PORT: sent when TLS is there, and the answer ends it; default: TLS ends it',
      something,
    )
    .addOption(
      new Option('--samples <n>', 'connections of each kind').argParser(count).default(SAMPLES, String(SAMPLES)),
    )
    .option('--server-name <name>', 'sent and looked for in the certificate; default: the host')
    .option('--ca <file>', 'authorities, PEM; default: those that Node trusts')
    .option('--turbo-port <port>', 'where TurboTLS is served; default: the same port', port)
    .addOption(
      new Option('--timeout <time>', 'for one connection').argParser(positive(duration)).default(TIMEOUT_MS, '10s'),
    )
    .option('--only <ids>', 'of these cases, and what they are compared with; --json shows the ids', listOf(String))
    .option('--json', 'for machines; docs/cli.md has its shape')
    .option('--html <file>', 'write a report with pictures')
    .addHelpText('after', EXAMPLES)
    .action(async (target: string, options: CompareCommandOptions) => finish(await run(target, options)));
}

async function run(text: string, options: CompareCommandOptions): Promise<ExitCode> {
  const compare = await import('../compare/index.js');
  const settings = settingsOf(options);
  const { target, cases } = understood(() => {
    const target = compare.parseTarget(text, settings);
    return { target, cases: compare.casesOf(target, options.only) };
  });
  const { samples, timeout: timeoutMs, json, html } = options;
  const signal = interruption();
  const command = commandLine(text, compare.withoutPassword(text));
  let report: Report;
  try {
    report = await compare.compareServer(target, cases, { samples, timeoutMs, signal, command, onProgress: narrate });
  } catch (error) {
    if (!signal.aborted) throw advised(error, target);
    return EXIT.interrupted;
  } finally {
    clearNarration();
  }
  process.stdout.write(json ? compare.json(report) : compare.table(report, terminalStyle()));
  if (html !== undefined) save(html, compare.html(report));
  if (isMeasured(report)) return EXIT.ok;
  complain(new Error('nothing could be measured; what stands above says why'));
  return EXIT.failed;
}

function settingsOf({ send, serverName, ca, turboPort }: CompareCommandOptions): TargetSettings {
  return { send, serverName, turboPort, ca: ca && contentOf('--ca', ca) };
}

/** What cannot be understood ends before anything is measured. */
function understood<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** The first Ctrl-C ends what runs and clears it away, a second one ends the program. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  process.once('SIGINT', () => {
    process.once('SIGINT', () => process.exit(EXIT.interrupted));
    abort.abort(new Error('interrupted'));
  });
  return abort.signal;
}

const narrates = process.stderr.isTTY === true;

/** On a line that the next one replaces. */
function narrate({ doing, case: { title }, done, of }: Progress): void {
  if (!narrates) return;
  const text = `${done} of ${of}: ${doing} ${title}`;
  process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
}

function clearNarration(): void {
  if (narrates) process.stderr.write('\r\x1b[K');
}

/** Codes of Node and OpenSSL for certificates that are not to be trusted. */
const NOT_TRUSTED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** With what to do, where the system's advice is not enough. */
function advised(error: unknown, { address: { host, port } }: Target): Error {
  const { code } = error as NodeJS.ErrnoException;
  const cause = error as Error;
  if (code !== undefined && NOT_TRUSTED.includes(code)) {
    return new Error('the certificate is not trusted here; --ca FILE names its authority', { cause });
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new Error('the certificate is for another name; --server-name NAME says which', { cause });
  }
  if (code?.startsWith('ERR_SSL_') || code === 'EPROTO' || code === 'ECONNRESET') {
    return new Error(`TLS does not come about; turbotls ping ${host}:${port} says what the server speaks`, { cause });
  }
  return cause;
}

function isMeasured({ runs }: Report): boolean {
  return runs.some(({ results }) => results.some(({ samples }) => samples.length > 0));
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new Error(`--html: cannot write ${path}`, { cause });
  }
}

/** As it was given, with what can be shown of the target. */
function commandLine(target: string, shown: string): string {
  const args = process.argv.slice(2).map((arg) => (arg === target ? shown : arg));
  return ['turbotls', ...args.map(quoted)].join(' ');
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function port(text: string): number {
  const number = count(text);
  if (number > PORT_MAX) throw new InvalidArgumentError(`A port is from 1 to ${PORT_MAX}.`);
  return number;
}

/** Servers that are sent nothing do not answer. */
function something(text: string): string {
  if (text === '') throw new InvalidArgumentError('there is nothing in it.');
  return text;
}
