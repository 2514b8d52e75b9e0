/** `npm run bench`: what turbo costs beside node:tls, in the same run. */
import { cpus } from 'node:os';
import { bulk } from './bulk.js';
import { datagrams } from './datagrams.js';
import { handshakes } from './handshakes.js';
import { idle } from './idle.js';
import type { Figure } from './measure.js';
import { suiteOptions } from './suite-options.js';

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

function row({ name, unit, tls, turbo, ratio, aim }: Figure): string {
  const number = (value: number | undefined) =>
    value === undefined ? '' : value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
  const cells = [number(tls).padStart(12), number(turbo).padStart(12), (ratio?.toFixed(2) ?? '').padStart(7)];
  return `${name.padEnd(44)}${cells.join('')}  ${unit}${aim ? `  (aim ${aim})` : ''}`;
}

const { quick, json, chosen } = suiteOptions(usage, Object.keys(suites));
const machine = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' };
if (!json) {
  console.log(`Node ${machine.node}, ${machine.cpus} x ${machine.cpu}; medians, ratio = turbo / node:tls\n`);
  console.log(`${''.padEnd(44)}${'node:tls'.padStart(12)}${'turbo'.padStart(12)}${'ratio'.padStart(7)}`);
}
const figures: Figure[] = [];
for (const name of chosen) {
  if (!json && process.stderr.isTTY) process.stderr.write(`… ${name}\r`);
  for (const figure of await (suites[name] as (quick: boolean) => Promise<Figure[]>)(quick)) {
    figures.push(figure);
    if (!json) console.log(row(figure));
  }
}
if (json) console.log(JSON.stringify({ machine, figures }, null, 2));
