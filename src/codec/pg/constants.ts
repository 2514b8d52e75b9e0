/** The numbers of PostgreSQL's frontend/backend protocol, with the section of its documentation that has them. */

/** The type byte of a message, from its letter. */
function type(letter: string): number {
  return letter.charCodeAt(0);
}

/** Type and length ("Overview of Messages"); a message of the startup phase has the length only. */
export const HEADER_LENGTH = 5;
/** The length word, which counts itself ("Overview of Messages"). */
export const LENGTH_LENGTH = 4;
/** The longest body of a message: PostgreSQL's PQ_LARGE_MESSAGE_LIMIT, 1 GiB less what its allocator needs. */
export const MESSAGE_BYTES_MAX = 0x3fff_fffe - LENGTH_LENGTH;

/** Versions, as StartupMessage and NegotiateProtocolVersion have them: major in the high half ("Message Formats"). */
export const PROTOCOL_3_0 = 0x0003_0000;
/** PostgreSQL 18 on: cancel keys of variable length ("Protocol Versions"). */
export const PROTOCOL_3_2 = 0x0003_0002;
/** The one major version that this codec speaks. */
export const PROTOCOL_MAJOR = 3;

/** In the place of a version: 1234 in the high half ("Message Formats"). */
export const CANCEL_REQUEST_CODE = 80_877_102;
export const SSL_REQUEST_CODE = 80_877_103;
export const GSSENC_REQUEST_CODE = 80_877_104;

/** Bytes of a cancel key, BackendKeyData and CancelRequest: always 4 in 3.0, 4 to 256 in 3.2 ("Message Formats"). */
export const SECRET_KEY_MIN = 4;
export const SECRET_KEY_MAX = 256;

/** The length of a value that is null ("Message Formats": DataRow, Bind, FunctionCall, FunctionCallResponse). */
export const NULL_LENGTH = -1;

/** Authentication requests by the Int32 that begins their body ("Message Formats": Authentication…). */
export const AUTHENTICATION = {
  OK: 0,
  CLEARTEXT_PASSWORD: 3,
  MD5_PASSWORD: 5,
  SASL: 10,
  SASL_CONTINUE: 11,
  SASL_FINAL: 12,
} as const;

export const MD5_SALT_LENGTH = 4;

/** Types of the messages that the backend sends ("Message Formats", those marked B). */
export const BACKEND_TYPE = {
  AUTHENTICATION: type('R'),
  BACKEND_KEY_DATA: type('K'),
  BIND_COMPLETE: type('2'),
  CLOSE_COMPLETE: type('3'),
  COMMAND_COMPLETE: type('C'),
  COPY_BOTH_RESPONSE: type('W'),
  COPY_IN_RESPONSE: type('G'),
  COPY_OUT_RESPONSE: type('H'),
  DATA_ROW: type('D'),
  EMPTY_QUERY_RESPONSE: type('I'),
  ERROR_RESPONSE: type('E'),
  FUNCTION_CALL_RESPONSE: type('V'),
  NEGOTIATE_PROTOCOL_VERSION: type('v'),
  NO_DATA: type('n'),
  NOTICE_RESPONSE: type('N'),
  NOTIFICATION_RESPONSE: type('A'),
  PARAMETER_DESCRIPTION: type('t'),
  PARAMETER_STATUS: type('S'),
  PARSE_COMPLETE: type('1'),
  PORTAL_SUSPENDED: type('s'),
  READY_FOR_QUERY: type('Z'),
  ROW_DESCRIPTION: type('T'),
} as const;

/** Types of the messages that the frontend sends ("Message Formats", those marked F). */
export const FRONTEND_TYPE = {
  BIND: type('B'),
  CLOSE: type('C'),
  COPY_FAIL: type('f'),
  DESCRIBE: type('D'),
  EXECUTE: type('E'),
  FLUSH: type('H'),
  FUNCTION_CALL: type('F'),
  PARSE: type('P'),
  PASSWORD: type('p'),
  QUERY: type('Q'),
  SYNC: type('S'),
  TERMINATE: type('X'),
} as const;

/** Types of the messages that both send ("Message Formats", those marked F & B). */
export const COPY_DATA_TYPE = type('d');
export const COPY_DONE_TYPE = type('c');
