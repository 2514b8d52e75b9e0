/** Times one connection, from its making on. */
import type { Phase, Sample } from '../model.js';

export class Stopwatch {
  /** What carried the first flights, where the client can tell. */
  carrier: Sample['carrier'];
  readonly #start = performance.now();
  readonly #phases = new Map<Phase['name'], number>();

  get elapsedMs(): number {
    return performance.now() - this.#start;
  }

  /** Again, after a client has connected anew: the last time counts. */
  reached(name: Phase['name'], atMs = this.elapsedMs): void {
    this.#phases.set(name, atMs);
  }

  /** The first useful byte is there. */
  sample(): Sample {
    const ms = this.elapsedMs;
    const phases = [...this.#phases].map(([name, atMs]) => ({ name, atMs }));
    return { ms, phases: phases.sort((a, b) => a.atMs - b.atMs), carrier: this.carrier };
  }
}
