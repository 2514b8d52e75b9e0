/** Time limits fall as tables fill: who is slow must not keep out who is not. */

/** From `relaxedMs` in a table that is half full at most, linearly down to `fullMs` in a full one. */
export function underPressure(relaxedMs: number, fullMs: number, fill: number): number {
  if (fullMs >= relaxedMs) return relaxedMs;
  const pressure = Math.min(1, Math.max(0, (fill - 0.5) * 2));
  return relaxedMs - (relaxedMs - fullMs) * pressure;
}
