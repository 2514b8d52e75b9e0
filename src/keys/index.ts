/** Private keys that are in another process, or in hardware: PKCS#11 tokens through OpenSSL's engine. docs/keys.md. */
export { KeyError, type KeyErrorCode, keyErrorTexts } from './errors.js';
export { KeyHealth, keyHealth } from './health.js';
export { DEFAULT_KEY_LIMITS, type KeyLimits } from './limits.js';
export type { EngineKey } from './load.js';
export { keysReturn, type Pkcs11KeyOptions, pkcs11Key } from './pkcs11-key.js';
export { type KeyUri, type PinSource, parseKeyUri } from './uri.js';
