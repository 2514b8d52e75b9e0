/** What the fuzz tests of the matrix share. */
import type { Random } from '../simulator/random.js';
import { byForm } from './support.js';

/** Memory in use at the end, beside what was in use when all had warmed up. */
export const GROWTH_MAX = 16 * 1024 * 1024;
export const TIMEOUT_MS = byForm({ short: 180_000, long: 7_200_000 });

/** Makes inputs of one kind after another: valid ones, such with one thing changed, noise; and counts them. */
export abstract class FuzzSource<Kind> {
  protected readonly random: Random;
  structured = 0;
  noise = 0;

  constructor(random: Random) {
    this.random = random;
  }

  next(kind: Kind): Buffer {
    if (this.random.chance(0.3)) {
      this.noise++;
      return this.makeNoise(kind);
    }
    this.structured++;
    return this.makeStructured(kind);
  }

  protected abstract makeNoise(kind: Kind): Buffer;
  protected abstract makeStructured(kind: Kind): Buffer;
}
