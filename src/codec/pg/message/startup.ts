/** How a connection begins: the messages without a type, and what the backend says of itself before it is ready. */
import {
  BACKEND_TYPE,
  CANCEL_REQUEST_CODE,
  GSSENC_REQUEST_CODE,
  PROTOCOL_MAJOR,
  SECRET_KEY_MAX,
  SECRET_KEY_MIN,
  SSL_REQUEST_CODE,
} from '../constants.js';
import { PgError } from '../errors.js';
import type { BackendMessageOf, MessageCodec } from '../message-codec.js';
import type { StartupPhaseMessage } from '../messages.js';
import type { Reader } from '../reader.js';
import type { Writer } from '../writer.js';

/** A message without a type: its first Int32, a version or a code in its place, says what it is. */
export function decodeStartupPhase(body: Reader): StartupPhaseMessage {
  const code = body.int32();
  switch (code) {
    case SSL_REQUEST_CODE:
      return { name: 'SSLRequest' };
    case GSSENC_REQUEST_CODE:
      return { name: 'GSSENCRequest' };
    case CANCEL_REQUEST_CODE:
      return { name: 'CancelRequest', processId: body.int32(), secretKey: secretKey(body) };
    default:
      return startupMessage(code, body);
  }
}

export function encodeStartupPhase(message: StartupPhaseMessage, body: Writer): void {
  switch (message.name) {
    case 'SSLRequest':
      body.int32(SSL_REQUEST_CODE);
      return;
    case 'GSSENCRequest':
      body.int32(GSSENC_REQUEST_CODE);
      return;
    case 'CancelRequest':
      body.int32(CANCEL_REQUEST_CODE).int32(message.processId).bytes(checkedKey(message.secretKey));
      return;
    case 'StartupMessage':
      body.int32(message.version);
      for (const [parameter, value] of message.parameters) writeParameter(parameter, value, body);
      body.byte(0);
  }
}

/** Where a parameter comes twice the last one counts, as in PostgreSQL. */
function startupMessage(version: number, body: Reader): StartupPhaseMessage {
  if (version >> 16 !== PROTOCOL_MAJOR) body.fail(`protocol ${version >>> 16}.${version & 0xffff} is not supported`);
  const parameters = new Map<string, string>();
  for (let parameter = body.string(); parameter !== ''; parameter = body.string()) {
    parameters.set(parameter, body.string());
  }
  return { name: 'StartupMessage', version, parameters };
}

function writeParameter(parameter: string, value: string, body: Writer): void {
  if (parameter === '') throw new PgError('ERR_PG_BAD_VALUE', 'a startup parameter without a name ends the message');
  body.string(parameter).string(value);
}

function secretKey(body: Reader): Buffer {
  if (body.left < SECRET_KEY_MIN || body.left > SECRET_KEY_MAX) body.fail(`a key of ${body.left} bytes`);
  return body.rest();
}

function checkedKey(key: Buffer): Buffer {
  if (key.length >= SECRET_KEY_MIN && key.length <= SECRET_KEY_MAX) return key;
  throw new PgError('ERR_PG_BAD_VALUE', `a cancel key of ${key.length} bytes`);
}

const backendKeyData: MessageCodec<BackendMessageOf<'BackendKeyData'>> = {
  type: BACKEND_TYPE.BACKEND_KEY_DATA,
  names: ['BackendKeyData'],
  decode: (body) => ({ name: 'BackendKeyData', processId: body.int32(), secretKey: secretKey(body) }),
  encode: (message, body) => {
    body.int32(message.processId).bytes(checkedKey(message.secretKey));
  },
};

const negotiateProtocolVersion: MessageCodec<BackendMessageOf<'NegotiateProtocolVersion'>> = {
  type: BACKEND_TYPE.NEGOTIATE_PROTOCOL_VERSION,
  names: ['NegotiateProtocolVersion'],
  decode: (body) => {
    const version = body.int32();
    const length = body.checkCount(body.int32(), 1);
    return { name: 'NegotiateProtocolVersion', version, options: Array.from({ length }, () => body.string()) };
  },
  encode: ({ version, options }, body) => {
    body.int32(version).int32(options.length);
    for (const option of options) body.string(option);
  },
};

export const startupFromBackend = [backendKeyData, negotiateProtocolVersion];
