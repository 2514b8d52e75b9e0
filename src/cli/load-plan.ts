/** A configuration file, for the commands that need its plan. */
import { ConfigError, checkConfig, problemText } from '../gateway/config/index.js';
import type { GatewayPlan } from '../gateway/plan.js';

/** @throws ConfigError with all that is wrong */
export async function loadPlan(path: string): Promise<{ plan: GatewayPlan; warnings: string[] }> {
  const { plan, problems, warnings } = await checkConfig(path);
  if (plan === undefined) throw new ConfigError(problems, path);
  return { plan, warnings: warnings.map(problemText) };
}
