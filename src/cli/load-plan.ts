/** A configuration's text, for the commands that need its plan. */
import {
  type CheckOptions,
  ConfigError,
  type ConfigText,
  checkConfigText,
  problemText,
} from '../gateway/config/index.js';
import type { GatewayPlan } from '../gateway/plan.js';

/** What is served by, and what there is to say of it. */
export interface LoadedPlan {
  plan: GatewayPlan;
  warnings: readonly string[];
}

/** @throws ConfigError with all that is wrong */
export function planOfText(text: ConfigText, options?: CheckOptions): LoadedPlan {
  const { plan, problems, warnings } = checkConfigText(text, options);
  if (plan === undefined) throw new ConfigError(problems, text.path);
  return { plan, warnings: warnings.map(problemText) };
}
