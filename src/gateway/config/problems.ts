/** What is wrong with a configuration: all of it at once, each with the path of the value. */

/** Keys and indexes from the root of the file. */
export type Path = readonly (string | number)[];

export interface ConfigProblem {
  /** Such as 'routes[1].terminate.certificates[0].key'; '' is the file as a whole. */
  path: string;
  message: string;
  /** From 1, in the file. Not there where the configuration did not come from a file. */
  line?: number;
}

interface Finding {
  path: Path;
  message: string;
}

/** Collects findings. An error makes the configuration unusable; a warning does not. */
export class Findings {
  readonly errors: Finding[] = [];
  readonly warnings: Finding[] = [];

  readonly root: Place = new Place(this, []);
}

/** A value's place in the configuration, and the way to say something about it. */
export class Place {
  readonly path: Path;
  readonly #findings: Findings;

  constructor(findings: Findings, path: Path) {
    this.#findings = findings;
    this.path = path;
  }

  at(...path: Path): Place {
    return new Place(this.#findings, [...this.path, ...path]);
  }

  error(message: string): void {
    this.#findings.errors.push({ path: this.path, message });
  }

  warn(message: string): void {
    this.#findings.warnings.push({ path: this.path, message });
  }

  /** Whether there is an error here or below. */
  get isWrong(): boolean {
    return this.#findings.errors.some(({ path }) => this.path.every((step, index) => step === path[index]));
  }

  toString(): string {
    return pathText(this.path);
  }
}

/** In the order of the file. @param lineOf the line of the value at a path, where that is known */
export function problemsFrom(
  findings: readonly Finding[],
  lineOf: (path: Path) => number | undefined,
): ConfigProblem[] {
  return findings
    .map(({ path, message }) => {
      const line = lineOf(path);
      return { path: pathText(path), message, ...(line === undefined ? {} : { line }) };
    })
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/** One line for people: 'line 12: routes[0].name: is missing'. */
export function problemText({ path, message, line }: ConfigProblem): string {
  const where = [line === undefined ? '' : `line ${line}`, path].filter((part) => part !== '');
  return [...where, message].join(': ');
}
