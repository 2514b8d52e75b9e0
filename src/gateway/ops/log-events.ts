/** What a gateway reports, in the log: one line for each connection, and no secret. */
import type { HostAddress } from '../../transport.js';
import type { ClientAddress, ConnectionTimings, EndReason, GatewayEvent, RefusedReason } from '../events.js';
import { LineBudget } from './line-budget.js';
import type { Logger } from './logger.js';

type EventOf<Type extends GatewayEvent['type']> = Extract<GatewayEvent, { type: Type }>;
type Level = 'error' | 'warn' | 'info' | 'debug';

interface Line {
  level: Level;
  message: string;
  fields: Record<string, unknown>;
}

/** The cause is on this side of the gateway: somebody should look. */
const OUR_FAULT: ReadonlySet<string> = new Set<EndReason>(['backend-unreachable', 'backend-error']);

/**
 * A listener that logs what it hears. Refusals and socket errors, of which a stranger can cause any number, are logged
 * as far as a budget goes; the rest is counted and told with the next one.
 */
export function eventLog(log: Logger, budget = new LineBudget()): (event: GatewayEvent) => void {
  return (event) => {
    const line = lineOf(event);
    if (line === undefined || !log.isLevelEnabled(line.level)) return;
    if (!isBudgeted(event)) return log[line.level](line.fields, line.message);
    const omitted = budget.take();
    if (omitted === undefined) return;
    log[line.level](omitted === 0 ? line.fields : { ...line.fields, omitted }, line.message);
  };
}

/** One event, without a budget. */
export function logEvents(log: Logger, event: GatewayEvent): void {
  const line = lineOf(event);
  if (line !== undefined) log[line.level](line.fields, line.message);
}

function isBudgeted({ type }: GatewayEvent): boolean {
  return type === 'refused' || type === 'engine' || type === 'cancel';
}

function lineOf(event: GatewayEvent): Line | undefined {
  switch (event.type) {
    case 'connection-start':
      return { level: 'debug', message: 'connection begins', fields: routedFields(event) };
    case 'connection-end':
      return connectionLine(event);
    case 'refused':
      return refusedLine(event);
    case 'cancel':
      return cancelLine(event);
    case 'listening':
    case 'unlistening':
      return { level: 'info', message: event.type, fields: { address: addressText(event.address) } };
    case 'backend':
      return backendLine(event);
    case 'key-lost':
      return { level: 'error', message: 'key lost', fields: errorFields(event.error) };
    case 'reload':
      return reloadLine(event);
    case 'drain':
      return {
        level: 'info',
        message: 'draining',
        fields: { connections: event.connections, deadlineMs: event.deadlineMs },
      };
    case 'certificate':
      return certificateLine(event);
    case 'engine':
      return engineLine(event);
  }
}

function connectionLine(event: EventOf<'connection-end'>): Line {
  const { target, timings, up, down, reason, error } = event;
  const fields = {
    ...routedFields(event),
    target: addressText(target),
    ...timingFields(timings),
    up,
    down,
    reason,
    ...errorFields(error),
  };
  return { level: levelOf(reason), message: 'connection', fields };
}

function levelOf(reason: EndReason | RefusedReason): Level {
  if (reason === 'internal-error') return 'error';
  return OUR_FAULT.has(reason) ? 'warn' : 'info';
}

function routedFields(event: EventOf<'connection-start' | 'connection-end'>): Record<string, unknown> {
  const { id, route, mode, carrier, protocol, serverName, alpn, client } = event;
  return { id, route, mode, carrier, protocol, serverName, alpn, client: clientText(client) };
}

/** ms, to a tenth. */
function timingFields(timings: ConnectionTimings): Record<string, number | undefined> {
  return Object.fromEntries(
    Object.entries(timings).map(([name, ms]: [string, number | undefined]) => [
      name,
      ms === undefined ? undefined : Math.round(ms * 10) / 10,
    ]),
  );
}

function refusedLine({ reason, carrier, client, route, serverName, error }: EventOf<'refused'>): Line {
  const fields = { reason, carrier, client: clientText(client), route, serverName, ...errorFields(error) };
  return { level: levelOf(reason), message: 'refused', fields };
}

function cancelLine({ encrypted, known, reached, client }: EventOf<'cancel'>): Line {
  return { level: 'info', message: 'cancel', fields: { encrypted, known, reached, client: clientText(client) } };
}

function backendLine({ route, target, healthy, error }: EventOf<'backend'>): Line {
  const fields = { route, target: addressText(target), ...errorFields(error) };
  return { level: healthy ? 'info' : 'warn', message: healthy ? 'target is up' : 'target is down', fields };
}

function reloadLine({ routes, added, removed }: EventOf<'reload'>): Line {
  const fields = { routes, added: listText(added), removed: listText(removed) };
  return { level: 'info', message: 'configuration in force', fields };
}

function certificateLine({ route, file, expiresAt, warnings, error }: EventOf<'certificate'>): Line {
  const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
  const fields = { route, file, expires, ...errorFields(error) };
  if (error !== undefined) return { level: 'error', message: 'certificate not usable, the one before stays', fields };
  if (warnings.length === 0) return { level: 'info', message: 'certificate read', fields };
  return { level: 'warn', message: 'certificate read', fields: { ...fields, warnings: warnings.join('; ') } };
}

/** Sessions and datagrams are for metrics; a socket that fails is for somebody to look at. */
function engineLine({ listen, event }: EventOf<'engine'>): Line | undefined {
  if (event.type !== 'udp-error' && event.type !== 'tcp-error') return undefined;
  const message = event.type === 'udp-error' ? 'error of the UDP port' : 'error of the TCP port';
  return { level: 'warn', message, fields: { address: addressText(listen), ...errorFields(event.error) } };
}

/** Code and message of an error and of what it came from: no stack, and nothing that a library hung on to it. */
export function errorFields(error: Error | undefined): Record<string, unknown> {
  if (error === undefined) return {};
  const { cause } = error;
  return {
    error: codeAndMessage(error),
    ...(cause instanceof Error ? { cause: codeAndMessage(cause) } : {}),
  };
}

function codeAndMessage({ code, message }: Error & { code?: unknown }): Record<string, unknown> {
  return { code: typeof code === 'string' ? code : undefined, message };
}

function clientText(client: ClientAddress | undefined): string | undefined {
  return client && addressText({ host: client.address, port: client.port });
}

function listText(addresses: readonly HostAddress[]): string[] | undefined {
  return addresses.length === 0 ? undefined : addresses.map((address) => addressText(address) ?? '');
}

export function addressText(address: HostAddress | undefined): string | undefined {
  if (address === undefined) return undefined;
  const { host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
