/**
 * How many connections there are, in all, by route and by source; a route is its name, so that its counts outlive a
 * reload. A source counts from the binding on: addresses of UDP prove nothing.
 */
import { EARLY_SHARE } from './bounds.js';
import type { LimitReason } from './events.js';
import type { GatewayLimits, RoutePlan } from './plan.js';

/** Gives the place back; again without harm. */
export type Lease = () => void;

interface RouteCounts {
  connections: number;
  /** Sessions over UDP that TCP has not claimed and that have a backend. */
  early: number;
  bySource: Map<string, number>;
}

export class Admission {
  readonly #routes = new Map<string, RouteCounts>();
  #connections = 0;

  get connections(): number {
    return this.#connections;
  }

  /** Of a route, by its name. */
  connectionsOf(route: string): number {
    return this.#routes.get(route)?.connections ?? 0;
  }

  /** A place for a connection, or which limit it meets. */
  enter(plan: RoutePlan, limits: GatewayLimits, source: string): Lease | LimitReason {
    const counts = this.#countsOf(plan.name);
    const fromSource = counts.bySource.get(source) ?? 0;
    if (this.#connections >= limits.connections) return 'too-many-connections';
    if (counts.connections >= plan.limits.connections) return 'too-many-on-route';
    if (fromSource >= plan.limits.connectionsPerSource) return 'too-many-from-source';
    this.#connections++;
    counts.connections++;
    counts.bySource.set(source, fromSource + 1);
    return once(() => {
      this.#connections--;
      counts.connections--;
      const left = (counts.bySource.get(source) as number) - 1;
      if (left > 0) counts.bySource.set(source, left);
      else counts.bySource.delete(source);
      this.#forget(plan.name, counts);
    });
  }

  /** A place at the backend for a session that TCP has not claimed; undefined where it has to wait for that. */
  enterEarly(plan: RoutePlan): Lease | undefined {
    const counts = this.#countsOf(plan.name);
    if (counts.early >= Math.max(1, plan.limits.connections * EARLY_SHARE)) return undefined;
    counts.early++;
    return once(() => {
      counts.early--;
      this.#forget(plan.name, counts);
    });
  }

  #countsOf(route: string): RouteCounts {
    const known = this.#routes.get(route);
    if (known) return known;
    const counts: RouteCounts = { connections: 0, early: 0, bySource: new Map() };
    this.#routes.set(route, counts);
    return counts;
  }

  #forget(route: string, { connections, early }: RouteCounts): void {
    if (connections === 0 && early === 0) this.#routes.delete(route);
  }
}

function once(act: () => void): Lease {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
