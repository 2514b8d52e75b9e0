/**
 * Shows what TurboTLS saves: connects by node:tls and by turbo, in turns, and draws what happened when.
 *
 *   npm run demo                                      on the project's simulated link of 50 ms
 *   npm run demo -- --rtt 200 --loss 0.05             on another one
 *   npm run demo -- --loopback                        real sockets on this machine
 *   npm run demo -- --host example.org --port 443     real sockets, a server somewhere
 */
import { commandLine, EXIT_INTERRUPTED, fail } from '../command-line.js';
import { type Link, time } from './contender.js';
import { loopbackLink, remoteLink, simulatedLink } from './links.js';
import { picture } from './picture.js';
import { type Report, summarize, type Timings } from './results.js';

const options = commandLine('Connects by node:tls and by turbo and draws what happened when.', {
  rtt: { kind: 'number', value: 'MS', default: 50, from: 1, to: 2_000, fraction: true, about: 'simulated round trip' },
  loss: {
    kind: 'number',
    value: 'PART',
    default: 0,
    from: 0,
    to: 0.5,
    fraction: true,
    about: 'part of the packets that is lost',
  },
  runs: { kind: 'number', value: 'N', default: 5, from: 1, to: 1_000, about: 'connections of each kind, in turns' },
  loopback: { kind: 'flag', about: 'real sockets on this machine' },
  host: { kind: 'text', value: 'HOST', about: 'real sockets to a TLS server' },
  port: { kind: 'number', value: 'PORT', default: 443, from: 1, to: 65_535, about: 'its port' },
  servername: { kind: 'text', value: 'NAME', about: "the server's name in its certificate; default: HOST" },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
  insecure: { kind: 'flag', about: 'take any certificate' },
  json: { kind: 'flag', about: 'for machines' },
});

/** A connection may take this long, or this many round trips: loss makes TCP wait for seconds. */
const TIMEOUT_MS = 30_000;
const TIMEOUT_ROUND_TRIPS = 40;

const onTerminal = process.stdout.isTTY === true;
const narrates = onTerminal && process.stderr.isTTY === true && !options.json;

process.on('SIGINT', () => {
  narrate('');
  process.exit(EXIT_INTERRUPTED);
});

try {
  const link = await openLink();
  try {
    await timeInTurns(link, link.warmUps, 'warming up', link.hurry);
    print(summarize(link, await timeInTurns(link, options.runs, 'measuring')));
  } finally {
    link.close();
  }
} catch (error) {
  narrate('');
  fail(error as Error);
}

function openLink(): Promise<Link> {
  if (options.host !== undefined) return remoteLink({ ...options, host: options.host });
  return options.loopback ? loopbackLink() : simulatedLink(options.rtt, options.loss);
}

/** One after the other, so that what else the machine does touches all alike. */
async function timeInTurns(link: Link, rounds: number, what: string, hurry?: Link['hurry']): Promise<Timings> {
  const timeoutMs = Math.max(TIMEOUT_MS, TIMEOUT_ROUND_TRIPS * (link.roundTripMs ?? 0));
  const timings: Timings = new Map(link.contenders.map((contender) => [contender, []]));
  hurry?.(true);
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, measured] of timings) {
      narrate(`${what}, round ${round} of ${rounds}: ${contender.name}`);
      measured.push(await time(contender, link, timeoutMs));
    }
  }
  hurry?.(false);
  return timings;
}

function print(report: Report): void {
  narrate('');
  const style = { width: process.stdout.columns || 80, colour: hasColours(), unicode: hasUnicode() };
  console.log(options.json ? JSON.stringify(report, rounded, 2) : picture(report, style));
}

/** To microseconds. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}

/** What is being done, on a line that the next one replaces. */
function narrate(text: string): void {
  if (narrates) process.stderr.write(`\r\x1b[K${text}`);
}

/** Where the terminal has them and the user did not switch them off (NO_COLOR, TERM=dumb). */
function hasColours(): boolean {
  return onTerminal && process.stdout.hasColors();
}

function hasUnicode(): boolean {
  const locale = process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || '';
  return onTerminal && /utf-?8/i.test(locale);
}
