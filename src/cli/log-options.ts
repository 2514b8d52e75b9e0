/** The options of a log, which the services share. */
import { type Command, Option } from 'commander';
import type { LogPlan } from '../gateway/plan.js';

export interface LogOptions {
  logLevel?: LogPlan['level'];
  logFormat?: LogPlan['format'];
}

export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--log-level <level>', 'least level that is logged').choices(['error', 'warn', 'info', 'debug']),
    )
    .addOption(new Option('--log-format <format>', 'default: text on a terminal').choices(['json', 'text']));
}

export function logPlan({ logLevel, logFormat }: LogOptions): LogPlan {
  return { level: logLevel ?? 'info', format: logFormat ?? (process.stdout.isTTY ? 'text' : 'json') };
}
