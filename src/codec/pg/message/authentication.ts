/** Authentication: what the backend asks, type 'R', and what the frontend answers, type 'p'. */
import { AUTHENTICATION, BACKEND_TYPE, FRONTEND_TYPE, MD5_SALT_LENGTH } from '../constants.js';
import { PgError } from '../errors.js';
import type { FrontendMessageOf, MessageCodec } from '../message-codec.js';
import type { AuthenticationMessage, PasswordPhaseMessage } from '../messages.js';
import { Reader } from '../reader.js';
import type { Writer } from '../writer.js';

const request: MessageCodec<AuthenticationMessage> = {
  type: BACKEND_TYPE.AUTHENTICATION,
  names: [
    'AuthenticationOk',
    'AuthenticationCleartextPassword',
    'AuthenticationMD5Password',
    'AuthenticationSASL',
    'AuthenticationSASLContinue',
    'AuthenticationSASLFinal',
    'AuthenticationOther',
  ],
  decode: (body) => {
    const method = body.int32();
    switch (method) {
      case AUTHENTICATION.OK:
        return { name: 'AuthenticationOk' };
      case AUTHENTICATION.CLEARTEXT_PASSWORD:
        return { name: 'AuthenticationCleartextPassword' };
      case AUTHENTICATION.MD5_PASSWORD:
        return { name: 'AuthenticationMD5Password', salt: body.bytes(MD5_SALT_LENGTH) };
      case AUTHENTICATION.SASL:
        return { name: 'AuthenticationSASL', mechanisms: mechanisms(body) };
      case AUTHENTICATION.SASL_CONTINUE:
        return { name: 'AuthenticationSASLContinue', data: body.rest() };
      case AUTHENTICATION.SASL_FINAL:
        return { name: 'AuthenticationSASLFinal', data: body.rest() };
      default:
        return { name: 'AuthenticationOther', method, data: body.rest() };
    }
  },
  encode: (message, body) => {
    switch (message.name) {
      case 'AuthenticationOk':
        body.int32(AUTHENTICATION.OK);
        return;
      case 'AuthenticationCleartextPassword':
        body.int32(AUTHENTICATION.CLEARTEXT_PASSWORD);
        return;
      case 'AuthenticationMD5Password':
        body.int32(AUTHENTICATION.MD5_PASSWORD).bytes(checkedSalt(message.salt));
        return;
      case 'AuthenticationSASL':
        body.int32(AUTHENTICATION.SASL);
        for (const mechanism of message.mechanisms) writeMechanism(mechanism, body);
        body.byte(0);
        return;
      case 'AuthenticationSASLContinue':
        body.int32(AUTHENTICATION.SASL_CONTINUE).bytes(message.data);
        return;
      case 'AuthenticationSASLFinal':
        body.int32(AUTHENTICATION.SASL_FINAL).bytes(message.data);
        return;
      case 'AuthenticationOther':
        body.int32(message.method).bytes(message.data);
    }
  },
};

/** Names up to an empty one. */
function mechanisms(body: Reader): string[] {
  const names: string[] = [];
  for (let name = body.string(); name !== ''; name = body.string()) names.push(name);
  return names;
}

function writeMechanism(mechanism: string, body: Writer): void {
  if (mechanism === '') throw new PgError('ERR_PG_BAD_VALUE', 'a SASL mechanism without a name ends the list');
  body.string(mechanism);
}

function checkedSalt(salt: Buffer): Buffer {
  if (salt.length === MD5_SALT_LENGTH) return salt;
  throw new PgError('ERR_PG_BAD_VALUE', `a salt of ${salt.length} bytes`);
}

type PasswordMessage = PasswordPhaseMessage | FrontendMessageOf<'PasswordOrSASL'>;

const response: MessageCodec<PasswordMessage> = {
  type: FRONTEND_TYPE.PASSWORD,
  names: ['PasswordOrSASL', 'PasswordMessage', 'SASLInitialResponse', 'SASLResponse', 'GSSResponse'],
  decode: (body) => ({ name: 'PasswordOrSASL', body: body.rest() }),
  encode: (message, body) => {
    switch (message.name) {
      case 'PasswordMessage':
        body.string(message.password);
        return;
      case 'SASLInitialResponse':
        body.string(message.mechanism).value(message.data);
        return;
      case 'SASLResponse':
      case 'GSSResponse':
        body.bytes(message.data);
        return;
      case 'PasswordOrSASL':
        body.bytes(message.body);
    }
  },
};

/**
 * The body of a PasswordOrSASL where a PasswordMessage is expected.
 * @throws PgError ERR_PG_PROTOCOL where it is none, as from the other two
 */
export function decodePasswordMessage(body: Buffer): FrontendMessageOf<'PasswordMessage'> {
  const reader = new Reader().reset('PasswordMessage', body, 0, body.length);
  const password = reader.string();
  reader.expectEnd();
  return { name: 'PasswordMessage', password };
}

/** The same where a SASLInitialResponse is expected; `data` is null where the client sends nothing yet. */
export function decodeSASLInitialResponse(body: Buffer): FrontendMessageOf<'SASLInitialResponse'> {
  const reader = new Reader().reset('SASLInitialResponse', body, 0, body.length);
  const mechanism = reader.string();
  const data = reader.value();
  reader.expectEnd();
  return { name: 'SASLInitialResponse', mechanism, data };
}

/** The same where a SASLResponse is expected: all of it is data. */
export function decodeSASLResponse(body: Buffer): FrontendMessageOf<'SASLResponse'> {
  return { name: 'SASLResponse', data: body };
}

/** The same where a GSSResponse is expected: all of it is data. */
export function decodeGSSResponse(body: Buffer): FrontendMessageOf<'GSSResponse'> {
  return { name: 'GSSResponse', data: body };
}

export const authenticationFromBackend = [request];
export const authenticationFromFrontend = [response];
