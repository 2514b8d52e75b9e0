/** A key of a token, given to node:tls through OpenSSL's engine. */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { withPinFile } from './pin.js';
import type { KeyUri } from './uri.js';

/** By its name OpenSSL finds it in OPENSSL_ENGINES; by its path a second key would fail. */
export const ENGINE_NAME = 'pkcs11';

/** What node:tls is told of a key. */
export type EngineKey = Required<Pick<SecureContextOptions, 'privateKeyEngine' | 'privateKeyIdentifier'>>;

/**
 * Logs in to the token, for the life of the process: from then on the key is found without the PIN.
 * @param cert PEM
 * @throws KeyError ERR_KEY_PIN, and what tls.createSecureContext throws
 */
export function loadKey(cert: string, { path, pin }: Pick<KeyUri, 'path' | 'pin'>): SecureContext {
  const load = (query: string) => createSecureContext({ cert, ...engineKey(path, query) });
  if (pin === undefined) return load('');
  return withPinFile(pin, (file) => load(`?pin-source=file:${file.split('/').map(encodeURIComponent).join('/')}`));
}

export function engineKey(path: string, query = ''): EngineKey {
  return { privateKeyEngine: ENGINE_NAME, privateKeyIdentifier: path + query };
}
