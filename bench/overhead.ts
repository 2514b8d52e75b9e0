/** `npm run bench:overhead`: what TLS costs by each way that it can meet an event loop, in the same run. */
import { cpus } from 'node:os';
import { bulk } from './overhead/bulk.js';
import { cryptography } from './overhead/cryptography.js';
import type { Cell, Pace, Table } from './overhead/measure.js';
import { requests } from './overhead/requests.js';
import { setUp } from './overhead/set-up.js';
import { suiteOptions } from './suite-options.js';

const REQUEST_BYTES = [16, 1024, 16_384];

const suites: Record<string, (pace: Pace) => AsyncIterable<Table> | Iterable<Table>> = {
  'set-up': async function* (pace) {
    yield await setUp(pace, 'ecdsa');
    yield await setUp(pace, 'rsa');
  },
  requests: async function* (pace) {
    for (const bytes of REQUEST_BYTES) yield await requests(pace, bytes);
  },
  bulk: async function* (pace) {
    yield* await bulk(pace);
  },
  cryptography: (pace) => [cryptography(pace)],
};

const usage = `Usage: npm run bench:overhead -- [options] [suite …]

What TLS costs by each way that it can meet an event loop, over loopback: docs/tls-and-event-loops.md.
Suites: ${Object.keys(suites).join(', ')} (default: all)

  --quick   fewer and shorter rounds, about a minute, for a look
  --json    machine-readable output
  --help    this text`;

function show({ title, columns, rows }: Table): void {
  console.log(`\n${title}`);
  console.log(`${''.padEnd(30)}${columns.map((column) => column.padStart(30)).join('')}`);
  for (const { name, cells } of rows) {
    console.log(`  ${name.padEnd(28)}${cells.map((cell) => write(cell).padStart(30)).join('')}`);
  }
}

function write({ value, ratio }: Cell): string {
  const digits = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0;
  const number = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return ratio === undefined ? number : `${number} (${ratio.toFixed(2)})`;
}

const { quick, json, chosen } = suiteOptions(usage, Object.keys(suites));

const onTerminal = !json && process.stderr.isTTY;
const pace: Pace = {
  ...(quick
    ? { rounds: 3, connections: 50, roundMs: 150, megabytes: 40 }
    : { rounds: 15, connections: 100, roundMs: 250, megabytes: 60 }),
  progress: (text) => {
    if (onTerminal) process.stderr.write(`… ${text}\x1b[K\r`);
  },
};
const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' };
if (!json) {
  console.log(
    `Node ${machine.node}, OpenSSL ${process.versions.openssl}, ${machine.cpus} x ${machine.cpu}; medians of ` +
      `${pace.rounds} rounds by turns; in brackets: ratio to node:tls`,
  );
}
const tables: Table[] = [];
for (const name of chosen) {
  for await (const table of (suites[name] as (pace: Pace) => AsyncIterable<Table>)(pace)) {
    tables.push(table);
    if (onTerminal) process.stderr.write('\x1b[K');
    if (!json) show(table);
  }
}
if (json) console.log(JSON.stringify({ machine, rounds: pace.rounds, tables }, null, 2));
