/** `npm run bench`: what turbo costs beside node:tls, in the same run. */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { bulk } from './bulk.js';
import { datagrams } from './datagrams.js';
import { handshakes } from './handshakes.js';
import { idle } from './idle.js';
import type { Figure } from './measure.js';

const suites: Record<string, (quick: boolean) => Promise<Figure[]> | Figure[]> = {
  handshakes: async (quick) => [
    ...(await handshakes('ecdsa', quick ? 300 : 2000, quick ? 3 : 7)),
    ...(await handshakes('rsa', quick ? 200 : 1000, quick ? 3 : 5)),
  ],
  bulk: (quick) => bulk(quick ? 100 : 500, quick ? 3 : 7),
  idle: (quick) => idle(quick ? 300 : 2000, quick ? 1 : 3),
  datagrams: (quick) => datagrams(quick ? 0.2 : 2),
};

const usage = `Usage: npm run bench -- [options] [suite …]

Suites: ${Object.keys(suites).join(', ')} (default: all)

  --quick   fewer rounds, for a look
  --json    machine-readable output
  --help    this text`;

function fail(message: string): never {
  console.error(`${message}\n\n${usage}`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

function row({ name, unit, tls, turbo, ratio, aim }: Figure): string {
  const number = (value: number | undefined) =>
    value === undefined ? '' : value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
  const cells = [number(tls).padStart(12), number(turbo).padStart(12), (ratio?.toFixed(2) ?? '').padStart(7)];
  return `${name.padEnd(44)}${cells.join('')}  ${unit}${aim ? `  (aim ${aim})` : ''}`;
}

const { values, positionals } = parse();
if (values.help) {
  console.log(usage);
  process.exit(0);
}
for (const name of positionals) if (!suites[name]) fail(`There is no suite '${name}'.`);
const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' };
if (!values.json) {
  console.log(`Node ${machine.node}, ${machine.cpus} x ${machine.cpu}; medians, ratio = turbo / node:tls\n`);
  console.log(`${''.padEnd(44)}${'node:tls'.padStart(12)}${'turbo'.padStart(12)}${'ratio'.padStart(7)}`);
}
const figures: Figure[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(suites)) {
  if (!values.json && process.stderr.isTTY) process.stderr.write(`… ${name}\r`);
  for (const figure of await (suites[name] as (quick: boolean) => Promise<Figure[]>)(values.quick)) {
    figures.push(figure);
    if (!values.json) console.log(row(figure));
  }
}
if (values.json) console.log(JSON.stringify({ machine, figures }, null, 2));
