#!/usr/bin/env node
/** The program `turbotls`. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../gateway/config/index.js';
import { checkCommand } from './check-command.js';
import { compareCommand } from './compare-command.js';
import { complain, EXIT, type ExitCode, isUsageError } from './exit.js';
import { gatewayCommand } from './gateway-command.js';
import { pingCommand } from './ping-command.js';
import { proxyCommand } from './proxy-command.js';
import { endWithReader, quietExperimental } from './standard-streams.js';

quietExperimental();
endWithReader();

const finish = (code: ExitCode) => {
  process.exitCode = code;
};

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = codeOf(error);
}

function program(): Command {
  const main = new Command('turbotls')
    .description('TurboTLS for servers and clients as they are: the TLS handshake runs while TCP connects.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(--help says more)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'turbotls: ')) })
    .exitOverride()
    .addHelpText('after', '\nExit codes: 0 ok, 1 failed, 2 not understood, 130 interrupted\n');
  const commands = [gatewayCommand, proxyCommand, checkCommand, pingCommand, compareCommand];
  for (const command of commands.map((make) => make(finish))) {
    main.addCommand(command.copyInheritedSettings(main));
  }
  return main;
}

/** The version of the package, whose folder is three above the compiled file. */
function version(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** What was to be said about a CommanderError is said. */
function codeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (isUsageError(error)) {
    console.error(`turbotls: ${error.message}\n(--help says more)`);
    return EXIT.usage;
  }
  // It has a line for each problem.
  if (error instanceof ConfigError) console.error(`turbotls: ${error.message}`);
  else complain(error);
  return EXIT.failed;
}
