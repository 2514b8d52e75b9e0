/** The machine that measures. */
import { availableParallelism, cpus, release } from 'node:os';
import type { Machine } from './model.js';

export function thisMachine(): Machine {
  const { arch, platform, version, versions } = process;
  return {
    node: version,
    openssl: versions.openssl,
    platform: `${platform} ${arch}`,
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
  };
}
