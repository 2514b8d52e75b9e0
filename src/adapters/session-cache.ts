/** TLS sessions that the next connection to the same server takes up again, as https.Agent and undici keep them. */
import { LRUCache } from 'lru-cache';
import { connect, type TurboConnectionOptions, type TurboSocket } from '../client/connect.js';
import { TurboError } from '../errors.js';

/** That of https.Agent and of undici. */
const DEFAULT_SESSIONS = 100;

export class SessionCache {
  /** Undefined: none are kept. */
  readonly #sessions: LRUCache<string, Buffer> | undefined;

  /** @throws TurboError ERR_TURBO_BAD_OPTION */
  constructor(maxCachedSessions: number | null = DEFAULT_SESSIONS) {
    const max = maxCachedSessions ?? DEFAULT_SESSIONS;
    if (!Number.isInteger(max) || max < 0) {
      throw new TurboError('ERR_TURBO_BAD_OPTION', `maxCachedSessions is a whole number from 0 on, got ${max}`);
    }
    this.#sessions = max > 0 ? new LRUCache({ max }) : undefined;
  }

  /**
   * Connects, with the session of this key where there is one. A key must stand for one server name and one way to verify
   * it: who takes up a session is not verified again.
   */
  connect(key: string, options: TurboConnectionOptions): TurboSocket {
    const sessions = this.#sessions;
    const session = options.session ?? sessions?.get(key);
    const socket = connect({ ...options, ...(session && { session }) });
    let renewed = false;
    socket.on('session', (ticket) => {
      renewed = true;
      sessions?.set(key, ticket);
    });
    socket.once('close', (failed) => {
      if (failed && !renewed) sessions?.delete(key); // it may be what failed
    });
    return socket;
  }
}
