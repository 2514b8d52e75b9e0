/**
 * Mocha's `spec` reporter, which also appends what it counted, and what failed and why, to the file TEST_TALLY: one line
 * of JSON for each run.
 */
const { appendFileSync } = require('node:fs');
const { Runner, reporters } = require('mocha');

module.exports = class TallyReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, { message }) => failed.push(`${test.fullTitle()}: ${message}`));
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const tally = { node: process.version, passes, failures, pending, failed };
      if (process.env.TEST_TALLY) appendFileSync(process.env.TEST_TALLY, `${JSON.stringify(tally)}\n`);
    });
  }
};
