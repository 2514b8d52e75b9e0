/** The section `match`, and routes that match the same. */
import type { RouteMatch, RoutePlan, RouteProtocol } from '../plan.js';
import type { Place } from './problems.js';
import type { Placed, Section } from './section.js';
import { alpnFrom, each, serverNameFrom } from './values.js';

const PROTOCOLS: Readonly<Record<string, RouteProtocol>> = { TLS: 'tls', POSTGRESQL: 'postgresql' };

export function matchFrom(match: Section): RouteMatch {
  const read: RouteMatch = {
    serverNames: each(match.texts('serverNames'), (text) => serverNameFrom(text, { wildcard: true })),
    alpn: each(match.texts('alpn'), alpnFrom),
    protocols: each(match.choices('protocols'), protocolFrom),
  };
  if (isPostgresOnly(read.alpn) && read.protocols.length > 0 && !read.protocols.includes('postgresql')) {
    match.at('protocols').error('matches nobody: who offers the ALPN postgresql speaks POSTGRESQL');
  }
  return read;
}

function isPostgresOnly(alpn: readonly string[]): boolean {
  return alpn.length > 0 && alpn.every((name) => name === 'postgresql');
}

function protocolFrom({ value }: Placed<string>): RouteProtocol | undefined {
  return PROTOCOLS[value];
}

export interface PlacedRoute {
  route: RoutePlan;
  place: Place;
}

/**
 * Reports routes that a client could match equally: the same server name (or none in both), an ALPN of both (or none in
 * both), a protocol of both (or none in both). A route with more said, or a name nearer, wins over one with less, so
 * that those do not overlap.
 */
export function reportOverlaps(routes: readonly PlacedRoute[]): void {
  const groups = new Map<string, PlacedRoute[]>();
  for (const placed of routes.filter(({ place }) => !place.at('match').isWrong)) {
    for (const serverName of atLeastOne(placed.route.match.serverNames)) {
      const earlier = groups.get(serverName ?? '') ?? [];
      groups.set(serverName ?? '', [...earlier, placed]);
      const rival = earlier.find(({ route }) => overlap(route.match, placed.route.match) !== undefined);
      if (rival !== undefined) reportOverlap(placed, rival, serverName);
    }
  }
}

function reportOverlap({ route, place }: PlacedRoute, rival: PlacedRoute, serverName: string | undefined): void {
  const shared = overlap(route.match, rival.route.match);
  const what = [
    serverName === undefined ? 'any server name' : `the server name ${serverName}`,
    shared?.alpn === undefined ? 'any ALPN' : `the ALPN ${shared.alpn}`,
    shared?.protocol === undefined ? 'any protocol' : `the protocol ${shared.protocol.toUpperCase()}`,
  ];
  place
    .at('match')
    .error(`matches the same as ${rival.place} (${JSON.stringify(rival.route.name)}): ${what.join(', ')}`);
}

/** What both match alike beside the server name; undefined where no client matches both alike. */
function overlap(a: RouteMatch, b: RouteMatch): { alpn?: string; protocol?: RouteProtocol } | undefined {
  const alpn = shared(a.alpn, b.alpn);
  const protocol = shared(a.protocols, b.protocols);
  if (alpn === 'nothing' || protocol === 'nothing') return undefined;
  return {
    ...(alpn === 'any' ? {} : { alpn: alpn.value }),
    ...(protocol === 'any' ? {} : { protocol: protocol.value }),
  };
}

function shared<T>(a: readonly T[], b: readonly T[]): 'any' | 'nothing' | { value: T } {
  if (a.length === 0 && b.length === 0) return 'any';
  const value = a.find((one) => b.includes(one));
  return value === undefined ? 'nothing' : { value };
}

function atLeastOne(names: readonly string[]): readonly (string | undefined)[] {
  return names.length === 0 ? [undefined] : names;
}
