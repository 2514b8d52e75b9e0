/** The values of options, as their parsers: what they cannot take is a usage error. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { type AddressRules, parseHostAddress, portRange } from '../gateway/host-address.js';
import { TIMER_MAX_MS } from '../limit-units.js';
import type { HostAddress, PathAddress } from '../transport.js';

/** A name of a protocol (RFC 7301), printable. */
const ALPN = /^[\x21-\x7e]{1,255}$/;

/** 'host:port', '[v6]:port'; ':port' and 'host' where the rules have what is missing. */
export function parseAddress(text: string, rules: AddressRules): HostAddress {
  const parsed = parseHostAddress(text, rules);
  if (!('problem' in parsed)) return parsed;
  switch (parsed.problem) {
    case 'form': {
      const bare = isIP(text) === 6 ? `; an IPv6 address is written [${text}]:PORT` : '';
      throw new InvalidArgumentError(`It must be HOST:PORT${bare}.`);
    }
    case 'brackets':
      throw new InvalidArgumentError('In [ ] stands an IPv6 address.');
    case 'port':
      throw new InvalidArgumentError(`A port is ${portRange(rules.minPort)}.`);
  }
}

/** Of a server. */
export function remoteAddress(text: string): HostAddress {
  return parseAddress(text, { minPort: 1 });
}

/** Of the proxy: an address, or the path of a Unix socket. A port alone is on this machine. */
export function localAddress(text: string): HostAddress | PathAddress {
  return text.includes('/') ? { path: text } : parseAddress(text, { host: 'localhost', minPort: 0 });
}

/** For options that may be given several times, or with commas between. */
export function listOf<T>(parse: (text: string) => T): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [...before, ...text.split(',').map((part) => parse(part.trim()))];
}

export function alpn(text: string): string {
  if (!ALPN.test(text)) throw new InvalidArgumentError('It must be a protocol name such as "h2".');
  return text;
}

/** ms, of '5s', '0.25s', '2m' or '1h'. */
export function duration(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(digits) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit as 's'];
  if (!(ms <= TIMER_MAX_MS)) throw new InvalidArgumentError('It must be a time such as 500ms, 5s or 2m.');
  return ms;
}

/** What `parse` gives, unless it is 0. */
export function positive(parse: (text: string) => number): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value === 0) throw new InvalidArgumentError('It must be above 0.');
    return value;
  };
}

export function count(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return number;
}

/** @throws Error that names the option and the file */
export function contentOf(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = { ENOENT: 'there is no such file', EACCES: 'this user may not read it' }[code ?? ''] ?? code;
    throw new Error(`${option}: cannot read ${path}: ${why}`);
  }
}
