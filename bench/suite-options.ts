/** What a benchmark of several suites is asked for on its command line. */
import { parseArgs } from 'node:util';

export interface SuiteOptions {
  quick: boolean;
  json: boolean;
  /** Names of suites, all that there are where none is given. */
  chosen: string[];
}

/** Ends the program: `--help` with 0, anything not understood with 2. */
export function suiteOptions(usage: string, names: readonly string[]): SuiteOptions {
  const fail = (message: string): never => {
    console.error(`${message}\n\n${usage}`);
    process.exit(2);
  };
  const { values, positionals } = parse(fail);
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) fail(`There is no suite '${unknown}'.`);
  return { quick: values.quick, json: values.json, chosen: positionals.length > 0 ? positionals : [...names] };
}

function parse(fail: (message: string) => never) {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}
