/** host, hostaddr and port, each of them a list ("Specifying Multiple Hosts"), as the servers to try. */
import { randomInt } from 'node:crypto';
import type { Address } from '../../../transport.js';
import { PgError } from '../errors.js';
import type { Settings } from './settings.js';
import type { PgHost, PgTarget } from './target.js';
import { wholeNumber } from './values.js';

const DEFAULT_PORT = 5432;
const PORT_MAX = 65_535;

/** A server before its password is known. */
export type Server = Omit<PgHost, 'password'>;

/** @param socketDirectory where a server is that nobody named; undefined: localhost */
export function serversFrom(settings: Settings, socketDirectory: string | undefined): Server[] {
  const names = settings.text('host')?.split(',');
  const addresses = settings.text('hostaddr')?.split(',');
  const count = addresses?.length ?? names?.length ?? 1;
  if (names && names.length !== count) {
    throw new PgError('ERR_PG_BAD_OPTION', `host has ${names.length} entries and hostaddr has ${count}`);
  }
  const ports = portsFrom(settings, count);
  return ports.map((port, index) => {
    const hostaddr = addresses?.[index] || undefined;
    const name = names?.[index] || hostaddr || socketDirectory || 'localhost';
    checkHostAddress(hostaddr);
    return { address: addressOf(name, hostaddr, port), name, hostaddr, port };
  });
}

/** One port is for every host. */
function portsFrom(settings: Settings, count: number): number[] {
  const ports = settings.text('port')?.split(',') ?? [''];
  if (ports.length !== 1 && ports.length !== count) {
    throw new PgError('ERR_PG_BAD_OPTION', `port has ${ports.length} entries for ${count} hosts`);
  }
  return Array.from({ length: count }, (_, index) => portFrom(ports[ports.length === 1 ? 0 : index] ?? '', settings));
}

function portFrom(text: string, settings: Settings): number {
  if (text === '') return DEFAULT_PORT;
  const port = wholeNumber(text);
  if (port !== undefined && port >= 1 && port <= PORT_MAX) return port;
  const origin = settings.get('port')?.origin;
  // Not repeated: what stands in the place of a port in a URI may be half a password.
  throw new PgError('ERR_PG_BAD_OPTION', `port (${origin}) must be a whole number from 1 to ${PORT_MAX}`);
}

function addressOf(name: string, hostaddr: string | undefined, port: number): Address {
  if (hostaddr !== undefined) return { host: hostaddr, port };
  if (!isSocketDirectory(name)) return { host: name, port };
  const path = `${name}/.s.PGSQL.${port}`;
  // "@": in Linux's abstract namespace, whose names begin with a zero byte.
  return { path: path.startsWith('@') ? `\0${path.slice(1)}` : path };
}

/** libpq's is_unixsock_path. */
export function isSocketDirectory(host: string): boolean {
  return host.startsWith('/') || host.startsWith('@');
}

function checkHostAddress(hostaddr: string | undefined): void {
  if (hostaddr === undefined || isIpAddress(hostaddr)) return;
  throw new PgError('ERR_PG_BAD_OPTION', 'hostaddr must be an IPv4 or IPv6 address; a name goes into host');
}

/** IPv4 in dotted decimal, or IPv6 with or without a zone. */
export function isIpAddress(text: string): boolean {
  if (text.includes(':'))
    return /^[0-9A-Fa-f:.]+(%[\w.-]+)?$/.test(text) && URL.canParse(`http://[${text.split('%')[0]}]`);
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** In the order in which to try them: as given, or shuffled for load_balance_hosts=random. */
export function hostsInOrder({ hosts, loadBalanceHosts }: PgTarget): PgHost[] {
  const ordered = [...hosts];
  if (loadBalanceHosts === 'disable') return ordered;
  // Fisher and Yates.
  for (let last = ordered.length - 1; last > 0; last--) {
    const [taken] = ordered.splice(randomInt(last + 1), 1);
    if (taken) ordered.push(taken);
  }
  return ordered;
}
