/** What pictures in a terminal have in common. */

export interface TerminalStyle {
  /** Columns. */
  width: number;
  colour: boolean;
  /** Block characters; ASCII otherwise. */
  unicode: boolean;
}

/** Escape codes (ECMA-48, SGR). */
export const INK = { bold: 1, faint: 2, red: 31, green: 32, cyan: 36 } as const;

export function paint({ colour }: TerminalStyle, code: number, text: string): string {
  return colour && text ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** What a server or a file has chosen must not reach the terminal as a command. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '?');
}

/** At most so many columns. */
export function shorten(text: string, columns: number, { unicode }: TerminalStyle): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  const end = unicode ? '…' : '...';
  if (columns <= end.length) return characters.slice(0, Math.max(0, columns)).join('');
  return `${characters
    .slice(0, columns - end.length)
    .join('')
    .trimEnd()}${end}`;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of so many columns, to an eighth of one where the terminal has the characters. */
export function bar(columns: number, { unicode }: TerminalStyle): string {
  if (!unicode) return '#'.repeat(Math.round(columns));
  const eighths = Math.round(columns * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}
