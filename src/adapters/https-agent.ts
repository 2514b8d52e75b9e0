/**
 * An https.Agent that connects over TurboTLS: for https.request, and for clients that take an agent (axios, got,
 * node-fetch, the AWS SDK).
 *
 *     const agent = turboAgent({ keepAlive: true });
 *     https.get('https://api.example.com/', { agent }, …);
 */
import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { ClientTurboOptions, TurboConnectionOptions, TurboSocket } from '../client/connect.js';
import { TurboError } from '../errors.js';
import { SessionCache } from './session-cache.js';

export interface TurboAgentOptions extends AgentOptions {
  turbo?: ClientTurboOptions | undefined;
}

/**
 * As `new https.Agent(options)`.
 *
 * @throws TurboError ERR_TURBO_BAD_OPTION, and what https.Agent throws
 */
export function turboAgent(options: TurboAgentOptions = {}): Agent {
  if ('proxyEnv' in options && options.proxyEnv) {
    throw new TurboError(
      'ERR_TURBO_BAD_OPTION',
      'proxyEnv: a proxy for HTTP carries no UDP; leave the option out, or use https.Agent',
    );
  }
  return new TurboAgent(options);
}

/** Pools, limits and the names of connections are https.Agent's own. */
class TurboAgent extends Agent {
  readonly #sessions: SessionCache;

  constructor(options: TurboAgentOptions) {
    super(options);
    this.#sessions = new SessionCache(options.maxCachedSessions);
  }

  /** Its options are those of the request with the agent's over them. */
  override createConnection(options: RequestOptions): TurboSocket {
    return this.#sessions.connect(this.getName(options), options as TurboConnectionOptions);
  }
}
