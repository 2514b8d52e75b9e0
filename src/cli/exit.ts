/** How the program ends. */

import { messageOf } from '../gateway/message-of.js';
import { errnoAdvice } from './errno-advice.js';

export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What was asked for makes no sense: exit code 2. */
export class UsageError extends Error {
  readonly code = 'ERR_USAGE';
}

/** It may have happened in a worker. */
export function isUsageError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_USAGE';
}

/** Says what went wrong and what to do, in one line. */
export function complain(error: unknown): void {
  console.error(`turbotls: ${messageOf(error)}${errnoAdvice(error)}`);
}
