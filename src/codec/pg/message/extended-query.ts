/** The extended query protocol: parse, bind, describe, execute, close, and where a group of them ends. */
import { BACKEND_TYPE, FRONTEND_TYPE } from '../constants.js';
import { type BackendMessageOf, bare, type FrontendMessageOf, type MessageCodec } from '../message-codec.js';
import type { Reader } from '../reader.js';

const parse: MessageCodec<FrontendMessageOf<'Parse'>> = {
  type: FRONTEND_TYPE.PARSE,
  names: ['Parse'],
  decode: (body) => ({
    name: 'Parse',
    statement: body.string(),
    query: body.string(),
    typeOids: body.list(4, () => body.uint32()),
  }),
  encode: (message, body) => {
    body.string(message.statement).string(message.query);
    body.list(message.typeOids, (oid) => body.int32(oid));
  },
};

const bind: MessageCodec<FrontendMessageOf<'Bind'>> = {
  type: FRONTEND_TYPE.BIND,
  names: ['Bind'],
  decode: (body) => ({
    name: 'Bind',
    portal: body.string(),
    statement: body.string(),
    parameterFormats: body.formats(),
    values: body.list(4, () => body.value()),
    resultFormats: body.formats(),
  }),
  encode: (message, body) => {
    body.string(message.portal).string(message.statement).formats(message.parameterFormats);
    body.list(message.values, (value) => body.value(value)).formats(message.resultFormats);
  },
};

const describe: MessageCodec<FrontendMessageOf<'Describe'>> = {
  type: FRONTEND_TYPE.DESCRIBE,
  names: ['Describe'],
  decode: (body) => ({ name: 'Describe', what: what(body), target: body.string() }),
  encode: (message, body) => {
    body.byte(message.what.charCodeAt(0)).string(message.target);
  },
};

const close: MessageCodec<FrontendMessageOf<'Close'>> = {
  type: FRONTEND_TYPE.CLOSE,
  names: ['Close'],
  decode: (body) => ({ name: 'Close', what: what(body), target: body.string() }),
  encode: (message, body) => {
    body.byte(message.what.charCodeAt(0)).string(message.target);
  },
};

function what(body: Reader): 'S' | 'P' {
  const letter = String.fromCharCode(body.byte());
  return letter === 'S' || letter === 'P' ? letter : body.fail('neither a statement nor a portal');
}

const execute: MessageCodec<FrontendMessageOf<'Execute'>> = {
  type: FRONTEND_TYPE.EXECUTE,
  names: ['Execute'],
  decode: (body) => ({ name: 'Execute', portal: body.string(), maxRows: body.int32() }),
  encode: (message, body) => {
    body.string(message.portal).int32(message.maxRows);
  },
};

const parameterDescription: MessageCodec<BackendMessageOf<'ParameterDescription'>> = {
  type: BACKEND_TYPE.PARAMETER_DESCRIPTION,
  names: ['ParameterDescription'],
  decode: (body) => ({ name: 'ParameterDescription', typeOids: body.list(4, () => body.uint32()) }),
  encode: (message, body) => {
    body.list(message.typeOids, (oid) => body.int32(oid));
  },
};

export const extendedQueryFromFrontend = [
  parse,
  bind,
  describe,
  execute,
  close,
  bare(FRONTEND_TYPE.FLUSH, 'Flush'),
  bare(FRONTEND_TYPE.SYNC, 'Sync'),
];
export const extendedQueryFromBackend = [
  bare(BACKEND_TYPE.PARSE_COMPLETE, 'ParseComplete'),
  bare(BACKEND_TYPE.BIND_COMPLETE, 'BindComplete'),
  bare(BACKEND_TYPE.CLOSE_COMPLETE, 'CloseComplete'),
  parameterDescription,
  bare(BACKEND_TYPE.NO_DATA, 'NoData'),
  bare(BACKEND_TYPE.PORTAL_SUSPENDED, 'PortalSuspended'),
];
