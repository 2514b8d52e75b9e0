/**
 * Every error that turbotls itself raises, one stable code per failure; `docs/errors.md` explains each.
 *
 * Failures of TCP, DNS and TLS are not wrapped: they reach the caller as Node's own errors (ECONNREFUSED,
 * ERR_TLS_CERT_ALTNAME_INVALID, …), so that code written for node:tls goes on working.
 */

import { CodedError, type CodedErrorOptions } from './coded-error.js';

/** What happened, by code. The text is the start of the message; details follow it. */
export const errorTexts = {
  ERR_TURBO_BAD_OPTION: 'An option is not usable',
  ERR_TURBO_BAD_DATAGRAM: 'The bytes are not a turbotls datagram',
  ERR_TURBO_BAD_FRAME: 'The bytes are not the frame that is due here',
  ERR_TURBO_BAD_REPLY: 'The server answered the tombstone with something that is not a Reply',
  ERR_TURBO_SESSION_LOST: 'The server no longer has the session that its UDP answer promised',
  ERR_TURBO_REQUIRED: "mode is 'require' and the connection cannot run over TurboTLS",
  ERR_TURBO_HANDSHAKE_TIMEOUT: 'The TLS handshake did not end within its time limit',
  ERR_TURBO_FIRST_BYTES: 'The first bytes of the TCP connection belong to no protocol that is served here',
  ERR_TURBO_FIRST_BYTES_TIMEOUT: 'The TCP connection said nothing that can be routed within its time limit',
  ERR_TURBO_SESSION_EXPIRED: 'The session was not claimed over TCP within its lifetime',
  ERR_TURBO_LISTEN: 'The UDP port that belongs to the TCP port cannot be opened',
  ERR_TURBO_LISTENER_STATE: 'The listener is not in a state that allows this call',
  ERR_TURBO_LISTENER_CLOSED: 'The listener is closed',
  ERR_TURBO_ALREADY_ATTACHED: 'The server already has a TurboTLS port',
} as const;

export type TurboErrorCode = keyof typeof errorTexts;

export class TurboError extends CodedError<TurboErrorCode> {
  override readonly name = 'TurboError';

  /** @param detail what is particular to this case, and what to do; no secrets. */
  constructor(code: TurboErrorCode, detail?: string, options?: CodedErrorOptions) {
    super(code, errorTexts[code], detail, options);
  }
}
