/** How pictures on standard output are drawn. */

/** Blocks where the locale has them, colours where there is a terminal that takes them (https://no-color.org). */
export function terminalStyle() {
  const { stdout, env } = process;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return {
    width: stdout.columns || 80,
    colour: stdout.isTTY === true && !env.NO_COLOR && stdout.hasColors(),
    unicode: stdout.isTTY === true && /utf-?8/i.test(locale),
  };
}
