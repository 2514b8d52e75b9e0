/** What is said between the program, the link's process and the thread that sends. Answers carry the request's id. */
import type { Conditions } from '../../../../src/compare/model.js';
import type { TracedPacket } from '../trace.js';
import type { RingMemory } from './packet-ring.js';

export type Order =
  | { kind: 'set'; conditions: Conditions }
  | { kind: 'start-trace' }
  /** Ends it too. */
  | { kind: 'take-trace' };

export type Request = Order & { id: number };

export interface Answer {
  id: number;
  /** Of `take-trace`. */
  trace?: TracedPacket[] | undefined;
}

export interface ReaderData {
  device: number;
  ring: RingMemory;
  bell: SharedArrayBuffer;
}

export interface SenderData {
  /** Descriptors: whose packets come from the client's are for the server's, and the other way round. */
  devices: { client: number; server: number };
  rings: { client: RingMemory; server: RingMemory };
  bell: SharedArrayBuffer;
  conditions: Conditions;
}
