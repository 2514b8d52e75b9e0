/** The sections `limits` and `routes[].limits`. */

import { TIMER_MAX_MS } from '../../limit-units.js';
import type { GatewayLimits, RouteLimits } from '../plan.js';
import { DEFAULT_CONNECTIONS_PER_SOURCE, DEFAULT_LIMITS } from './defaults.js';
import type { Section } from './section.js';

/** A ClientHello with a server name, ALPN and one key share has some 350 bytes; the length field of a handshake ends at 16 MiB. */
const CLIENT_HELLO_BYTES = { min: 512, max: 1024 * 1024 };

export function limitsFrom(limits: Section): GatewayLimits {
  return {
    connections: countFrom(limits, 'connections') ?? DEFAULT_LIMITS.connections,
    routeTimeoutMs: millisecondsFrom(limits, 'routeTimeout') ?? DEFAULT_LIMITS.routeTimeoutMs,
    handshakeTimeoutMs: millisecondsFrom(limits, 'handshakeTimeout') ?? DEFAULT_LIMITS.handshakeTimeoutMs,
    clientHelloBytes: countFrom(limits, 'clientHelloBytes', CLIENT_HELLO_BYTES) ?? DEFAULT_LIMITS.clientHelloBytes,
    idleTimeoutMs: millisecondsFrom(limits, 'idleTimeout', { zero: true }) ?? DEFAULT_LIMITS.idleTimeoutMs,
    drainTimeoutMs: millisecondsFrom(limits, 'drainTimeout', { zero: true }) ?? DEFAULT_LIMITS.drainTimeoutMs,
  };
}

export function routeLimitsFrom(limits: Section, { connections }: GatewayLimits): RouteLimits {
  return {
    connections: countFrom(limits, 'connections') ?? connections,
    connectionsPerSource: countFrom(limits, 'connectionsPerSource') ?? DEFAULT_CONNECTIONS_PER_SOURCE,
  };
}

/** 0 is what proto3 has for a number that is not there, and nobody wants a limit of 0: it is a mistake. */
function countFrom(section: Section, name: string, { min = 1, max = 2 ** 32 - 1 } = {}): number | undefined {
  const count = section.count(name);
  if (count === undefined || (count >= min && count <= max)) return count;
  section.at(name).error(`must be from ${min} to ${max}, not ${count}; leave it out for the default`);
  return undefined;
}

/** Whole milliseconds that a timer can wait; at least 1 unless 0 has a meaning. */
export function millisecondsFrom(section: Section, name: string, { zero = false } = {}): number | undefined {
  const exact = section.milliseconds(name);
  if (exact === undefined) return undefined;
  if (zero && exact === 0) return 0;
  const milliseconds = Math.round(exact);
  if (milliseconds >= 1 && milliseconds <= TIMER_MAX_MS) return milliseconds;
  const least = zero ? 'be 0 or at least' : 'be at least';
  section.at(name).error(`must ${least} 1 ms, and at most ${TIMER_MAX_MS / 1000} s, which is what a timer can wait`);
  return undefined;
}
