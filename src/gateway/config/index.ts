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
import type { FileRules } from './certificates.js';
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

/** A configuration that was read and not yet looked at. Another process can check it as well as this one. */
export interface ConfigText {
  /** As it was given; relative paths in the text are relative to its folder. */
  path: string;
  text: string;
}

export interface CheckOptions {
  /**
   * `unread`: no private key is opened, in files or tokens, and what is wrong with keys is not found. Certificates are
   * judged all the same. Default `read`.
   */
  keys?: 'read' | 'unread';
}

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
export function planFrom(json: unknown, baseDir: string, { keys = 'read' }: CheckOptions = {}): GatewayPlan {
  return usable(check(json, { baseDir, keys }), 'the value given');
}

/** @throws ConfigError where the file cannot be read */
export async function readConfigText(path: string): Promise<ConfigText> {
  try {
    return { path, text: await readText(path) };
  } catch (error) {
    throw new ConfigError([{ path: '', message: `cannot be read: ${(error as Error).message}` }], path, error);
  }
}

/** What is wrong with it, and its plan where nothing is. Throws nothing. */
export function checkConfigText({ path, text }: ConfigText, { keys = 'read' }: CheckOptions = {}): ConfigCheck {
  const { json, errors, lineOf } = readSource(text, { strict: path.endsWith('.json') });
  return errors.length > 0 ? unusable(errors) : check(json, { baseDir: dirname(resolve(path)), keys }, lineOf);
}

/** What loadConfig would say, with warnings. Throws nothing. */
export async function checkConfig(path: string): Promise<ConfigCheck> {
  try {
    return checkConfigText(await readConfigText(path));
  } catch (error) {
    if (error instanceof ConfigError) return unusable(error.problems);
    throw error;
  }
}

function check(
  json: unknown,
  rules: FileRules,
  lineOf: (path: Path) => number | undefined = () => undefined,
): ConfigCheck {
  const findings = new Findings();
  const section = sectionFrom(gatewaySchema(), json, findings.root);
  const plan = section && gatewayFrom(section, rules);
  const problems = problemsFrom(findings.errors, lineOf);
  const warnings = problemsFrom(findings.warnings, lineOf);
  return { plan: problems.length === 0 ? plan : undefined, problems, warnings };
}

function usable({ plan, problems }: ConfigCheck, what: string): GatewayPlan {
  if (plan === undefined) throw new ConfigError(problems, what);
  return plan;
}

function unusable(problems: readonly ConfigProblem[]): ConfigCheck {
  return { plan: undefined, problems: [...problems], warnings: [] };
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > FILE_BYTES) throw new Error(`it has ${size} bytes, more than ${FILE_BYTES}`);
  return readFile(path, 'utf8');
}
