/** What is said between the program that measures and the one that serves, over the IPC channel of child_process. */
import type { ServedTargets, ServerCounters } from './servers.js';

export type ServerRequest = { kind: 'counters'; id: number };

/** `progress` and then `ready` or `failed` come by themselves; answers carry the request's id. */
export type ServerMessage =
  /** For people. */
  | { kind: 'progress'; text: string }
  | { kind: 'ready'; served: ServedTargets }
  /** It ends now. */
  | { kind: 'failed'; message: string }
  | { kind: 'counters'; id: number; counters: ServerCounters };
