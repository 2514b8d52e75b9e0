/** Addresses as the virtual network writes them: normalised IP addresses, and `addr:port` or `[addr]:port`. */
import { isIP, isIPv6, SocketAddress } from 'node:net';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const V4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** One way of writing for each address; IPv4 addresses mapped into IPv6 become IPv4. Throws on anything but an IP. */
export function normalizeAddress(address: string): string {
  const mapped = V4_MAPPED.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const family = isIP(address);
  if (family === 0) throw new TypeError(`not an IP address: ${address}`);
  return family === 4 ? address : new SocketAddress({ address, family: 'ipv6' }).address;
}

export function formatEndpoint(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Reads `10.0.0.1:443` and `[2001:db8::1]:443`. */
export function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 1 || port > 65535) throw new TypeError(`not an endpoint: ${text}`);
  return { address: normalizeAddress(text.slice(0, colon).replace(/^\[|\]$/g, '')), port };
}

export function familyOf(address: string): 'IPv4' | 'IPv6' {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}
