import { missingForKeys } from '../servers/key-process.js';
import { skipUnlessCI } from '../support/skip.js';

/** For a `before` hook: SoftHSM, p11-kit and OpenSSL's engine, or a line that says what is missing; CI fails. */
export function requireKeyProcess(context: Mocha.Context): void {
  const missing = missingForKeys();
  if (missing.length > 0) skipUnlessCI(context, missing.join('; '));
}
