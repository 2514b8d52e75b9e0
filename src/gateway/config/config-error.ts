import { GatewayError } from '../errors.js';
import { type ConfigProblem, problemText } from './problems.js';

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends GatewayError {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  /** The file, or what else the configuration came from. */
  readonly source: string;

  constructor(problems: readonly ConfigProblem[], source: string, cause?: unknown) {
    const lines = problems.map((problem) => `\n  ${problemText(problem)}`);
    super('ERR_GATEWAY_CONFIG', `${source}${lines.join('')}`, { cause });
    this.problems = problems;
    this.source = source;
  }
}
