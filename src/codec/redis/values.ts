/**
 * What replies are in JavaScript, one shape for each type of RESP2 and RESP3:
 *
 *     simple, bulk, verbatim string   string, or Buffer where buffers are asked for; a verbatim string's format is dropped
 *     integer                         number, or bigint where it is not a safe integer
 *     double                          number
 *     big number                      bigint
 *     boolean                         boolean
 *     null: `$-1`, `*-1`, `_`         null
 *     simple and bulk error           RedisServerError, as a value
 *     array, map, set                 Array, Map, Set
 *     push                            Push, at the top level only
 *     attribute                       ReplyDecoder.attributes, at the top level; dropped within a reply
 */
import type { RedisServerError } from './errors.js';

/** Bulk strings as text, or as the bytes they are. */
export type Blobs = 'string' | 'buffer';

export type Reply =
  | string
  | Buffer
  | number
  | bigint
  | boolean
  | null
  | RedisServerError
  | Reply[]
  | Map<Reply, Reply>
  | Set<Reply>;

/** Out of band data (RESP3 push): a pub/sub message, an invalidation, … */
export class Push {
  /** Its first element: `message`, `subscribe`, `invalidate`, … */
  readonly kind: string;
  /** What follows. */
  readonly data: Reply[];

  constructor(kind: string, data: Reply[]) {
    this.kind = kind;
    this.data = data;
  }
}
