/** The message Gateway, as a GatewayPlan. */
import type { HostAddress } from '../../transport.js';
import type { GatewayLimits, GatewayPlan, LogPlan, RoutePlan } from '../plan.js';
import { backendFrom } from './backend.js';
import type { FileRules } from './certificates.js';
import { ADMIN_HOST, ANY_HOST, DEFAULT_LOG_LEVEL } from './defaults.js';
import { limitsFrom, routeLimitsFrom } from './limits.js';
import { reportAdminClash } from './loops.js';
import { matchFrom, type PlacedRoute, reportOverlaps } from './match.js';
import { modeFrom } from './mode.js';
import type { Place } from './problems.js';
import { orList, type Section } from './section.js';
import { addressFrom, each, networksFrom } from './values.js';
import { warnOfSmallLimits, workersFrom } from './workers.js';

const LOG_LEVELS: readonly LogPlan['level'][] = ['error', 'warn', 'info', 'debug'];
const LOG_FORMATS: readonly LogPlan['format'][] = ['json', 'text'];

/** A label in metrics and a word in logs. */
const ROUTE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Meaningless where an error was reported; whoever calls looks at that. */
export function gatewayFrom(gateway: Section, rules: FileRules): GatewayPlan {
  const limits = limitsFrom(gateway.section('limits'));
  const listen = listenFrom(gateway);
  const routes = routesFrom(gateway, { limits, listen, rules });
  reportOverlaps(routes);
  const workers = workersFrom(gateway);
  if (workers !== undefined) warnOfSmallLimits(gateway, workers);
  return {
    listen,
    proxyProtocolFrom: networksFrom(gateway.texts('proxyProtocolFrom')),
    routes: routes.map(({ route }) => route),
    admin: adminFrom(gateway, listen),
    log: logFrom(gateway.section('log')),
    limits,
    workers,
  };
}

function listenFrom(gateway: Section): HostAddress[] {
  gateway.requireSome('listen', 'is missing: name an address such as ":443"');
  return each(gateway.texts('listen'), (text) => addressFrom(text, { host: ANY_HOST, minPort: 0 }));
}

function adminFrom(gateway: Section, listen: readonly HostAddress[]): HostAddress | undefined {
  const value = gateway.text('admin');
  if (value === undefined) return undefined;
  const place = gateway.at('admin');
  const admin = addressFrom({ value, place }, { host: ADMIN_HOST, minPort: 0 });
  if (admin !== undefined) reportAdminClash(listen, admin, place);
  return admin;
}

function logFrom(log: Section): LogPlan {
  return {
    level: wordFrom(log, 'level', LOG_LEVELS) ?? DEFAULT_LOG_LEVEL,
    format: wordFrom(log, 'format', LOG_FORMATS) ?? (process.stdout.isTTY ? 'text' : 'json'),
  };
}

function wordFrom<T extends string>(section: Section, name: string, words: readonly T[]): T | undefined {
  const text = section.text(name);
  const word = words.find((each) => each === text);
  if (text !== undefined && word === undefined) {
    section.at(name).error(`must be ${orList(words.map((each) => `"${each}"`))}, not ${JSON.stringify(text)}`);
  }
  return word;
}

/** What a route's meaning depends on beside its own section. */
interface RouteSurroundings {
  limits: GatewayLimits;
  listen: readonly HostAddress[];
  rules: FileRules;
}

function routesFrom(gateway: Section, surroundings: RouteSurroundings): PlacedRoute[] {
  gateway.requireSome('routes', 'is missing: without a route every connection is refused');
  const routes = gateway.sections('routes').map((section) => ({
    route: routeFrom(section, surroundings),
    place: section.place,
  }));
  reportNamesTwice(routes);
  return routes;
}

function routeFrom(section: Section, { limits, listen, rules }: RouteSurroundings): RoutePlan {
  const match = matchFrom(section.section('match'));
  const mode = modeFrom(section, match, rules);
  return {
    name: nameFrom(section),
    match,
    mode,
    backend: backendFrom(section.section('backend'), { mode: mode.kind, listen, rules }),
    limits: routeLimitsFrom(section.section('limits'), limits),
  };
}

function nameFrom(section: Section): string {
  section.require('name', 'is missing: logs and metrics tell routes apart by it');
  const name = section.text('name') ?? '';
  if (section.text('name') !== undefined && !ROUTE_NAME.test(name)) {
    section.at('name').error('must be letters, digits, dots, dashes and underscores, at most 63, the first no sign');
  }
  return name;
}

function reportNamesTwice(routes: readonly PlacedRoute[]): void {
  const first = new Map<string, Place>();
  for (const { route, place } of routes) {
    const earlier = first.get(route.name);
    if (earlier === undefined) first.set(route.name, place);
    else if (route.name !== '')
      place.at('name').error(`${JSON.stringify(route.name)} is the name of ${earlier} already`);
  }
}
