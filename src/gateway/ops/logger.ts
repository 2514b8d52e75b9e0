/** The log, on standard output: a JSON object on each line, or text for people. */
import { pino } from 'pino';
import type { LogPlan } from '../plan.js';
import { LINE_BYTES, shortJson, shortText } from './line-length.js';
import { type LogRecord, textLine, wantsColour } from './text-format.js';

/** Bytes that wait where nobody reads the log. What comes then is lost: connections must not wait for it. */
const HELD_BYTES = 16 * 1024 * 1024;

export type Logger = pino.Logger;

/** What writes to standard output in this process. */
const destinations = new Set<ReturnType<typeof pino.destination>>();

/** Loses what waits to be written: a process that is to end at once would else wait for whoever reads its log. */
export function dropLogs(): void {
  for (const destination of destinations) destination.destroy();
}

/** Where lines go. */
export interface LogStream {
  write(line: string): void;
  isTTY?: boolean;
}

export interface LoggerOptions {
  /** The process that writes, where several share standard output: a field of each line. */
  worker?: number | undefined;
}

/**
 * Lines are short enough, and are written so, that several processes can write to one pipe.
 * @param stream takes the place of standard output. That is written to asynchronously, and to its end when the process
 *   exits; `logger.flush(callback)` waits for it.
 */
export function logger({ level, format }: LogPlan, stream?: LogStream, { worker }: LoggerOptions = {}): Logger {
  const terminal = stream ?? process.stdout;
  const lines = stream ?? standardOutput();
  const colour = wantsColour(terminal);
  const form =
    format === 'json'
      ? shortJson
      : (line: string) => shortText(`${textLine(JSON.parse(line) as LogRecord, { colour })}\n`);
  const options: pino.LoggerOptions = {
    level,
    base: worker === undefined ? null : { worker },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(options, formed(lines, form));
}

function standardOutput(): ReturnType<typeof pino.destination> {
  const destination = pino.destination({ fd: 1, sync: false, maxLength: HELD_BYTES, maxWrite: LINE_BYTES });
  destinations.add(destination);
  return destination;
}

function formed(
  lines: pino.DestinationStream,
  form: (line: string) => string,
): pino.DestinationStream & { flush(done: () => void): void } {
  return {
    write: (line) => lines.write(form(line)),
    flush: (done) => ('flush' in lines ? (lines as ReturnType<typeof pino.destination>).flush(done) : done()),
  };
}
