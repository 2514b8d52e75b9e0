/** HTML and SVG as text in which nothing foreign can be markup: only what is written in a template is. */

export class Markup {
  readonly text: string;

  /** Of text that is known to be markup. */
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Markup | readonly Markup[] | string | number | undefined;

/**
 * A template: strings that are put in are escaped, for text and for attributes in double quotes alike; numbers are
 * those of a drawing, to a hundredth.
 */
export function markup(literals: TemplateStringsArray, ...parts: Part[]): Markup {
  let text = literals[0] ?? '';
  for (const [index, part] of parts.entries()) text += textOf(part) + literals[index + 1];
  return new Markup(text);
}

function textOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(Number(part.toFixed(2)));
  return part.map(({ text }) => text).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters have no place in XML, and those that turn the direction of text would turn what stands beside. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
