/**
 * WATCH belongs to a connection: where that is lost between WATCH and EXEC, the transaction would run unwatched on the
 * next one. It fails instead, as if a key had changed.
 */

/** `hold`: WATCH. `drop`: UNWATCH. `use`: a transaction, which ends it too. */
export type WatchEffect = 'hold' | 'drop' | 'use';

export class Watch {
  #state: 'none' | 'held' | 'lost' = 'none';

  /** Call as it is about to be sent. False: it must not be. */
  allows(effect: WatchEffect | undefined): boolean {
    if (effect === undefined) return true;
    const lost = this.#state === 'lost';
    if (effect !== 'hold') this.#state = 'none';
    else if (!lost) this.#state = 'held';
    return !(lost && effect === 'use');
  }

  onConnectionLost(): void {
    if (this.#state === 'held') this.#state = 'lost';
  }
}
