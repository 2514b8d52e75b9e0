/** Whose turn it is: actions one after the other, and work that has everything to itself. */
export class Turns {
  #waiting: (() => void)[] = [];
  #busy = false;

  /** At once, or when the work that is going on, and what waits already, is done. */
  run(action: () => void): void {
    if (this.#busy) this.#waiting.push(action);
    else action();
  }

  /** Nothing else has a turn until `work` is done. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.run(() => {
        this.#busy = true;
        work()
          .then(resolve, reject)
          .finally(() => this.#next());
      });
    });
  }

  #next(): void {
    this.#busy = false;
    while (!this.#busy) {
      const action = this.#waiting.shift();
      if (!action) return;
      action();
    }
  }
}
