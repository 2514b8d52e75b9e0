/**
 * Lines that several processes write to one pipe must be written in one piece each: a pipe takes no more than PIPE_BUF
 * (pipe(7): 4,096 bytes) without another's bytes between.
 */
import type { LogRecord } from './text-format.js';

/** Bytes of a line, with its end. */
export const LINE_BYTES = 4096;

/** What is left of each text of a line that is too long, characters: some errors name files, with their paths. */
const TEXT_CHARACTERS = 200;

/** Of every line, however long the others of its fields are. */
const ALWAYS = ['level', 'time', 'worker', 'msg'] as const;

const MARK = '…';

/** A record as a line of JSON that is not too long. */
export function shortJson(line: string): string {
  if (Buffer.byteLength(line) <= LINE_BYTES) return line;
  const record = JSON.parse(line) as LogRecord;
  const shorter = jsonLine(cutTexts(record) as LogRecord);
  if (Buffer.byteLength(shorter) <= LINE_BYTES) return shorter;
  return jsonLine(Object.fromEntries(ALWAYS.map((name) => [name, cutTexts(record[name])])));
}

/** Text, cut where it is too long. */
export function shortText(line: string): string {
  if (Buffer.byteLength(line) <= LINE_BYTES) return line;
  const end = `${MARK}\n`;
  const room = LINE_BYTES - Buffer.byteLength(end);
  // A character that is cut in two becomes one that says so, which is longer: what fits is what is whole.
  return `${new TextDecoder().decode(Buffer.from(line).subarray(0, room), { stream: true })}${end}`;
}

function jsonLine(record: LogRecord): string {
  return `${JSON.stringify({ ...record, cut: true })}\n`;
}

function cutTexts(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > TEXT_CHARACTERS ? `${value.slice(0, TEXT_CHARACTERS)}${MARK}` : value;
  }
  if (Array.isArray(value)) return value.map(cutTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, cutTexts(each)]));
}
