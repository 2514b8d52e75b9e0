/** Where the first bytes of a TCP connection say that it belongs. They are only looked at: the worker judges them. */
import { detectFirstBytes } from '../wire/first-bytes.js';
import { decodeTombstone } from '../wire/frame.js';
import { connectionIdOf } from '../wire/identity.js';
import { readProxyHeader } from '../wire/proxy-protocol.js';

/** To the worker that has this session; to any worker; not to be told from these bytes. */
export type Destination = { connectionId: Buffer } | 'anyone' | 'undecided';

export function destinationOf(bytes: Buffer): Destination {
  const detected = detectFirstBytes(bytes);
  if (detected === 'undecided') return 'undecided';
  if (detected === 'tombstone') return ofTombstone(bytes);
  if (detected !== 'proxy-v1' && detected !== 'proxy-v2') return 'anyone';
  // A balancer in front: whether its word counts is for the worker to say, but its clients have sessions too.
  const header = readProxyHeader(bytes);
  if (header === 'incomplete') return 'undecided';
  if (header === 'invalid') return 'anyone';
  const behind = bytes.subarray(header.length);
  const next = detectFirstBytes(behind);
  if (next === 'undecided') return 'undecided';
  return next === 'tombstone' ? ofTombstone(behind) : 'anyone';
}

function ofTombstone(bytes: Buffer): Destination {
  try {
    const decoded = decodeTombstone(bytes);
    return decoded ? { connectionId: connectionIdOf(decoded.tombstone.secret) } : 'undecided';
  } catch {
    return 'anyone';
  }
}
