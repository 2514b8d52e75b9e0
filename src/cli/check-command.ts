/** `turbotls check`: says all that is wrong with a configuration, with lines that an editor can follow. */
import { Command } from 'commander';
import { type ConfigProblem, checkConfig } from '../gateway/config/index.js';
import type { GatewayPlan } from '../gateway/plan.js';
import { EXIT, type ExitCode } from './exit.js';
import { addressText } from './proxy-log.js';

const EXAMPLES = `
Examples:
  turbotls check gateway.yaml && systemctl reload turbotls
`;

export function checkCommand(finish: (code: ExitCode) => void): Command {
  return new Command('check')
    .summary('say what is wrong with a configuration')
    .description(
      'Reads a configuration file and the certificates that it names, and says all that is wrong with them, one on a ' +
        'line. Exit code 0: it can be used.',
    )
    .argument('<file>', 'JSON or YAML, see docs/gateway-config.md')
    .option('--json', 'for machines')
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: { json?: true }) => finish(await check(file, options)));
}

async function check(file: string, { json = false }: { json?: boolean }): Promise<ExitCode> {
  const { plan, problems, warnings } = await checkConfig(file);
  if (json) console.log(JSON.stringify({ ok: plan !== undefined, problems, warnings }, undefined, 2));
  else print(file, plan, problems, warnings);
  return plan === undefined ? EXIT.failed : EXIT.ok;
}

function print(
  file: string,
  plan: GatewayPlan | undefined,
  problems: readonly ConfigProblem[],
  warnings: readonly ConfigProblem[],
): void {
  for (const problem of problems) console.error(lineOf(file, problem));
  for (const warning of warnings) console.error(lineOf(file, warning, 'warning: '));
  if (plan === undefined) return;
  const addresses = plan.listen.map(addressText).join(', ');
  const routes = plan.routes.map(({ name }) => name).join(', ');
  console.log(`${file}: can be used: ${addresses} to ${routes}`);
}

function lineOf(file: string, { path, message, line }: ConfigProblem, prefix = ''): string {
  const where = [line === undefined ? file : `${file}:${line}`, path].filter((part) => part !== '');
  return `${where.join(': ')}: ${prefix}${message}`;
}
