/** From values to places on an axis. */

export interface Scale {
  at(value: number): number;
  ticks: readonly number[];
}

/** From 0, or the given start. */
export function linearScale(from: number, to: number, start: number, end: number, ticks: readonly number[]): Scale {
  const span = to - from || 1;
  return { at: (value) => start + ((value - from) / span) * (end - start), ticks };
}

/** Both bounds above 0. */
export function logScale(from: number, to: number, start: number, end: number, ticks: readonly number[]): Scale {
  const { at } = linearScale(Math.log(from), Math.log(to), start, end, []);
  return { at: (value) => at(Math.log(Math.max(value, from))), ticks };
}

/** 0 and the multiples of 1, 2 or 5 times a power of ten, at most so many, the last at or above the value. */
export function niceTicks(to: number, count: number, least = 0): number[] {
  const step = Math.max(least, niceStep((to || 1) / count));
  return Array.from({ length: Math.ceil(to / step - 1e-9) + 1 }, (_, index) => Number((index * step).toPrecision(6)));
}

/** 1, 2 or 5 times a power of ten, at least the value. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return Number((power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10)).toPrecision(6));
}

/** Such as 50, 100, 200, 500, 1000: the first at or below, the last at or above; only 1 and 10 where there is no room. */
export function logTicks(from: number, to: number, count: number): number[] {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks: number[] = [];
    for (let power = Math.floor(Math.log10(from)) - 1; power <= Math.ceil(Math.log10(to)) + 1; power++) {
      ticks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(6))));
    }
    const first = ticks.findLastIndex((tick) => tick <= from * (1 + 1e-9));
    const last = ticks.findIndex((tick) => tick >= to * (1 - 1e-9));
    const chosen = ticks.slice(Math.max(0, first), last + 1);
    if (chosen.length <= count || factors.length === 1) return chosen;
  }
  return [];
}

export function tickText(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}
