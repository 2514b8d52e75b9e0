/**
 * Which route a connection takes. The most specific one wins: an exact server name before the longest suffix before
 * none; then one that names the ALPN before one that takes any; then one that names the protocol; last, for TLS without
 * ALPN, one for PostgreSQL.
 *
 * Names come first because they say which service is meant: where routes for a name exist and the client offers ALPN,
 * none of which they speak, it is not handed to the service of another name (ALPACA, https://alpaca-attack.com).
 */
import type { RouteMatch, RouteProtocol } from './plan.js';

/** What is known of a connection when its route is looked for. */
export interface Wanted {
  serverName: string | undefined;
  alpn: readonly string[];
  protocol: RouteProtocol;
}

/** `no-alpn`: there are routes for the name, and none for what is offered. */
export type NoRoute = 'no-route' | 'no-alpn';

const WILDCARD = '*.';

export class Router<Route extends { readonly match: RouteMatch }> {
  /** By name: 'db.example.com', or '*.example.com' for all below. */
  readonly #byName = new Map<string, Route[]>();
  /** Those of any name. */
  readonly #default: Route[] = [];

  /** @param routes of two that are equally specific, the first wins */
  constructor(routes: Iterable<Route>) {
    for (const route of routes) {
      if (route.match.serverNames.length === 0) this.#default.push(route);
      for (const name of route.match.serverNames) this.#add(name, route);
    }
  }

  find(wanted: Wanted): Route | NoRoute {
    for (const routes of this.#levels(wanted.serverName)) {
      const speaking = routes.filter(({ match }) => protocolRank(match, wanted) !== undefined);
      const best = mostSpecific(speaking, wanted);
      if (best) return best;
      if (speaking.length > 0 && wanted.alpn.length > 0) return 'no-alpn';
    }
    return 'no-route';
  }

  #add(name: string, route: Route): void {
    const routes = this.#byName.get(name);
    if (routes) routes.push(route);
    else this.#byName.set(name, [route]);
  }

  /** The routes for a name, those of the most specific pattern first. */
  *#levels(serverName: string | undefined): Generator<Route[]> {
    if (serverName !== undefined) {
      yield this.#byName.get(serverName) ?? [];
      for (let dot = serverName.indexOf('.'); dot >= 0; dot = serverName.indexOf('.', dot + 1)) {
        yield this.#byName.get(WILDCARD + serverName.slice(dot + 1)) ?? [];
      }
    }
    yield this.#default;
  }
}

/**
 * Higher is more specific; undefined: not for this protocol. TLS without ALPN may be PostgreSQL: a local proxy answers
 * the SSLRequest itself, and libpq before version 17 sends no ALPN.
 */
function protocolRank({ protocols }: RouteMatch, { protocol, alpn }: Wanted): number | undefined {
  if (protocols.includes(protocol)) return 1;
  if (protocols.length === 0) return 0;
  return protocol === 'tls' && alpn.length === 0 ? -1 : undefined;
}

function mostSpecific<Route extends { readonly match: RouteMatch }>(
  routes: readonly Route[],
  wanted: Wanted,
): Route | undefined {
  let best: Route | undefined;
  let bestRank: Rank | undefined;
  for (const route of routes) {
    const rank = rankOf(route.match, wanted);
    if (rank && (!bestRank || isAbove(rank, bestRank))) [best, bestRank] = [route, rank];
  }
  return best;
}

/** ALPN named, protocol named, and how early the client offers what the route speaks: higher is more specific. */
type Rank = readonly [number, number, number];

/** Undefined: the route is not for what is offered. */
function rankOf(match: RouteMatch, wanted: Wanted): Rank | undefined {
  const protocol = protocolRank(match, wanted);
  if (protocol === undefined) return undefined;
  if (match.alpn.length === 0) return [0, protocol, 0];
  const place = wanted.alpn.findIndex((name) => match.alpn.includes(name));
  return place < 0 ? undefined : [1, protocol, -place];
}

function isAbove(a: Rank, b: Rank): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] as number) > (b[at] as number);
}
