/** What a local proxy reports, in the log: one line for each connection. */

import type { ProxyClient, ProxyEvent } from '../gateway/local-proxy.js';
import { messageOf } from '../gateway/message-of.js';
import type { Logger } from '../gateway/ops/index.js';
import type { HostAddress, PathAddress } from '../transport.js';

export function logProxyEvent(log: Logger, event: ProxyEvent): void {
  switch (event.type) {
    case 'listening':
      log.info({ address: addressText(event.address) }, 'listening');
      break;
    case 'unreachable': {
      const { target, error, next } = event;
      const fields = { target: addressText(target), error: messageOf(error), next: next && addressText(next) };
      log.warn(fields, 'remote does not connect');
      break;
    }
    case 'refused': {
      const { reason, client, error } = event;
      const fields = { reason, client: clientText(client), error: error && messageOf(error) };
      if (reason === 'client-gone' || reason === 'closing') log.info(fields, 'refused');
      else log.warn(fields, 'refused');
      break;
    }
    case 'connection-end':
      logConnection(log, event);
      break;
  }
}

function logConnection(log: Logger, event: ProxyEvent & { type: 'connection-end' }): void {
  const { client, target, carrier, protocol, serverName, alpn, timings, up, down, reason, error } = event;
  const { helloMs, connectMs, totalMs } = timings;
  const fields = {
    client: clientText(client),
    target: addressText(target),
    carrier,
    protocol,
    serverName,
    alpn: alpn.length > 0 ? alpn : undefined,
    helloMs: tenths(helloMs),
    connectMs: tenths(connectMs),
    totalMs: tenths(totalMs),
    up,
    down,
    reason,
    error: error && messageOf(error),
  };
  if (reason === 'backend-error') log.warn(fields, 'connection');
  else log.info(fields, 'connection');
}

function clientText(client: ProxyClient): string {
  return 'path' in client ? client.path : addressText({ host: client.address, port: client.port });
}

export function addressText(address: HostAddress | PathAddress): string {
  if ('path' in address) return address.path;
  const { host, port } = address;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
