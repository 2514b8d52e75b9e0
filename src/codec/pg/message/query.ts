/** A query and its result: the simple query protocol, and what both query protocols answer. */
import { BACKEND_TYPE, FRONTEND_TYPE } from '../constants.js';
import { DataRow } from '../data-row.js';
import { type BackendMessageOf, bare, type FrontendMessageOf, type MessageCodec } from '../message-codec.js';
import type { FieldDescription, TransactionStatus } from '../messages.js';
import type { Reader } from '../reader.js';
import type { Writer } from '../writer.js';

const query: MessageCodec<FrontendMessageOf<'Query'>> = {
  type: FRONTEND_TYPE.QUERY,
  names: ['Query'],
  decode: (body) => ({ name: 'Query', query: body.string() }),
  encode: (message, body) => {
    body.string(message.query);
  },
};

const rowDescription: MessageCodec<BackendMessageOf<'RowDescription'>> = {
  type: BACKEND_TYPE.ROW_DESCRIPTION,
  names: ['RowDescription'],
  decode: (body) => ({ name: 'RowDescription', fields: body.list(FIELD_BYTES_MIN, () => readField(body)) }),
  encode: (message, body) => {
    body.list(message.fields, (field) => writeField(field, body));
  },
};

/** An empty name, two OIDs, a type modifier, and three numbers of two bytes. */
const FIELD_BYTES_MIN = 1 + 3 * 4 + 3 * 2;

function readField(body: Reader): FieldDescription {
  return {
    name: body.string(),
    tableOid: body.uint32(),
    column: body.int16(),
    typeOid: body.uint32(),
    typeSize: body.int16(),
    typeModifier: body.int32(),
    format: body.format(),
  };
}

function writeField(field: FieldDescription, body: Writer): void {
  body.string(field.name).int32(field.tableOid).int16(field.column);
  body.int32(field.typeOid).int16(field.typeSize).int32(field.typeModifier).int16(field.format);
}

const dataRow: MessageCodec<DataRow> = {
  type: BACKEND_TYPE.DATA_ROW,
  names: ['DataRow'],
  decode: (body) => body.range((bytes, start, end) => new DataRow(bytes, start, end)),
  encode: (message, body) => {
    body.bytes(message.body);
  },
};

const commandComplete: MessageCodec<BackendMessageOf<'CommandComplete'>> = {
  type: BACKEND_TYPE.COMMAND_COMPLETE,
  names: ['CommandComplete'],
  decode: (body) => ({ name: 'CommandComplete', tag: body.string() }),
  encode: (message, body) => {
    body.string(message.tag);
  },
};

const readyForQuery: MessageCodec<BackendMessageOf<'ReadyForQuery'>> = {
  type: BACKEND_TYPE.READY_FOR_QUERY,
  names: ['ReadyForQuery'],
  decode: (body) => ({ name: 'ReadyForQuery', status: transactionStatus(body) }),
  encode: (message, body) => {
    body.byte(message.status.charCodeAt(0));
  },
};

function transactionStatus(body: Reader): TransactionStatus {
  const status = String.fromCharCode(body.byte());
  return status === 'I' || status === 'T' || status === 'E' ? status : body.fail('a status that is none');
}

/** The function call protocol, which the documentation calls legacy. */
const functionCall: MessageCodec<FrontendMessageOf<'FunctionCall'>> = {
  type: FRONTEND_TYPE.FUNCTION_CALL,
  names: ['FunctionCall'],
  decode: (body) => ({
    name: 'FunctionCall',
    functionOid: body.uint32(),
    argumentFormats: body.formats(),
    args: body.list(4, () => body.value()),
    resultFormat: body.format(),
  }),
  encode: (message, body) => {
    body.int32(message.functionOid).formats(message.argumentFormats);
    body.list(message.args, (arg) => body.value(arg)).int16(message.resultFormat);
  },
};

const functionCallResponse: MessageCodec<BackendMessageOf<'FunctionCallResponse'>> = {
  type: BACKEND_TYPE.FUNCTION_CALL_RESPONSE,
  names: ['FunctionCallResponse'],
  decode: (body) => ({ name: 'FunctionCallResponse', value: body.value() }),
  encode: (message, body) => {
    body.value(message.value);
  },
};

export const queryFromFrontend = [query, functionCall, bare(FRONTEND_TYPE.TERMINATE, 'Terminate')];
export const queryFromBackend = [
  dataRow,
  rowDescription,
  commandComplete,
  bare(BACKEND_TYPE.EMPTY_QUERY_RESPONSE, 'EmptyQueryResponse'),
  readyForQuery,
  functionCallResponse,
];
