/** What every example does with its command line, so that each file shows TurboTLS and little else. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** An option `--name`, or `--name VALUE` where `value` names what follows. */
type Option = { about: string } & (
  | { kind: 'flag' }
  | { kind: 'text'; value: string; default?: string; required?: boolean }
  /** A file, which is read. */
  | { kind: 'file'; value: string; required?: boolean }
  | { kind: 'number'; value: string; default: number; from: number; to: number; fraction?: boolean }
);

type Value<T extends Option> = T extends { kind: 'flag' }
  ? boolean
  : T extends { kind: 'number' }
    ? number
    : T extends { kind: 'file' }
      ? T extends { required: true }
        ? Buffer
        : Buffer | undefined
      : T extends { required: true } | { default: string }
        ? string
        : string | undefined;

type Values<T extends Record<string, Option>> = { [Name in keyof T]: Value<T[Name]> };

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
export const EXIT_INTERRUPTED = 130;

/** As it was started: server.js, client.js. */
const program = basename(process.argv[1] ?? 'example');

export const portOption = { kind: 'number', value: 'PORT', default: 8443, from: 0, to: 65_535 } as const;

/** What follows the options: all from the first argument on that is none. */
interface Rest {
  /** What it is called in the usage. */
  value: string;
  about: string;
}

/** The options given, or the end of the program: `--help` with 0, anything not understood with 2. */
export function commandLine<const T extends Record<string, Option>>(about: string, options: T): Values<T>;
/** The same, with what follows the options as `rest`. */
export function commandLine<const T extends Record<string, Option>>(
  about: string,
  options: T,
  rest: Rest,
): Values<T> & { rest: string[] };
export function commandLine<const T extends Record<string, Option>>(about: string, options: T, rest?: Rest): Values<T> {
  process.on('uncaughtException', (error) => {
    fail(error); // a certificate that is none, say
    process.exit();
  });
  const usage = usageText(about, options, rest);
  try {
    const args = process.argv.slice(2);
    const end = rest ? endOfOptions(args, options) : args.length;
    const values: Record<string, unknown> = parseArgs({
      args: args.slice(0, end),
      options: parserOptions(options),
    }).values;
    if (values.help) {
      console.log(usage);
      process.exit();
    }
    const read = Object.entries(options).map(([name, option]) => [name, optionValue(name, option, values[name])]);
    return Object.fromEntries(rest ? [...read, ['rest', args.slice(end)]] : read) as Values<T>;
  } catch (error) {
    // The first sentence says what is wrong; the parser's others are about positional arguments.
    console.error(`${program}: ${(error as Error).message.split('. ')[0]}\n\n${usage}`);
    process.exit(EXIT_USAGE);
  }
}

/** The value of an option is not understood: the program ends with 2. */
export function refuse(error: Error): never {
  console.error(`${program}: ${error.message}\n(--help says more)`);
  process.exit(EXIT_USAGE);
}

/** Says what went wrong, not where in the code: the program ends with 1 as soon as nothing holds it. */
export function fail(error: Error): void {
  const reasons = error instanceof AggregateError ? error.errors.map(({ message }) => message) : [error.message];
  console.error(`${program}: ${reasons.join('; ')}`);
  process.exitCode = EXIT_FAILED;
}

/** Calls `close` at the first Ctrl-C or SIGTERM. A second one ends the program at once. */
export function onInterrupt(close: () => void): void {
  let interrupted = false;
  const interrupt = () => {
    if (interrupted) process.exit(EXIT_INTERRUPTED);
    interrupted = true;
    close();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
}

/** Where the first argument stands that belongs to no option: what follows may begin with a dash too. */
function endOfOptions(args: string[], options: Record<string, Option>): number {
  const { tokens } = parseArgs({
    args,
    options: parserOptions(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens.find(({ kind }) => kind === 'positional')?.index ?? args.length;
}

function parserOptions(options: Record<string, Option>): NonNullable<ParseArgsConfig['options']> {
  const entries = Object.entries({ ...options, help: { kind: 'flag' } });
  return Object.fromEntries(
    entries.map(([name, { kind }]) => [name, { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) }]),
  );
}

function optionValue(name: string, option: Option, given: unknown): unknown {
  if (option.kind === 'flag') return given === true;
  const text = given as string | undefined;
  if (option.kind === 'number') return text === undefined ? option.default : numberOf(name, option, text);
  if (text === undefined) {
    if (option.required) throw new Error(`--${name} is missing`);
    return option.kind === 'text' ? option.default : undefined;
  }
  return option.kind === 'file' ? contentOf(name, text) : text;
}

function numberOf(name: string, { from, to, fraction }: Option & { kind: 'number' }, text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (number >= from && number <= to && (fraction || Number.isInteger(number))) return number;
  throw new Error(`--${name} must be a ${fraction ? '' : 'whole '}number from ${from} to ${to}, got '${text}'`);
}

function contentOf(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`--${name}: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`);
  }
}

function usageText(about: string, options: Record<string, Option>, rest?: Rest): string {
  const rows = Object.entries(options).map(([name, option]) => {
    const head = option.kind === 'flag' ? `--${name}` : `--${name} ${option.value}`;
    const preset = 'default' in option ? ` (default ${option.default})` : '';
    const needed = 'required' in option && option.required ? ' (required)' : '';
    return [head, `${option.about}${preset}${needed}`];
  });
  rows.push(['--help', 'this text']);
  if (rest) rows.push([rest.value, rest.about]);
  const width = Math.max(...rows.map(([head = '']) => head.length));
  const lines = rows.map(([head = '', text]) => `  ${head.padEnd(width)}  ${text}`);
  return `Usage: ${program} [options]${rest ? ` ${rest.value}` : ''}\n\n${about}\n\n${lines.join('\n')}`;
}
