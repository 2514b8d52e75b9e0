/** The program, as it is built and installed. */
import { type Ended, type Program, run, start } from '../examples/programs.js';

export { type Ended, endPrograms, type Program } from '../examples/programs.js';

const MAIN = '../src/cli/main';

/** Logs are JSON, as they are where no terminal is. */
export function startTurbotls(...args: string[]): Program {
  return start(MAIN, args, { NO_COLOR: '1' });
}

export function runTurbotls(...args: string[]): Promise<Ended> {
  return run(MAIN, args);
}

/** The port of a log line that says `listening`. */
export async function portOf(program: Program): Promise<number> {
  const [, port] = await program.said(/"address":"(?:127\.0\.0\.1|\[::\]|0\.0\.0\.0):(\d+)","msg":"listening"/);
  return Number(port);
}
