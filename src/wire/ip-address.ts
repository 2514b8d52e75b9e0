/** IP addresses, text to bytes and back. */

const IPV4_LENGTH = 4;
const IPV6_LENGTH = 16;
const GROUPS = IPV6_LENGTH / 2;
/** ::ffff:0:0/96, an IPv4 address as an IPv6 one (RFC 4291, section 2.5.5.2). */
const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');

/** From 0 to 255, without leading zeros: they could be taken for octal. */
const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9a-fA-F]{1,4}$/;

/** 4 bytes or 16; undefined for what is no address. A zone ("%eth0") is no part of an address. */
export function parseIp(text: string): Buffer | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

export function parseIpv4(text: string): Buffer | undefined {
  const octets = text.split('.', IPV4_LENGTH + 1);
  if (octets.length !== IPV4_LENGTH) return undefined;
  if (!octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255)) return undefined;
  return Buffer.from(octets.map(Number));
}

/** All of RFC 4291, section 2.2, the dotted last 32 bits too. */
export function parseIpv6(text: string): Buffer | undefined {
  const halves = text.split('::', 3);
  if (halves.length > 2) return undefined;
  const [left = '', right] = halves;
  const front = groupsOf(left, right === undefined);
  const back = right === undefined ? [] : groupsOf(right, true);
  if (!front || !back) return undefined;
  const missing = GROUPS - front.length - back.length;
  // "::" stands for one group at least.
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const bytes = Buffer.alloc(IPV6_LENGTH);
  for (const [index, group] of [...front, ...Array<number>(missing).fill(0), ...back].entries()) {
    bytes.writeUInt16BE(group, 2 * index);
  }
  return bytes;
}

/** @param isLast whether the text ends the address, where 32 bits may be dotted */
function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':', GROUPS + 1);
  const dotted = isLast ? parseIpv4(parts.at(-1) as string) : undefined;
  const plain = dotted ? parts.slice(0, -1) : parts;
  if (!plain.every((part) => GROUP.test(part))) return undefined;
  const groups = plain.map((part) => Number.parseInt(part, 16));
  return dotted ? [...groups, dotted.readUInt16BE(0), dotted.readUInt16BE(2)] : groups;
}

/** The one text of an address (RFC 5952, sections 4 and 5: dotted only if it is a mapped one). Takes 4 or 16 bytes. */
export function formatIp(bytes: Buffer): string {
  return bytes.length === IPV4_LENGTH ? bytes.join('.') : formatIpv6(bytes);
}

function formatIpv6(bytes: Buffer): string {
  const inner = unmapped(bytes);
  if (inner !== bytes) return `::ffff:${formatIp(inner)}`;
  const groups = Array.from({ length: GROUPS }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The first of the longest runs of zero groups. */
function longestZeros(groups: readonly string[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === '0') end++;
    if (end - start > longest.length) longest = { start, length: end - start };
    start = Math.max(start, end);
  }
  return longest;
}

/** The 4 bytes of an IPv4 address that is written as an IPv6 one; all others as they are. */
export function unmapped(bytes: Buffer): Buffer {
  const isMapped = bytes.length === IPV6_LENGTH && bytes.subarray(0, MAPPED_PREFIX.length).equals(MAPPED_PREFIX);
  return isMapped ? bytes.subarray(MAPPED_PREFIX.length) : bytes;
}

/** The 16 bytes of an IPv4 address that is written as an IPv6 one; all others as they are. */
export function mapped(bytes: Buffer): Buffer {
  return bytes.length === IPV4_LENGTH ? Buffer.concat([MAPPED_PREFIX, bytes]) : bytes;
}
