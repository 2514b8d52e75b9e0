/** 'host:port', as configuration files and command lines have it. */
import { isIP } from 'node:net';
import type { HostAddress } from '../transport.js';

const PORT_MAX = 65_535;

/** What may be missing, and what is there then. */
export interface AddressRules {
  /** For ':port'. */
  host?: string | undefined;
  /** For 'host' alone. */
  port?: number | undefined;
  /** 0 only where a port is opened. */
  minPort: 0 | 1;
}

/** 'host:port', '[v6]:port'; ':port' and 'host' where the rules have what is missing. Whether the host is one is not asked. */
export function parseHostAddress(
  text: string,
  { host: anyHost, port: anyPort, minPort }: AddressRules,
): HostAddress | { problem: 'form' | 'brackets' | 'port' } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]/]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? (plain || anyHost);
  const port = digits === undefined ? anyPort : Number(digits);
  if (host === undefined || port === undefined) return { problem: 'form' };
  if (bracketed !== undefined && isIP(bracketed) !== 6) return { problem: 'brackets' };
  if (port < minPort || port > PORT_MAX) return { problem: 'port' };
  return { host, port };
}

/** How a port must be, for messages. */
export function portRange(minPort: number): string {
  return `from ${minPort} to ${PORT_MAX}`;
}
