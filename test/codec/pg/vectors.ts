/** Every message as literal bytes and as value; see `wire` for how bytes are written down. */
import { DataRow } from '../../../src/codec/pg/data-row.js';
import type { BackendMessage, FrontendMessage } from '../../../src/codec/pg/messages.js';
import { wire } from './wire.js';

type Vectors<Message extends { name: string }> = {
  readonly [Name in Message['name']]: readonly (readonly [
    bytes: string,
    message: Name extends 'DataRow' ? DataRow : Extract<Message, { name: Name }>,
  ])[];
};

const KEY = wire('deadbeef');
const LONG_KEY = Buffer.alloc(256, 0xab);

export const backendVectors: Vectors<BackendMessage> = {
  AuthenticationOk: [["'R' 00000008 00000000", { name: 'AuthenticationOk' }]],
  AuthenticationCleartextPassword: [["'R' 00000008 00000003", { name: 'AuthenticationCleartextPassword' }]],
  AuthenticationMD5Password: [
    ["'R' 0000000c 00000005 01020304", { name: 'AuthenticationMD5Password', salt: wire('01020304') }],
  ],
  AuthenticationSASL: [
    [
      "'R' 0000002a 0000000a 'SCRAM-SHA-256-PLUS' 00 'SCRAM-SHA-256' 00 00",
      { name: 'AuthenticationSASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] },
    ],
    ["'R' 00000009 0000000a 00", { name: 'AuthenticationSASL', mechanisms: [] }],
  ],
  AuthenticationSASLContinue: [
    ["'R' 0000000f 0000000b 'r=1,s=2'", { name: 'AuthenticationSASLContinue', data: Buffer.from('r=1,s=2') }],
  ],
  AuthenticationSASLFinal: [
    ["'R' 0000000b 0000000c 'v=1'", { name: 'AuthenticationSASLFinal', data: Buffer.from('v=1') }],
  ],
  AuthenticationOther: [
    ["'R' 00000008 00000007", { name: 'AuthenticationOther', method: 7, data: Buffer.alloc(0) }],
    ["'R' 0000000a 00000008 beef", { name: 'AuthenticationOther', method: 8, data: wire('beef') }],
  ],
  BackendKeyData: [
    ["'K' 0000000c 00000539 deadbeef", { name: 'BackendKeyData', processId: 1337, secretKey: KEY }],
    [
      `'K' 00000108 00000539 ${LONG_KEY.toString('hex')}`,
      { name: 'BackendKeyData', processId: 1337, secretKey: LONG_KEY },
    ],
  ],
  BindComplete: [["'2' 00000004", { name: 'BindComplete' }]],
  CloseComplete: [["'3' 00000004", { name: 'CloseComplete' }]],
  CommandComplete: [
    ["'C' 0000000f 'INSERT 0 1' 00", { name: 'CommandComplete', tag: 'INSERT 0 1' }],
    ["'C' 00000005 00", { name: 'CommandComplete', tag: '' }],
  ],
  CopyData: [
    ["'d' 00000008 '1\t2' 0a", { name: 'CopyData', data: Buffer.from('1\t2\n') }],
    ["'d' 00000004", { name: 'CopyData', data: Buffer.alloc(0) }],
  ],
  CopyDone: [["'c' 00000004", { name: 'CopyDone' }]],
  CopyInResponse: [["'G' 0000000b 00 0002 0000 0000", { name: 'CopyInResponse', format: 0, columnFormats: [0, 0] }]],
  CopyOutResponse: [["'H' 0000000b 01 0002 0001 0001", { name: 'CopyOutResponse', format: 1, columnFormats: [1, 1] }]],
  CopyBothResponse: [["'W' 00000007 00 0000", { name: 'CopyBothResponse', format: 0, columnFormats: [] }]],
  DataRow: [
    ["'D' 00000006 0000", DataRow.of([])],
    ["'D' 00000013 0003 00000001 '7' ffffffff 00000000", DataRow.of(['7', null, ''])],
    ["'D' 0000000c 0001 00000002 fffe", DataRow.of([wire('fffe')])],
  ],
  EmptyQueryResponse: [["'I' 00000004", { name: 'EmptyQueryResponse' }]],
  ErrorResponse: [
    [
      "'E' 00000022 'SERROR' 00 'VERROR' 00 'C23505' 00 'Mno' 00 'P12' 00 00",
      { name: 'ErrorResponse', fields: { S: 'ERROR', V: 'ERROR', C: '23505', M: 'no', P: '12' } },
    ],
    ["'E' 00000005 00", { name: 'ErrorResponse', fields: {} }],
  ],
  FunctionCallResponse: [
    ["'V' 0000000a 00000002 0102", { name: 'FunctionCallResponse', value: wire('0102') }],
    ["'V' 00000008 ffffffff", { name: 'FunctionCallResponse', value: null }],
  ],
  NegotiateProtocolVersion: [
    [
      "'v' 00000016 00030002 00000002 '_pq_.a' 00 '_b' 00",
      { name: 'NegotiateProtocolVersion', version: 0x0003_0002, options: ['_pq_.a', '_b'] },
    ],
    ["'v' 0000000c 00030000 00000000", { name: 'NegotiateProtocolVersion', version: 0x0003_0000, options: [] }],
  ],
  NoData: [["'n' 00000004", { name: 'NoData' }]],
  NoticeResponse: [["'N' 0000000d 'SINFO' 00 'M' 00 00", { name: 'NoticeResponse', fields: { S: 'INFO', M: '' } }]],
  NotificationResponse: [
    [
      "'A' 0000000f 00000539 'ch' 00 'hé' 00",
      { name: 'NotificationResponse', processId: 1337, channel: 'ch', payload: 'hé' },
    ],
  ],
  ParameterDescription: [
    ["'t' 0000000e 0002 00000017 ffffffff", { name: 'ParameterDescription', typeOids: [23, 0xffff_ffff] }],
  ],
  ParameterStatus: [
    ["'S' 00000011 'TimeZone' 00 'UTC' 00", { name: 'ParameterStatus', parameter: 'TimeZone', value: 'UTC' }],
  ],
  ParseComplete: [["'1' 00000004", { name: 'ParseComplete' }]],
  PortalSuspended: [["'s' 00000004", { name: 'PortalSuspended' }]],
  ReadyForQuery: [
    ["'Z' 00000005 'I'", { name: 'ReadyForQuery', status: 'I' }],
    ["'Z' 00000005 'T'", { name: 'ReadyForQuery', status: 'T' }],
    ["'Z' 00000005 'E'", { name: 'ReadyForQuery', status: 'E' }],
  ],
  RowDescription: [
    [
      "'T' 00000031 0002 'id' 00 00004001 0001 00000017 0004 ffffffff 0000 '日' 00 00000000 fff9 ffffffff ffff 00000013 0001",
      {
        name: 'RowDescription',
        fields: [
          { name: 'id', tableOid: 0x4001, column: 1, typeOid: 23, typeSize: 4, typeModifier: -1, format: 0 },
          { name: '日', tableOid: 0, column: -7, typeOid: 0xffff_ffff, typeSize: -1, typeModifier: 19, format: 1 },
        ],
      },
    ],
    ["'T' 00000006 0000", { name: 'RowDescription', fields: [] }],
  ],
  Unknown: [
    ["'?' 00000007 010203", { name: 'Unknown', code: 0x3f, body: wire('010203') }],
    ['ff 00000004', { name: 'Unknown', code: 0xff, body: Buffer.alloc(0) }],
  ],
};

/** Messages that begin a connection: each comes first. */
type FirstName = 'StartupMessage' | 'SSLRequest' | 'GSSENCRequest' | 'CancelRequest';
/** Messages that only the state tells from each other: decoded, all are PasswordOrSASL. */
type PasswordName = 'PasswordMessage' | 'SASLInitialResponse' | 'SASLResponse' | 'GSSResponse';

export const startupVectors: Vectors<Extract<FrontendMessage, { name: FirstName }>> = {
  StartupMessage: [
    [
      "00000020 00030000 'user' 00 'bob' 00 'database' 00 'shop' 00 00",
      {
        name: 'StartupMessage',
        version: 0x0003_0000,
        parameters: new Map([
          ['user', 'bob'],
          ['database', 'shop'],
        ]),
      },
    ],
    ['00000009 00030002 00', { name: 'StartupMessage', version: 0x0003_0002, parameters: new Map() }],
    [
      "0000000c 00030000 'a' 00 00 00",
      { name: 'StartupMessage', version: 0x0003_0000, parameters: new Map([['a', '']]) },
    ],
  ],
  SSLRequest: [['00000008 04d2162f', { name: 'SSLRequest' }]],
  GSSENCRequest: [['00000008 04d21630', { name: 'GSSENCRequest' }]],
  CancelRequest: [
    ['00000010 04d2162e 00000539 deadbeef', { name: 'CancelRequest', processId: 1337, secretKey: KEY }],
    [
      `0000010c 04d2162e 00000539 ${LONG_KEY.toString('hex')}`,
      { name: 'CancelRequest', processId: 1337, secretKey: LONG_KEY },
    ],
  ],
};

export const passwordVectors: Vectors<Extract<FrontendMessage, { name: PasswordName }>> = {
  PasswordMessage: [["'p' 00000007 'pw' 00", { name: 'PasswordMessage', password: 'pw' }]],
  SASLInitialResponse: [
    [
      "'p' 00000019 'SCRAM-SHA-256' 00 00000003 'n,,'",
      { name: 'SASLInitialResponse', mechanism: 'SCRAM-SHA-256', data: Buffer.from('n,,') },
    ],
    ["'p' 0000000a 'X' 00 ffffffff", { name: 'SASLInitialResponse', mechanism: 'X', data: null }],
  ],
  SASLResponse: [["'p' 00000007 'c=b'", { name: 'SASLResponse', data: Buffer.from('c=b') }]],
  GSSResponse: [["'p' 00000006 beef", { name: 'GSSResponse', data: wire('beef') }]],
};

export const frontendVectors: Vectors<Exclude<FrontendMessage, { name: FirstName | PasswordName }>> = {
  PasswordOrSASL: [["'p' 00000007 'pw' 00", { name: 'PasswordOrSASL', body: wire("'pw' 00") }]],
  Bind: [
    [
      `'B' 00000028 'por' 00 'st' 00 0002 0000 0001
       0003 00000002 '42' ffffffff 00000003 0102ff 0001 0001`,
      {
        name: 'Bind',
        portal: 'por',
        statement: 'st',
        parameterFormats: [0, 1],
        values: [Buffer.from('42'), null, wire('0102ff')],
        resultFormats: [1],
      },
    ],
    [
      "'B' 0000000c 00 00 0000 0000 0000",
      { name: 'Bind', portal: '', statement: '', parameterFormats: [], values: [], resultFormats: [] },
    ],
  ],
  Close: [
    ["'C' 00000007 'S' 'x' 00", { name: 'Close', what: 'S', target: 'x' }],
    ["'C' 00000006 'P' 00", { name: 'Close', what: 'P', target: '' }],
  ],
  CopyData: [["'d' 00000008 '1\t2' 0a", { name: 'CopyData', data: Buffer.from('1\t2\n') }]],
  CopyDone: [["'c' 00000004", { name: 'CopyDone' }]],
  CopyFail: [["'f' 00000008 'why' 00", { name: 'CopyFail', reason: 'why' }]],
  Describe: [
    ["'D' 00000007 'S' 'x' 00", { name: 'Describe', what: 'S', target: 'x' }],
    ["'D' 00000006 'P' 00", { name: 'Describe', what: 'P', target: '' }],
  ],
  Execute: [["'E' 0000000a 'p' 00 00000064", { name: 'Execute', portal: 'p', maxRows: 100 }]],
  Flush: [["'H' 00000004", { name: 'Flush' }]],
  FunctionCall: [
    [
      "'F' 00000019 00000539 0001 0001 0002 00000001 07 ffffffff 0000",
      {
        name: 'FunctionCall',
        functionOid: 1337,
        argumentFormats: [1],
        args: [wire('07'), null],
        resultFormat: 0,
      },
    ],
  ],
  Parse: [
    [
      "'P' 00000017 'st' 00 'select $1' 00 0001 00000017",
      { name: 'Parse', statement: 'st', query: 'select $1', typeOids: [23] },
    ],
    ["'P' 00000008 00 00 0000", { name: 'Parse', statement: '', query: '', typeOids: [] }],
  ],
  Query: [["'Q' 0000000d 'select 1' 00", { name: 'Query', query: 'select 1' }]],
  Sync: [["'S' 00000004", { name: 'Sync' }]],
  Terminate: [["'X' 00000004", { name: 'Terminate' }]],
  Unknown: [["'?' 00000006 beef", { name: 'Unknown', code: 0x3f, body: wire('beef') }]],
};

export interface Vector<Message> {
  name: string;
  bytes: Buffer;
  message: Message;
}

/** All vectors, one by one. */
export function listed<Message extends { name: string }>(
  vectors: Readonly<Record<string, readonly (readonly [string, Message])[]>>,
): Vector<Message>[] {
  return Object.entries(vectors).flatMap(([name, each]) =>
    each.map(([bytes, message], index) => ({ name: `${name} ${index + 1}`, bytes: wire(bytes), message })),
  );
}
