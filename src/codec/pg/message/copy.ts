/** COPY, both ways: how it begins, its data, how it ends. */
import { BACKEND_TYPE, COPY_DATA_TYPE, COPY_DONE_TYPE, FRONTEND_TYPE } from '../constants.js';
import { type BackendMessageOf, bare, type FrontendMessageOf, type MessageCodec } from '../message-codec.js';
import type { Format } from '../messages.js';
import type { Reader } from '../reader.js';

const copyData: MessageCodec<FrontendMessageOf<'CopyData'>> = {
  type: COPY_DATA_TYPE,
  names: ['CopyData'],
  decode: (body) => ({ name: 'CopyData', data: body.rest() }),
  encode: (message, body) => {
    body.bytes(message.data);
  },
};

const copyDone = bare(COPY_DONE_TYPE, 'CopyDone');

const copyFail: MessageCodec<FrontendMessageOf<'CopyFail'>> = {
  type: FRONTEND_TYPE.COPY_FAIL,
  names: ['CopyFail'],
  decode: (body) => ({ name: 'CopyFail', reason: body.string() }),
  encode: (message, body) => {
    body.string(message.reason);
  },
};

type CopyResponseName = 'CopyInResponse' | 'CopyOutResponse' | 'CopyBothResponse';

function copyResponse(type: number, name: CopyResponseName): MessageCodec<BackendMessageOf<CopyResponseName>> {
  return {
    type,
    names: [name],
    decode: (body) => ({ name, format: overallFormat(body), columnFormats: body.formats() }),
    encode: (message, body) => {
      body.byte(message.format).formats(message.columnFormats);
    },
  };
}

function overallFormat(body: Reader): Format {
  const format = body.byte();
  return format === 0 || format === 1 ? format : body.fail(`${format} is no format`);
}

export const copyFromFrontend = [copyData, copyDone, copyFail];
export const copyFromBackend = [
  copyData,
  copyDone,
  copyResponse(BACKEND_TYPE.COPY_IN_RESPONSE, 'CopyInResponse'),
  copyResponse(BACKEND_TYPE.COPY_OUT_RESPONSE, 'CopyOutResponse'),
  copyResponse(BACKEND_TYPE.COPY_BOTH_RESPONSE, 'CopyBothResponse'),
];
