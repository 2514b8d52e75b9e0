import { GatewayError } from '../errors.js';
import { type ConfigProblem, problemText } from './problems.js';

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends GatewayError {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  /** @param what the file, or what else it came from */
  constructor(problems: readonly ConfigProblem[], what: string, cause?: unknown) {
    const lines = problems.map((problem) => `\n  ${problemText(problem)}`);
    super('ERR_GATEWAY_CONFIG', `${what}${lines.join('')}`, { cause });
    this.problems = problems;
  }
}
