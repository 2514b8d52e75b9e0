/** Log lines for people: a time, a level, a message, then key=value. */

const LEVEL_COLOURS: Readonly<Record<string, number>> = { error: 31, warn: 33, info: 32, debug: 36 };
const DIM = 2;

/** What pino writes: a JSON object on a line. */
export type LogRecord = Readonly<Record<string, unknown>>;

export function textLine(record: LogRecord, { colour }: { colour: boolean }): string {
  const { time, level, msg, ...fields } = record;
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const word = String(level);
  const pairs = Object.entries(fields).flatMap(([key, value]) => pairsOf(key, value));
  return [
    paint(DIM, timeOfDay(time)),
    paint(LEVEL_COLOURS[word] ?? 0, word.padEnd(5)),
    printable(String(msg ?? '')),
    ...pairs.map(([key, value]) => `${paint(DIM, `${key}=`)}${value}`),
  ].join(' ');
}

/** Colour is for terminals, and for those who have not said that they want none (https://no-color.org). */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && !env.NO_COLOR;
}

function timeOfDay(time: unknown): string {
  return String(time).match(/T(\d\d:\d\d:\d\d\.\d{3})/)?.[1] ?? String(time);
}

function pairsOf(key: string, value: unknown): [string, string][] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value)) return [[key, wordOf(value)]];
  return Object.entries(value).flatMap(([below, each]) => pairsOf(`${key}.${below}`, each));
}

/** Quoted where it could be taken for something else, or would reach the terminal as a command. */
function wordOf(value: unknown): string {
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return /^[\w.:;,@/+*[\]()-]+$/.test(text) ? text : printable(JSON.stringify(text));
}

/** Neither control characters nor those that turn the direction of writing: clients choose some of these texts. */
function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
