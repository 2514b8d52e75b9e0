import { findPart, howToInstall, type Part } from './parts.js';

/**
 * For a `before` hook or the start of a test: where the part is missing, a developer's run says so and skips, CI's fails.
 *
 *     before(function () {
 *       requirePart(this, 'redis-server');
 *     });
 */
export function requirePart(context: Mocha.Context, part: Part): void {
  if (findPart(part) !== undefined) return;
  if (process.env.CI === 'true') throw new Error(`${howToInstall(part)}, and CI needs it`);
  console.log(`    skipped: ${howToInstall(part)}`);
  context.skip();
}
