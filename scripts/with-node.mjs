/**
 * Runs a command with another version of Node, whose binary comes from the npm registry:
 *
 *   node scripts/with-node.mjs 26 mocha
 *
 * The package `node` picks the binary in an install script; the package it picks is named here directly, so that this
 * works where install scripts are switched off. npm keeps it in its cache.
 */
import { spawn } from 'node:child_process';

const [version, ...command] = process.argv.slice(2);
if (!version || command.length === 0) {
  console.error('usage: with-node.mjs VERSION COMMAND [ARGUMENT…]');
  process.exit(2);
}

const platform = process.platform === 'win32' ? 'win' : process.platform;
const binary = `node-${platform}-${process.arch}@${version}`;
const child = spawn('npm', ['exec', '--yes', `--package=${binary}`, '--', ...command], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`with-node.mjs: cannot run npm: ${error.message}`);
  process.exitCode = 1;
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
