/** What the backend may say at any time: errors, notices, notifications, parameters that changed. */
import { BACKEND_TYPE } from '../constants.js';
import { PgError } from '../errors.js';
import type { BackendMessageOf, MessageCodec } from '../message-codec.js';
import type { NoticeFields } from '../messages.js';
import type { Reader } from '../reader.js';
import type { Writer } from '../writer.js';

const errorResponse: MessageCodec<BackendMessageOf<'ErrorResponse'>> = {
  type: BACKEND_TYPE.ERROR_RESPONSE,
  names: ['ErrorResponse'],
  decode: (body) => ({ name: 'ErrorResponse', fields: readFields(body) }),
  encode: (message, body) => writeFields(message.fields, body),
};

const noticeResponse: MessageCodec<BackendMessageOf<'NoticeResponse'>> = {
  type: BACKEND_TYPE.NOTICE_RESPONSE,
  names: ['NoticeResponse'],
  decode: (body) => ({ name: 'NoticeResponse', fields: readFields(body) }),
  encode: (message, body) => writeFields(message.fields, body),
};

/** A byte that says which field, and its text, up to a zero byte. */
function readFields(body: Reader): NoticeFields {
  const fields: Record<string, string> = {};
  for (let code = body.byte(); code !== 0; code = body.byte()) fields[String.fromCharCode(code)] = body.string();
  return fields;
}

function writeFields(fields: NoticeFields, body: Writer): void {
  for (const [code, text] of Object.entries(fields)) {
    if (code.length !== 1 || code === '\0') throw new PgError('ERR_PG_BAD_VALUE', `'${code}' is no field's code`);
    body.byte(code.charCodeAt(0)).string(text);
  }
  body.byte(0);
}

const notificationResponse: MessageCodec<BackendMessageOf<'NotificationResponse'>> = {
  type: BACKEND_TYPE.NOTIFICATION_RESPONSE,
  names: ['NotificationResponse'],
  decode: (body) => ({
    name: 'NotificationResponse',
    processId: body.int32(),
    channel: body.string(),
    payload: body.string(),
  }),
  encode: (message, body) => {
    body.int32(message.processId).string(message.channel).string(message.payload);
  },
};

const parameterStatus: MessageCodec<BackendMessageOf<'ParameterStatus'>> = {
  type: BACKEND_TYPE.PARAMETER_STATUS,
  names: ['ParameterStatus'],
  decode: (body) => ({ name: 'ParameterStatus', parameter: body.string(), value: body.string() }),
  encode: (message, body) => {
    body.string(message.parameter).string(message.value);
  },
};

export const statusFromBackend = [errorResponse, noticeResponse, notificationResponse, parameterStatus];
