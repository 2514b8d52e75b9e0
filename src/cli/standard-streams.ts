/** What the program's processes say on standard error, and when nobody reads standard output any more. */
import { EXIT } from './exit.js';

/** Whoever runs the program has chosen TurboTLS: that its library may change is not news to them. */
export function quietExperimental(): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') console.error(`turbotls: ${warning.name}: ${warning.message}`);
  });
}

/** `turbotls ping … | head`: nobody reads on. */
export function endWithReader(): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
    process.exit(code === 'EPIPE' ? EXIT.ok : EXIT.failed),
  );
}
