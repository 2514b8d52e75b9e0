/**
 * A configuration, checked, as the plan that it means.
 *
 *     file ── source.ts ──> JSON ── section.ts (types, by proto/config.proto) ──> Section ── plan-from.ts ──> GatewayPlan
 *
 * Nothing stops at the first mistake: each part reports to its Place and goes on.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { GatewayPlan } from '../plan.js';
import { ConfigError } from './config-error.js';
import { gatewayFrom } from './plan-from.js';
import { type ConfigProblem, Findings, type Path, problemsFrom } from './problems.js';
import { gatewaySchema } from './schema.js';
import { sectionFrom } from './section.js';
import { readSource } from './source.js';

export { ConfigError } from './config-error.js';
export { type ConfigProblem, problemText } from './problems.js';

/** A configuration is some KiB. */
const FILE_BYTES = 4 * 1024 * 1024;

export interface ConfigCheck {
  /** Undefined where there are problems. */
  plan: GatewayPlan | undefined;
  /** What makes the configuration unusable. */
  problems: ConfigProblem[];
  /** What can be used and will probably not do what is wanted: an expired certificate, TLS that verifies nobody. */
  warnings: ConfigProblem[];
}

/**
 * Reads a file: YAML, or JSON where its name ends so. Relative paths in it are relative to its folder.
 * @throws ConfigError ERR_GATEWAY_CONFIG: also where the file cannot be read
 */
export async function loadConfig(path: string): Promise<GatewayPlan> {
  return usable(await checkConfig(path), path);
}

/**
 * The same of a value that has the form of such a file, already parsed.
 * @param baseDir where relative paths begin
 * @throws ConfigError
 */
export function planFrom(json: unknown, baseDir: string): GatewayPlan {
  return usable(check(json, baseDir), 'the value given');
}

/** What loadConfig would say, with warnings. Throws nothing. */
export async function checkConfig(path: string): Promise<ConfigCheck> {
  const text = await readText(path);
  if (text instanceof Error) return unusable([{ path: '', message: `cannot be read: ${text.message}` }]);
  const { json, errors, lineOf } = readSource(text, { strict: path.endsWith('.json') });
  return errors.length > 0 ? unusable(errors) : check(json, dirname(resolve(path)), lineOf);
}

function check(
  json: unknown,
  baseDir: string,
  lineOf: (path: Path) => number | undefined = () => undefined,
): ConfigCheck {
  const findings = new Findings();
  const section = sectionFrom(gatewaySchema(), json, findings.root);
  const plan = section && gatewayFrom(section, baseDir);
  const problems = problemsFrom(findings.errors, lineOf);
  const warnings = problemsFrom(findings.warnings, lineOf);
  return { plan: problems.length === 0 ? plan : undefined, problems, warnings };
}

function usable({ plan, problems }: ConfigCheck, what: string): GatewayPlan {
  if (plan === undefined) throw new ConfigError(problems, what);
  return plan;
}

function unusable(problems: ConfigProblem[]): ConfigCheck {
  return { plan: undefined, problems, warnings: [] };
}

async function readText(path: string): Promise<string | Error> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES) return new Error(`it has ${size} bytes, more than ${FILE_BYTES}`);
    return await readFile(path, 'utf8');
  } catch (error) {
    return error as Error;
  }
}
