/** Lines that strangers can cause, in a second and at once. A disk that fills up is a gateway that stops. */
const LINES_PER_SECOND = 50;
const BURST = 200;

/** A token bucket that remembers how many it refused. */
export class LineBudget {
  readonly #now: () => number;
  #tokens = BURST;
  #filledAt: number;
  #omitted = 0;

  /** @param now ms of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#filledAt = now();
  }

  /** How many were refused since the last that was not; undefined where this one is refused. */
  take(): number | undefined {
    const now = this.#now();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) / 1000) * LINES_PER_SECOND);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      this.#omitted++;
      return undefined;
    }
    this.#tokens--;
    const omitted = this.#omitted;
    this.#omitted = 0;
    return omitted;
  }
}
