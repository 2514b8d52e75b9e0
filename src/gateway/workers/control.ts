/** What main process and workers say to each other: bytes to value and back (proto: control.proto). */
import { turbotls } from '#proto/control.js';
import { ConfigError, type ConfigProblem } from '../config/index.js';

/** Where a worker finds what the tickets of all are made of: an open file that it inherits. */
export const TICKET_DESCRIPTOR = 4;

export interface ToWorker {
  request: number;
  plan: { text: string; workers: number } | null;
  look: object | null;
}

/** How a worker is. */
export interface Report {
  /** A registry of prom-client, in its JSON. */
  metrics: string;
  /** Why clients should not be sent here. */
  notReady: string[];
  /** The same without what is wrong with backends. */
  notListening: string[];
}

export interface Failure {
  code: string;
  message: string;
  cause: Failure | null;
  problems: { path: string; message: string; line: number }[];
  source: string;
}

export interface ToMain {
  request: number;
  failure: Failure | null;
  report: Report | null;
  new: boolean;
  spent: boolean;
}

const messages = turbotls.control.v1;

export function encodeToWorker(fields: Partial<ToWorker>): Uint8Array {
  return messages.ToWorker.encode(fields).finish();
}

export function encodeToMain(fields: Partial<ToMain>): Uint8Array {
  return messages.ToMain.encode(fields).finish();
}

/** @throws where the bytes are no message */
export function decodeToWorker(bytes: Uint8Array): ToWorker {
  return messages.ToWorker.decode(bytes) as unknown as ToWorker;
}

/** @throws where the bytes are no message */
export function decodeToMain(bytes: Uint8Array): ToMain {
  return messages.ToMain.decode(bytes) as unknown as ToMain;
}

/** An error and what caused it, to be made again by `errorOf` in another process. */
export function failureOf(error: unknown): Failure {
  const { code, message = String(error), cause } = (error ?? {}) as Partial<Error> & { code?: unknown };
  const { problems = [], source = '' } = error instanceof ConfigError ? error : {};
  return {
    code: typeof code === 'string' ? code : '',
    message,
    cause: cause instanceof Error ? failureOf(cause) : null,
    problems: problems.map((each) => ({ line: 0, ...each })),
    source,
  };
}

export function errorOf({ code, message, cause, problems, source }: Failure): Error {
  const options = cause ? { cause: errorOf(cause) } : {};
  if (problems.length > 0) return new ConfigError(problems.map(problemOf), source, options.cause);
  const error = new Error(message, options);
  return code ? Object.assign(error, { code }) : error;
}

function problemOf({ path, message, line }: Failure['problems'][number]): ConfigProblem {
  return { path, message, ...(line > 0 && { line }) };
}
