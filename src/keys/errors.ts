/** Every error of keys that are in a PKCS#11 token, one stable code per failure. */
import { CodedError, type CodedErrorOptions } from '../coded-error.js';

/** What happened, by code. The text is the start of the message; details follow it. */
export const keyErrorTexts = {
  ERR_KEY_URI: 'The PKCS#11 URI of a key cannot be used',
  ERR_KEY_PIN: 'The PIN of a token cannot be used',
  ERR_KEY_UNSUPPORTED: 'This Node.js does not use keys of PKCS#11 tokens',
  ERR_KEY_ENGINE: 'The OpenSSL engine for PKCS#11 cannot be loaded',
  ERR_KEY_MODULE: 'The PKCS#11 module cannot be loaded',
  ERR_KEY_SERVICE: 'The process that holds the key cannot be reached',
  ERR_KEY_NOT_FOUND: 'There is no such private key',
  ERR_KEY_MISMATCH: 'The key in the token is not the key of the certificate',
  ERR_KEY_SIGN: 'The token does not sign with the key',
  ERR_KEY_TIMEOUT: 'The token did not sign within the time limit',
  ERR_KEY_LOST: 'The key is lost to this process',
} as const;

export type KeyErrorCode = keyof typeof keyErrorTexts;

export class KeyError extends CodedError<KeyErrorCode> {
  override readonly name = 'KeyError';

  /** @param detail what is particular to this case, and what to do; never a PIN. */
  constructor(code: KeyErrorCode, detail?: string, options?: CodedErrorOptions) {
    super(code, keyErrorTexts[code], detail, options);
  }
}
