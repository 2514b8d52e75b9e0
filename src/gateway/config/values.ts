/** Texts of the configuration as what they mean. Each reports what it cannot take, and is undefined then. */
import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type { HostAddress } from '../../transport.js';
import { parseHostAddress, portRange } from '../host-address.js';
import type { Placed } from './section.js';

const HOST_NAME_MAX = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/**
 * 'host:port', '[v6]:port', or ':port' where there is a host for it. Port 0, for any that is free, only where a port is
 * opened.
 */
export function addressFrom(
  { value, place }: Placed<string>,
  rules: { host?: string; minPort: 0 | 1 },
): HostAddress | undefined {
  const parsed = parseHostAddress(value, rules);
  const problem = 'problem' in parsed ? parsed.problem : isHost(parsed.host) ? undefined : 'host';
  if (!('problem' in parsed) && !problem) return parsed;
  const [host, port] = value.split(/:(?=\d*$)/);
  switch (problem) {
    case 'form': {
      const forms = rules.host === undefined ? '"host:port" or "[v6]:port"' : '"host:port", "[v6]:port" or ":port"';
      place.error(`must be ${forms}, not ${JSON.stringify(value)}`);
      break;
    }
    case 'port':
      place.error(`the port must be ${portRange(rules.minPort)}, not ${port}`);
      break;
    default:
      place.error(`${JSON.stringify(host)} is neither a host name nor an IP address`);
  }
  return undefined;
}

function isHost(host: string): boolean {
  return isIP(host) !== 0 || (isHostName(host) && !/^[\d.]+$/.test(host));
}

function isHostName(name: string): boolean {
  return name.length <= HOST_NAME_MAX && name.split('.').every((label) => LABEL.test(label));
}

/** Networks as '10.0.0.0/8', or single addresses. */
export function networksFrom(texts: readonly Placed<string>[]): BlockList {
  const networks = new BlockList();
  for (const text of texts) addNetwork(networks, text);
  return networks;
}

function addNetwork(networks: BlockList, { value, place }: Placed<string>): void {
  const [, address = '', digits] = value.match(/^([^/]+?)(?:\/(\d{1,3}))?$/) ?? [];
  const version = isIP(address);
  const bits = version === 4 ? 32 : 128;
  const prefix = digits === undefined ? bits : Number(digits);
  if (version === 0 || prefix > bits) {
    place.error(`must be a network such as "10.0.0.0/8" or "fd00::/8", not ${JSON.stringify(value)}`);
    return;
  }
  if (prefix === 0) place.warn('takes from anybody what a PROXY header says of the address of a client');
  networks.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
}

/** Lower case; 'db.example.com' or '*.example.com' (RFC 6066, section 3: no IP address, no dot at the end). */
export function serverNameFrom(
  { value, place }: Placed<string>,
  { wildcard }: { wildcard: boolean },
): string | undefined {
  const name = value.toLowerCase();
  const base = wildcard && name.startsWith('*.') ? name.slice(2) : name;
  const wrong = serverNameProblem(name, base, wildcard);
  if (wrong === undefined) return name;
  place.error(wrong);
  return undefined;
}

function serverNameProblem(name: string, base: string, wildcard: boolean): string | undefined {
  if (name === '*' && wildcard) return 'leave serverNames out for a route that takes any';
  if (isIP(base) !== 0) return `${base} is an IP address: clients send no server name for it`;
  if (base.endsWith('.')) return 'must not end with a dot: server names are sent without';
  if (isHostName(base)) return undefined;
  const ascii = domainToASCII(base);
  if (ascii !== base && ascii !== '') return `must be as it is sent: ${JSON.stringify(ascii)}`;
  return `${JSON.stringify(name)} is no server name${wildcard ? ', neither "db.example.com" nor "*.example.com"' : ''}`;
}

/** A protocol name of 1 to 255 bytes (RFC 7301, section 3.1), printable ASCII here. */
export function alpnFrom({ value, place }: Placed<string>): string | undefined {
  if (/^[\x21-\x7e]{1,255}$/.test(value)) return value;
  place.error(`${JSON.stringify(value)} is no protocol name: 1 to 255 printable ASCII characters`);
  return undefined;
}

/** All of a list that could be read, each once; what stands there twice is reported. */
export function each<T>(texts: readonly Placed<string>[], read: (text: Placed<string>) => T | undefined): T[] {
  const seen = new Map<string, T>();
  for (const text of texts) {
    const value = read(text);
    if (value === undefined) continue;
    const key = JSON.stringify(value);
    if (seen.has(key)) text.place.error(`${JSON.stringify(text.value)} stands in the list twice`);
    seen.set(key, value);
  }
  return [...seen.values()];
}
