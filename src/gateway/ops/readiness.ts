/** Whether clients should be sent here. */
import type { GatewayState } from '../gateway.js';

export interface Readiness {
  ready: boolean;
  /** 'ready', or what is missing. */
  lines: string[];
}

/** What readiness is asked for: `listening` leaves out the targets. */
export type ReadinessScope = 'all' | 'listening';

/** Ready: it runs and listens, its keys sign, and each route has a target that is up. */
export function readinessOf(
  { phase, listening, routes, keyError }: Pick<GatewayState, 'phase' | 'listening' | 'routes' | 'keyError'>,
  scope: ReadinessScope = 'all',
): Readiness {
  const lines = [
    ...(phase === 'running' ? [] : [`the gateway is ${phase}`]),
    ...(phase !== 'running' || listening.length > 0 ? [] : ['no address is listened on']),
    ...(keyError === undefined ? [] : [keyError.message]),
    ...(scope === 'all' ? routes : [])
      .filter(({ targets }) => !targets.some(({ healthy }) => healthy))
      .map(({ name }) => `route ${name}: no target is up`),
  ];
  return lines.length === 0 ? { ready: true, lines: ['ready'] } : { ready: false, lines };
}
