/** Whether clients should be sent here. */
import type { GatewayState } from '../gateway.js';

export interface Readiness {
  ready: boolean;
  /** 'ready', or what is missing. */
  lines: string[];
}

/** Ready: it runs and listens, its keys sign, and each route has a target that is up. */
export function readinessOf({
  phase,
  listening,
  routes,
  keyError,
}: Pick<GatewayState, 'phase' | 'listening' | 'routes' | 'keyError'>): Readiness {
  const lines = [
    ...(phase === 'running' ? [] : [`the gateway is ${phase}`]),
    ...(phase !== 'running' || listening.length > 0 ? [] : ['no address is listened on']),
    ...(keyError === undefined ? [] : [keyError.message]),
    ...routes
      .filter(({ targets }) => !targets.some(({ healthy }) => healthy))
      .map(({ name }) => `route ${name}: no target is up`),
  ];
  return lines.length === 0 ? { ready: true, lines: ['ready'] } : { ready: false, lines };
}
