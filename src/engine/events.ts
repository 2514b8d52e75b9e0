/** What an engine reports: every decision has a name, and every refusal a reason that metrics and tests can count. */
import type { DatagramFault } from '../wire/datagram.js';

/** Why a datagram was dropped, in silence. */
export type DropReason =
  | DatagramFault
  /** It came from a port that reflects (chargen, DNS, NTP, …): an answer would go to a victim. */
  | 'reflector-port'
  /** It says that a server sent it. */
  | 'wrong-side'
  /** No session has its ID, and it does not begin one. */
  | 'unknown-session'
  /** Its session was opened by another UDP address. */
  | 'foreign-address'
  /** TCP has taken over its session. */
  | 'claimed'
  /** It acknowledges what was never sent. */
  | 'never-sent'
  /** It carries stream bytes although TLS has answered: what follows the first flights goes over TCP. */
  | 'after-answer'
  /** The session's bytes or datagrams are used up. */
  | 'over-limit'
  /** As many sessions wait for their tombstone as may. */
  | 'table-full'
  /** The sessions that wait hold as many bytes as they may. */
  | 'memory-full'
  /** The event loop is busy and handshakes over UDP have had their share. */
  | 'overloaded'
  /** The engine takes no new sessions. */
  | 'closing';

/** Why a tombstone was rejected. Sent in the Reply. */
export type RejectReason = 'unknown-session' | 'claimed' | 'wrong-instance' | 'never-sent';

/** Why a TCP connection was closed before it was routed. */
export type RefuseReason =
  /** The bytes begin no protocol. */
  | 'unknown-protocol'
  /** The bytes begin a protocol that is not served here. */
  | 'unserved-protocol'
  | 'bad-tombstone'
  /** A second tombstone after a rejected one. */
  | 'second-tombstone'
  | 'timeout'
  | 'too-many'
  | 'closing'
  /** The peer left, or the connection failed. */
  | 'peer-gone';

export type EngineEvent =
  /** A session was opened: its ClientHello is complete. */
  | { type: 'session'; connectionId: Buffer }
  | { type: 'dropped'; reason: DropReason }
  /** A tombstone claimed its session, after `waitedMs`. */
  | { type: 'bound'; connectionId: Buffer; waitedMs: number }
  | { type: 'rejected'; reason: RejectReason }
  /** A session ended without its tombstone. */
  | { type: 'expired'; connectionId: Buffer }
  /** A TCP connection began as plain TLS. */
  | { type: 'plain' }
  /** A TCP connection was closed before it was routed; `error` says more where there is more to say. */
  | { type: 'refused'; reason: RefuseReason; error: Error | undefined }
  /** The UDP socket reported an error; TCP goes on. */
  | { type: 'udp-error'; error: Error }
  /** The TCP port of a TurboListener could not accept a connection, for want of descriptors, say; it goes on. */
  | { type: 'tcp-error'; error: Error };
