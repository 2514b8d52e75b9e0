/** Now, in ms on the clock of process.hrtime, which is one and the same for all processes of a Linux machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
