/** What is said between the program that directs the harness and the one that measures, over the IPC channel. */
import type { Target } from '../../src/compare/case.js';
import type { CaseResult, Group, Sample } from '../../src/compare/model.js';

/** What to measure. Plain data. */
export interface Order {
  cases: readonly string[];
  targets: Partial<Record<Group, Target>>;
  /** Of groups without a target. */
  missing: Partial<Record<Group, string>>;
  samples: number;
  warmUps: number;
  concurrency: number;
  timeoutMs: number;
  /** Whether each connection is recorded by the link. */
  recorded: boolean;
}

export type ClientRequest =
  | { kind: 'measure'; order: Order }
  /** The link records from here on, or has told what it recorded: go on. */
  | { kind: 'go-on' };

export type ClientMessage =
  | { kind: 'progress'; text: string; done: number; of: number }
  /** A connection is about to begin, and waits. */
  | { kind: 'recording' }
  /** It is over; `startedAt` is on the clock of monotonicMs. */
  | { kind: 'recorded'; id: string; sample: Sample | undefined; startedAt: number }
  | { kind: 'measured'; results: CaseResult[] }
  | { kind: 'failed'; message: string };
