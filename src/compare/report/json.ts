/** A report as a file, and back. */
import type { Report } from '../model.js';

const VERSION = 1;
/** Clocks tell no more: times in ms are kept to the microsecond. */
const DIGITS = 3;

export function json(report: Report): string {
  return `${JSON.stringify(report, (name, value) => (isMs(name, value) ? Number(value.toFixed(DIGITS)) : value))}\n`;
}

function isMs(name: string, value: unknown): value is number {
  return typeof value === 'number' && (name === 'ms' || name.endsWith('Ms'));
}

/**
 * @throws Error that says why the text is no report
 */
export function readReport(text: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error('this is no report: it is not JSON', { cause });
  }
  if (!isObject(value) || value.version === undefined) throw new Error('this is no report: it names no version');
  if (value.version !== VERSION) {
    const version = JSON.stringify(value.version);
    throw new Error(
      `this report is of version ${version}, and only ${VERSION} is known here: use the turbotls that made it`,
    );
  }
  const wrong = reportCheck(value, '');
  if (wrong !== undefined) throw new Error(`this is no report: ${wrong}`);
  return value as unknown as Report;
}

/** What is wrong with a value, if anything: `runs[2].label is no string`. */
type Check = (value: unknown, path: string) => string | undefined;

const text: Check = (value, path) => (typeof value === 'string' ? undefined : `${path} is no string`);

const amount: Check = (value, path) => (Number.isFinite(value) ? undefined : `${path} is no number`);

const optional =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? undefined : check(value, path);

const oneOf =
  (...values: string[]): Check =>
  (value, path) =>
    values.includes(value as string) ? undefined : `${path} is none of ${values.join(', ')}`;

const list =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) return `${path} is no list`;
    return value.map((each, index) => check(each, `${path}[${index}]`)).find((wrong) => wrong !== undefined);
  };

const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (!isObject(value)) return `${path} is no object`;
    for (const [name, check] of Object.entries(fields)) {
      const wrong = check(value[name], path === '' ? name : `${path}.${name}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const sample = object({
  ms: amount,
  phases: list(object({ name: oneOf('tcp', 'udp', 'secure', 'ready'), atMs: amount })),
  carrier: optional(oneOf('udp', 'tcp')),
});

const packet = object({
  from: oneOf('client', 'server'),
  protocol: oneOf('tcp', 'udp'),
  sentAtMs: amount,
  arrivedAtMs: optional(amount),
  label: text,
  bytes: amount,
});

const result = object({
  id: text,
  title: text,
  group: oneOf('echo', 'postgres', 'redis', 'https'),
  reference: text,
  missing: optional(text),
  samples: list(sample),
  failures: list(object({ message: text, count: amount })),
  startMs: amount,
  trace: optional(object({ sample, packets: list(packet) })),
});

/** What the outputs need of a report; its conditions are of no use to them. */
const reportCheck = object({
  command: text,
  date: text,
  machine: object({ node: text, openssl: text, platform: text, kernel: text, cpu: text, cores: amount }),
  network: text,
  runs: list(
    object({
      sweep: oneOf('cases', 'round-trip', 'loss', 'certificate', 'udp', 'load'),
      label: text,
      at: optional(amount),
      roundTripMs: optional(amount),
      results: list(result),
    }),
  ),
  notes: list(text),
});
