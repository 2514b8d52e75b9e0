/** A route in force: its plan, its backends, and what ends TLS on it. */
import { BackendPool } from './backend/index.js';
import { GatewayError } from './errors.js';
import type { GatewayEventListener } from './events.js';
import type { CertificateNews } from './ops/certificate-store.js';
import type { RouteMatch, RoutePlan } from './plan.js';
import { Terminator } from './terminate.js';

export interface RouteOptions {
  onEvent: GatewayEventListener;
  /** See GatewayOptions. */
  ticketSeed?: Buffer | undefined;
}

const POSTGRESQL = 'postgresql';

export class Route {
  readonly plan: RoutePlan;
  readonly pool: BackendPool;
  /** In terminate mode. */
  readonly terminator: Terminator | undefined;
  #speaksPostgres: boolean;
  #users = 0;
  #retired = false;

  /**
   * Reads the files of certificates; health checks begin.
   * @throws GatewayError ERR_GATEWAY_CERTIFICATE
   */
  constructor(plan: RoutePlan, { onEvent, ticketSeed }: RouteOptions) {
    this.plan = plan;
    this.#speaksPostgres = isForPostgres(plan);
    const { name } = plan;
    const onNews = (news: CertificateNews) => onEvent({ type: 'certificate', route: name, ...news });
    this.terminator =
      plan.mode.kind === 'terminate' ? new Terminator(plan.mode, plan, { onNews, ticketSeed }) : undefined;
    try {
      this.pool = new BackendPool(plan.backend, {
        onEvent: (event) => {
          const { target, state } = event;
          const error = event.state === 'down' ? event.error : undefined;
          onEvent({ type: 'backend', route: name, target, healthy: state === 'up', error });
        },
      });
    } catch (error) {
      this.terminator?.close();
      throw new GatewayError('ERR_GATEWAY_CERTIFICATE', `of the backends of route ${name}`, { cause: error });
    }
  }

  get match(): RouteMatch {
    return this.plan.match;
  }

  /** Whether PostgreSQL is behind it: its plan says so, or a client has spoken it. */
  get speaksPostgres(): boolean {
    return this.#speaksPostgres;
  }

  /** A connection uses it until it calls what is returned. */
  use({ postgres }: { postgres: boolean }): () => void {
    if (postgres) this.#speaksPostgres = true;
    this.#users++;
    return () => {
      this.#users--;
      this.#closeIfDone();
    };
  }

  /** Nothing new comes: it ends with its last connection. */
  retire(): void {
    this.#retired = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (!this.#retired || this.#users > 0) return;
    this.pool.close();
    this.terminator?.close();
  }
}

function isForPostgres({ match, mode, backend }: RoutePlan): boolean {
  const agreed = mode.kind === 'terminate' ? mode.alpn : [];
  return (
    match.protocols.includes(POSTGRESQL) ||
    match.alpn.includes(POSTGRESQL) ||
    agreed.includes(POSTGRESQL) ||
    backend.transport.startsWith('postgres')
  );
}
