/**
 * PostgreSQL's CancelRequest comes on a connection of its own and must reach the backend whose key it has. Where TLS ends
 * here, the gateway sees the keys as they are handed out. Otherwise it asks every PostgreSQL backend: a key is a secret,
 * and a server ignores one that it did not give.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { onAbort } from '../abort.js';
import { BackendDecoder, FrontendEncoder } from '../codec/pg/index.js';
import type { HostAddress } from '../transport.js';
import { BackendPool, type ClientInfo } from './backend/index.js';
import { CANCEL_KEYS, CANCEL_TARGETS, CANCEL_TIMEOUT_MS, CANCELS_AT_ONCE, CANCELS_PER_SECOND } from './bounds.js';
import type { CancelRequest } from './pg-startup.js';
import type { BackendPlan } from './plan.js';
import type { Route } from './route.js';

/** One backend, and how it is reached. */
export interface CancelPlace {
  backend: BackendPlan;
  target: HostAddress;
}

type Key = Pick<CancelRequest, 'processId' | 'secretKey'>;

export class CancelKeys {
  readonly #places = new Map<string, CancelPlace>();

  get size(): number {
    return this.#places.size;
  }

  /** @returns what forgets it; in a full table nothing is kept */
  add(key: Key, place: CancelPlace): () => void {
    const id = idOf(key);
    if (this.#places.size >= CANCEL_KEYS) return () => {};
    this.#places.set(id, place);
    return () => {
      if (this.#places.get(id) === place) this.#places.delete(id);
    };
  }

  find(key: Key): CancelPlace | undefined {
    return this.#places.get(idOf(key));
  }
}

function idOf({ processId, secretKey }: Key): string {
  return `${processId} ${secretKey.toString('latin1')}`;
}

/**
 * Looks at what a backend says until the session is ready (ReadyForQuery), for its key (BackendKeyData). The bytes go
 * their way. Call it in the same tick in which something begins to read the stream.
 */
export function watchCancelKey(backend: Duplex, onKey: (key: Key) => void): void {
  const decoder = new BackendDecoder();
  const leave = () => backend.off('data', onData);
  const onData = (chunk: Buffer) => {
    decoder.push(chunk);
    try {
      for (let message = decoder.next(); message; message = decoder.next()) {
        if (message.name === 'BackendKeyData') {
          // The key is a view of what came with it.
          onKey({ processId: message.processId, secretKey: Buffer.from(message.secretKey) });
        }
        if (message.name === 'BackendKeyData' || message.name === 'ReadyForQuery') {
          leave();
          return;
        }
      }
    } catch {
      // What is no PostgreSQL has no keys.
      leave();
    }
  };
  backend.on('data', onData);
}

/** What became of a request: how many backends took it; or it is one too many. */
export type CancelOutcome = { known: boolean; reached: number } | 'too-many';

/** What whoever brought it is told. */
export type Passed = 'passed-on' | 'too-many';

export class Canceller {
  readonly #keys: CancelKeys;
  readonly #workers: () => number;
  readonly #now: () => number;
  #underWay = 0;
  /** How many may be passed on now, and when that was reckoned. */
  #allowance = CANCELS_PER_SECOND;
  #reckonedAt: number;

  /** @param workers how many there are of it: what is passed on in a second is shared among them */
  constructor(keys: CancelKeys, workers: () => number = () => 1, now: () => number = () => performance.now()) {
    this.#keys = keys;
    this.#workers = workers;
    this.#now = now;
    this.#reckonedAt = now();
  }

  /** Resolves when the backends have dealt with it; libpq waits for that. */
  async cancel(
    request: CancelRequest,
    client: ClientInfo,
    routes: readonly Route[],
    signal: AbortSignal,
  ): Promise<CancelOutcome> {
    if (!this.#allows()) return 'too-many';
    const place = this.#keys.find(request);
    const places = place ? [place] : placesOf(routes);
    const bytes = new FrontendEncoder().write(request).take();
    this.#underWay++;
    try {
      const reached = await Promise.all(places.map((one) => deliver(bytes, one, client, signal)));
      return { known: place !== undefined, reached: reached.filter(Boolean).length };
    } finally {
      this.#underWay--;
    }
  }

  get #perSecond(): number {
    return Math.max(1, CANCELS_PER_SECOND / this.#workers());
  }

  #allows(): boolean {
    const now = this.#now();
    const earned = ((now - this.#reckonedAt) * this.#perSecond) / 1000;
    this.#allowance = Math.min(this.#perSecond, this.#allowance + earned);
    this.#reckonedAt = now;
    if (this.#underWay >= CANCELS_AT_ONCE || this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}

/** Each backend once, whatever routes lead to it. */
function placesOf(routes: readonly Route[]): CancelPlace[] {
  const places = new Map<string, CancelPlace>();
  for (const { plan, speaksPostgres } of routes) {
    if (!speaksPostgres) continue;
    for (const target of plan.backend.targets) {
      const id = `${target.host} ${target.port}`;
      if (!places.has(id)) places.set(id, { backend: plan.backend, target });
    }
  }
  return [...places.values()].slice(0, CANCEL_TARGETS);
}

/** Whether the backend took it. It answers by ending the connection. */
async function deliver(
  bytes: Buffer,
  { backend, target }: CancelPlace,
  client: ClientInfo,
  signal: AbortSignal,
): Promise<boolean> {
  // Behind an SSLRequest of passthrough the client's own TLS would begin. Where TLS is the gateway's, it is used here too.
  const transport = backend.transport === 'postgres' ? 'plain' : backend.transport;
  const over = new AbortController();
  const forget = onAbort(signal, () => over.abort());
  const timer = setTimeout(() => over.abort(), CANCEL_TIMEOUT_MS).unref();
  let stream: Duplex | undefined;
  try {
    const pool = new BackendPool({
      ...backend,
      transport,
      targets: [target],
      balance: 'round-robin',
      health: undefined,
    });
    stream = (await pool.dial(client, over.signal)).stream;
    stream.resume().write(bytes);
    await once(stream, 'end', { signal: over.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    forget();
    stream?.destroy();
  }
}
