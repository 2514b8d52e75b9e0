/** Addresses that lead back to the gateway itself, or that two parts of it want. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { HostAddress } from '../../transport.js';
import type { Place } from './problems.js';

const WILDCARDS = new Set(['::', '0.0.0.0']);

/** A target that is the gateway itself, as far as addresses say it: names other than localhost are not resolved. */
export function reportLoop(target: HostAddress, listen: readonly HostAddress[], place: Place): void {
  if (!listen.some((address) => leadsTo(target, address))) return;
  place.error('is where the gateway itself listens: a connection would come back to it without end');
}

/** The admin address must not be one that clients come to. Port 0 is never the same twice. */
export function reportAdminClash(listen: readonly HostAddress[], admin: HostAddress, place: Place): void {
  if (listen.some((address) => admin.port !== 0 && admin.port === address.port && sameHost(admin, address))) {
    place.error('is one of the addresses of listen');
  }
}

function sameHost(a: HostAddress, b: HostAddress): boolean {
  return a.host === b.host || WILDCARDS.has(a.host) || WILDCARDS.has(b.host);
}

function leadsTo(target: HostAddress, listening: HostAddress): boolean {
  if (target.port !== listening.port) return false;
  if (target.host === listening.host) return true;
  const isOwn = isLoopback(target.host) || WILDCARDS.has(target.host) || isOfThisMachine(target.host);
  if (WILDCARDS.has(listening.host)) return isOwn;
  return isLoopback(listening.host) && target.host === 'localhost';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isOfThisMachine(host: string): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.some(({ address }) => address === host);
}
