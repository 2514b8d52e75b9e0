/**
 * A program that serves until it is told to stop.
 *
 *     SIGHUP           reload
 *     SIGTERM, SIGINT  drain: nothing new, what is open may end until the deadline; a second one: at once
 */
import { dropLogs } from '../gateway/ops/index.js';
import { EXIT, type ExitCode } from './exit.js';

export interface Service {
  reload(): Promise<void>;
  /** Resolves when everything is over. */
  drain(): Promise<void>;
  /** Resolves when it can only go on in another process: it is drained then, and the program has failed. */
  readonly spent?: Promise<undefined>;
}

const STOP: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];

/** Starts a service and serves; a signal that comes while it starts is not lost. */
export async function serve(start: () => Promise<Service>): Promise<ExitCode> {
  let stop: (signal: NodeJS.Signals) => void = () => {};
  let told: NodeJS.Signals | undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = (signal) => {
      told ??= signal;
      resolve();
    };
  });
  for (const signal of STOP) process.on(signal, stop);
  const starting = start();
  let service: Service | undefined;
  let reloading: Promise<void> = starting.then(
    (started) => {
      service = started;
    },
    () => {},
  );
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => service?.reload());
  });
  try {
    await starting;
  } catch (error) {
    // Who ends all processes of a group ends those, too, that were to serve.
    if (told === undefined) throw error;
  }
  await Promise.race([stopped, ...(service?.spent ? [service.spent] : [])]);
  const endNow = () => {
    dropLogs();
    process.exit(EXIT.interrupted);
  };
  for (const each of STOP) process.on(each, endNow);
  await reloading;
  await service?.drain();
  if (told === undefined) return EXIT.failed;
  return told === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}
