let announced = false;

/** Emits Node's ExperimentalWarning at the first use of turbo in this process. */
export function announceExperimental(): void {
  if (announced) return;
  announced = true;
  process.emitWarning('turbotls/experimental may change between minor versions', 'ExperimentalWarning');
}
