/** Where the gateway's plan comes from: a file, or options; as text, so that it can be sent to another process. */
import { type CheckOptions, type ConfigText, readConfigText } from '../gateway/config/index.js';
import type { LogPlan } from '../gateway/plan.js';
import { type LoadedPlan, planOfText } from './load-plan.js';
import { type OneBackend, oneBackendPlan } from './one-backend.js';

export interface PlanSource {
  /** What is watched for changes. */
  readonly file: string | undefined;
  /**
   * For `planOf`, here or in another process.
   * @throws ConfigError where the file cannot be read
   */
  read(): Promise<string>;
}

/** What has been asked for on the command line, which comes before the file. */
type LogChanges = Partial<LogPlan>;

type PlanText = { config: ConfigText; log: LogChanges } | { options: OneBackend; log: LogChanges };

export function configSource(file: string, log: LogChanges): PlanSource {
  return { file, read: async () => textOf({ config: await readConfigText(file), log }) };
}

export function optionsSource(options: OneBackend, log: LogChanges): PlanSource {
  return { file: undefined, read: async () => textOf({ options, log }) };
}

function textOf(text: PlanText): string {
  return JSON.stringify(text);
}

/** @throws ConfigError with all that is wrong, UsageError */
export function planOf(text: string, check: CheckOptions): LoadedPlan {
  const parsed = JSON.parse(text) as PlanText;
  const { plan, warnings } =
    'config' in parsed
      ? planOfText(parsed.config, check)
      : { plan: oneBackendPlan(parsed.options, check), warnings: [] };
  const { level = plan.log.level, format = plan.log.format } = parsed.log;
  return { plan: { ...plan, log: { level, format } }, warnings };
}
