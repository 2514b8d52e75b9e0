/** How wide text will be. No browser is asked, so it is a bound: the widths of DejaVu Sans, wider than what most have. */

/** Of an em. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/[ijl.,:;'|!·‘’ ]/, 0.32],
  [/[frtI()[\]/-]/, 0.41],
  [/[mwMW%@…—×]/, 0.99],
  [/[A-Z]/, 0.72],
  [/[\u0020-\u024f]/, 0.64],
];
/** Of a character of another script. */
const WIDEST = 1;
const BOLD = 1.1;

/** px */
export function textWidth(text: string, size: number, weight: 'normal' | 'bold' = 'normal'): number {
  let ems = 0;
  for (const character of text) ems += WIDTHS.find(([characters]) => characters.test(character))?.[1] ?? WIDEST;
  return ems * size * (weight === 'bold' ? BOLD : 1);
}

/** The text, or its start and an ellipsis where it would be wider. */
export function fitted(text: string, width: number, size: number, weight: 'normal' | 'bold' = 'normal'): string {
  if (textWidth(text, size, weight) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, size, weight) > width) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}
