/** The name in the server_name extension (RFC 6066, section 3), checked before anything is looked up by it. */
import { parseIp } from './ip-address.js';

/** RFC 1035, section 2.3.4, without the root's dot. */
const NAME_MAX = 253;
/** RFC 1123, section 2.1, and the underscore, which names have although hosts should not. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NUMBER = /^[0-9]+$/;

/**
 * The name in lower case; `address` for an IP address, which is no server name although some clients send it; undefined
 * for what is neither. A name with a dot at its end is none: RFC 6066 forbids it, and it would be a second way to write
 * the same name.
 */
export function checkServerName(bytes: Buffer): { name: string } | 'address' | undefined {
  if (bytes.length === 0 || bytes.length > NAME_MAX) return undefined;
  const name = bytes.toString('latin1').toLowerCase();
  if (parseIp(name)) return 'address';
  const labels = name.split('.');
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  // No top-level domain is a number, and "1.2.3" has been taken for an address.
  return NUMBER.test(labels.at(-1) as string) ? undefined : { name };
}
