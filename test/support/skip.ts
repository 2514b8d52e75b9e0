/** Tests that this machine cannot run are skipped, and say why in one line. */
export function skip(context: Mocha.Context, why: string): void {
  console.log(`    skipped: ${why}`);
  context.skip();
}

/** For want of what CI must have: there it is a failure. */
export function skipUnlessCI(context: Mocha.Context, why: string): void {
  if (process.env.CI === 'true') throw new Error(`${why}, and CI needs it`);
  skip(context, why);
}
