import { networkInterfaces } from 'node:os';
import { skipUnlessCI } from './skip.js';

/** Whether this machine has the loopback address ::1. */
export const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

export function requireIPv6(context: Mocha.Context): void {
  if (!hasIPv6) skipUnlessCI(context, 'this machine has no IPv6 loopback');
}
