/** What the wire format fixes. Sections are of the design; `proto/turbotls.proto` holds the messages. */

/** Bytes of a UDP payload at most (section 2); fits every path that carries IPv6's least MTU of 1,280. */
export const DATAGRAM_MAX = 1200;
/** Bytes of a client's datagram at least: an answer of DATAGRAM_MAX is then AMPLIFICATION_MAX times as long. */
export const CLIENT_DATAGRAM_MIN = 400;
/** Bytes out for each byte in, to an address that is not validated (RFC 9000, section 8.1). */
export const AMPLIFICATION_MAX = 3;

export const CONNECTION_ID_LENGTH = 16;
export const SECRET_LENGTH = 32;
export const INSTANCE_LENGTH = 8;
export const CHECK_LENGTH = 8;

/** The bytes of a server's datagram beside its payload, at most: every field at its longest. */
export const SERVER_OVERHEAD_MAX = 64;
/** Stream bytes that fit a datagram beside the longest set of other fields. */
export const PAYLOAD_MAX = DATAGRAM_MAX - SERVER_OVERHEAD_MAX;
/** No side numbers its datagrams higher: a sequence never comes near wrapping. */
export const SEQUENCE_MAX = 64;

/** The first bytes of a datagram: field 1, 16 bytes. */
export const DATAGRAM_PREFIX = 0x0a10;

/** The first bytes of a tombstone or a Reply: "TTLS". */
export const FRAME_MAGIC = 0x54544c53;
/** Magic and 16-bit length. */
export const FRAME_HEADER_LENGTH = 6;
/** Bytes of a tombstone's or a Reply's message at most. */
export const FRAME_BODY_MAX = 256;
