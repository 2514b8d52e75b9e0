/**
 * The messages of PostgreSQL's frontend/backend protocol 3.0 and 3.2, named and shaped as its documentation has them
 * ("Message Formats"). Decoded messages are views: their Buffers point into the bytes that came from the network.
 */
import type { DataRow } from './data-row.js';

/** 0: text, 1: binary. */
export type Format = 0 | 1;

/** A column of RowDescription. */
export interface FieldDescription {
  name: string;
  /** OID of the table, or 0 where the column is none of a table's. */
  tableOid: number;
  /** Attribute number in that table, or 0. */
  column: number;
  typeOid: number;
  /** `pg_type.typlen`; negative for types of variable width. */
  typeSize: number;
  typeModifier: number;
  format: Format;
}

/** Fields of ErrorResponse and NoticeResponse by their one-letter code ("Error and Notice Message Fields"). */
export type NoticeFields = Readonly<Record<string, string>>;

/** 'I' idle, 'T' in a transaction, 'E' in one that has failed. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** A message of a type that this codec does not know, kept as it came. */
export interface UnknownMessage {
  name: 'Unknown';
  code: number;
  body: Buffer;
}

export type AuthenticationMessage =
  | { name: 'AuthenticationOk' }
  | { name: 'AuthenticationCleartextPassword' }
  | { name: 'AuthenticationMD5Password'; salt: Buffer }
  | { name: 'AuthenticationSASL'; mechanisms: string[] }
  | { name: 'AuthenticationSASLContinue'; data: Buffer }
  | { name: 'AuthenticationSASLFinal'; data: Buffer }
  /** Kerberos V5 (2), GSS (7), GSSContinue (8), SSPI (9), and what is not known. */
  | { name: 'AuthenticationOther'; method: number; data: Buffer };

export type BackendMessage =
  | AuthenticationMessage
  | { name: 'BackendKeyData'; processId: number; secretKey: Buffer }
  | { name: 'BindComplete' }
  | { name: 'CloseComplete' }
  | { name: 'CommandComplete'; tag: string }
  | { name: 'CopyData'; data: Buffer }
  | { name: 'CopyDone' }
  | { name: 'CopyInResponse'; format: Format; columnFormats: Format[] }
  | { name: 'CopyOutResponse'; format: Format; columnFormats: Format[] }
  | { name: 'CopyBothResponse'; format: Format; columnFormats: Format[] }
  | DataRow
  | { name: 'EmptyQueryResponse' }
  | { name: 'ErrorResponse'; fields: NoticeFields }
  | { name: 'FunctionCallResponse'; value: Buffer | null }
  /** `version` is the newest that the server supports for the requested major version, as a whole Int32. */
  | { name: 'NegotiateProtocolVersion'; version: number; options: string[] }
  | { name: 'NoData' }
  | { name: 'NoticeResponse'; fields: NoticeFields }
  | { name: 'NotificationResponse'; processId: number; channel: string; payload: string }
  | { name: 'ParameterDescription'; typeOids: number[] }
  | { name: 'ParameterStatus'; parameter: string; value: string }
  | { name: 'ParseComplete' }
  | { name: 'PortalSuspended' }
  | { name: 'ReadyForQuery'; status: TransactionStatus }
  | { name: 'RowDescription'; fields: FieldDescription[] }
  | UnknownMessage;

/** Messages without a type byte: the first of a connection. */
export type StartupPhaseMessage =
  /** `version` is a whole Int32, 0x0003_0000 for 3.0; `parameters` in the order in which they came. */
  | { name: 'StartupMessage'; version: number; parameters: ReadonlyMap<string, string> }
  | { name: 'SSLRequest' }
  | { name: 'GSSENCRequest' }
  | { name: 'CancelRequest'; processId: number; secretKey: Buffer };

/** What the frontend sends with type 'p'. The type alone does not tell which of them it is: the state does. */
export type PasswordPhaseMessage =
  | { name: 'PasswordMessage'; password: string }
  | { name: 'SASLInitialResponse'; mechanism: string; data: Buffer | null }
  | { name: 'SASLResponse'; data: Buffer }
  | { name: 'GSSResponse'; data: Buffer };

/** A value of Bind: null, text as string, or bytes. */
export type ParameterValue = string | Buffer | null;

export type FrontendMessage =
  | StartupPhaseMessage
  | PasswordPhaseMessage
  /** Type 'p' as a decoder sees it, before the state says which message it is. */
  | { name: 'PasswordOrSASL'; body: Buffer }
  | {
      name: 'Bind';
      portal: string;
      statement: string;
      /** None: all text. One: for all. Else one per value. */
      parameterFormats: Format[];
      values: ParameterValue[];
      resultFormats: Format[];
    }
  | { name: 'Close'; what: 'S' | 'P'; target: string }
  | { name: 'CopyData'; data: Buffer }
  | { name: 'CopyDone' }
  | { name: 'CopyFail'; reason: string }
  | { name: 'Describe'; what: 'S' | 'P'; target: string }
  /** `maxRows` 0: all. */
  | { name: 'Execute'; portal: string; maxRows: number }
  | { name: 'Flush' }
  | {
      name: 'FunctionCall';
      functionOid: number;
      argumentFormats: Format[];
      args: (Buffer | null)[];
      resultFormat: Format;
    }
  | { name: 'Parse'; statement: string; query: string; typeOids: number[] }
  | { name: 'Query'; query: string }
  | { name: 'Sync' }
  | { name: 'Terminate' }
  | UnknownMessage;
