/**
 * Gateway and local proxy: any client and any server gain the round trip, unmodified.
 *
 *     psql, redis-cli, curl ─► LocalProxy ══ TurboTLS ══► Gateway ─► PostgreSQL, Redis, nginx
 *
 * The gateway listens on one UDP and one TCP port of the same number and routes each connection by server name, ALPN and
 * protocol: through, with TLS end to end, or with TLS that ends at the gateway. `loadConfig` makes its plan of a file
 * (proto/config.proto).
 *
 *     const gateway = new Gateway(await loadConfig('gateway.yaml'), { onEvent: console.log });
 *     await gateway.start();
 *
 * Where to look next: `connection.ts` is one connection's way through the gateway.
 */
export type { TargetState } from './backend/index.js';
export { ConfigError, loadConfig, planFrom } from './config/index.js';
export { GatewayError, type GatewayErrorCode, gatewayErrorTexts } from './errors.js';
export type {
  Carrier,
  ClientAddress,
  ConnectionTimings,
  EndReason,
  GatewayEvent,
  GatewayEventListener,
  LimitReason,
  RefusedReason,
  RoutedConnection,
} from './events.js';
export { Gateway, type GatewayOptions, type GatewayState, type RouteState } from './gateway.js';
export { LocalProxy } from './local-proxy.js';
export type * from './plan.js';
export type { ProxyPlan } from './proxy/plan.js';
