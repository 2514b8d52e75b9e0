import { skipUnlessCI } from '../support/skip.js';
import { findPart, howToInstall, type Part } from './parts.js';

/**
 * For a `before` hook or the start of a test: where the part is missing, a developer's run says so and skips, CI's fails.
 *
 *     before(function () {
 *       requirePart(this, 'redis-server');
 *     });
 */
export function requirePart(context: Mocha.Context, part: Part): void {
  if (findPart(part) === undefined) skipUnlessCI(context, howToInstall(part));
}
