/** The log, on standard output: a JSON object on each line, or text for people. */
import { pino } from 'pino';
import type { LogPlan } from '../plan.js';
import { type LogRecord, textLine, wantsColour } from './text-format.js';

/** Bytes that wait where nobody reads the log. What comes then is lost: connections must not wait for it. */
const HELD_BYTES = 16 * 1024 * 1024;

export type Logger = pino.Logger;

/** Where lines go. */
export interface LogStream {
  write(line: string): void;
  isTTY?: boolean;
}

/**
 * @param stream takes the place of standard output. That is written to asynchronously, and to its end when the process
 *   exits; `logger.flush(callback)` waits for it.
 */
export function logger({ level, format }: LogPlan, stream?: LogStream): Logger {
  const terminal = stream ?? process.stdout;
  const lines = stream ?? pino.destination({ fd: 1, sync: false, maxLength: HELD_BYTES });
  const destination = format === 'json' ? lines : textStream(lines, wantsColour(terminal));
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(options, destination);
}

function textStream(
  lines: pino.DestinationStream,
  colour: boolean,
): pino.DestinationStream & { flush(done: () => void): void } {
  return {
    write: (line) => lines.write(`${textLine(JSON.parse(line) as LogRecord, { colour })}\n`),
    flush: (done) => ('flush' in lines ? (lines as ReturnType<typeof pino.destination>).flush(done) : done()),
  };
}
