/** First bytes of RESP2 and RESP3 types (redis.io, "Redis serialization protocol specification"). */
export const SIMPLE_STRING = 0x2b; // +
export const SIMPLE_ERROR = 0x2d; // -
export const INTEGER = 0x3a; // :
export const BULK_STRING = 0x24; // $
export const ARRAY = 0x2a; // *
export const NULL = 0x5f; // _
export const BOOLEAN = 0x23; // #
export const DOUBLE = 0x2c; // ,
export const BIG_NUMBER = 0x28; // (
export const BULK_ERROR = 0x21; // !
export const VERBATIM_STRING = 0x3d; // =
export const MAP = 0x25; // %
export const ATTRIBUTE = 0x7c; // |
export const SET = 0x7e; // ~
export const PUSH = 0x3e; // >
/** A part of a streamed string (RESP3.md, "Streamed strings"). */
export const PART = 0x3b; // ;
/** The end of a streamed aggregate (RESP3.md, "Streamed aggregated data types"). */
export const END = 0x2e; // .

export const CR = 0x0d;
export const LF = 0x0a;
export const MINUS = 0x2d;
export const PLUS = 0x2b;
export const ZERO = 0x30;
export const NINE = 0x39;
/** In place of a length: it is not known yet. */
export const UNKNOWN_LENGTH = 0x3f; // ?

/** What the text of a verbatim string begins with: three letters that tell its format, and a colon. */
export const VERBATIM_PREFIX_BYTES = 4;

/**
 * What an element is reckoned to take of a reply's memory, bytes: its place in an array and a small value. Announced
 * counts are multiplied by this before anything is allocated (CVE-2021-32765).
 */
export const ELEMENT_BYTES = 32;
/** What an aggregate is reckoned to take beside its elements, bytes: an empty Map takes most. */
export const AGGREGATE_BYTES = 192;
/** What an error is reckoned to take beside its text, bytes: its stack. */
export const ERROR_BYTES = 512;
/** What a Buffer is reckoned to take beside its bytes, bytes. */
export const BUFFER_BYTES = 192;
