/**
 * What is looked at in a page that has been drawn. Each runs in the browser, so it takes nothing from outside itself; each
 * gives what is wrong, in words.
 */

/** What of the DOM is used here: its own types would be there for all code of this project. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly width: number;
  readonly height: number;
}
interface PageNode {
  readonly nodeType: number;
  textContent: string | null;
}
interface PageElement extends PageNode {
  readonly id: string;
  readonly tagName: string;
  readonly outerHTML: string;
  readonly parentElement: PageElement | null;
  readonly childNodes: Iterable<PageNode>;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  closest(selector: string): PageElement | null;
  matches(selector: string): boolean;
  getAttribute(name: string): string | null;
  getBoundingClientRect(): Box;
  append(child: PageElement): void;
}
declare const document: PageElement & {
  readonly documentElement: PageElement & { readonly scrollWidth: number };
  readonly head: PageElement;
  getElementById(id: string): PageElement | null;
  createElement(name: string): PageElement;
};
declare const innerWidth: number;
declare function getComputedStyle(element: PageElement): {
  readonly fill: string;
  readonly stroke: string;
  readonly color: string;
  readonly backgroundColor: string;
};

/** Texts of a chart that touch one another, leave it, or lie on a bar. */
export function textsThatCollide(): string[] {
  /** px; letters have edges beyond their place. */
  const OUT = 1.5;
  const wrong: string[] = [];
  for (const svg of document.querySelectorAll('svg.chart')) {
    const frame = svg.getBoundingClientRect();
    if (frame.width === 0) continue;
    const name = svg.querySelector('title')?.textContent ?? '';
    const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent !== '');
    const boxes = texts.map((text) => text.getBoundingClientRect());
    const bars = [...svg.querySelectorAll('rect:not(.ground)')].map((bar) => bar.getBoundingClientRect());
    // A line's box is taller than its letters.
    const touch = (one: Box, other: Box) =>
      one.left < other.right - 0.5 &&
      other.left < one.right - 0.5 &&
      one.top < other.bottom - one.height * 0.2 &&
      other.top < one.bottom - one.height * 0.2;
    for (const [index, box] of boxes.entries()) {
      const text = texts[index]?.textContent ?? '';
      const inside =
        box.left >= frame.left - OUT &&
        box.right <= frame.right + OUT &&
        box.top >= frame.top - OUT &&
        box.bottom <= frame.bottom + OUT;
      if (!inside) wrong.push(`${name}: "${text}" leaves the drawing`);
      for (let other = index + 1; other < boxes.length; other++) {
        if (touch(box, boxes[other] as Box)) wrong.push(`${name}: "${text}" touches "${texts[other]?.textContent}"`);
      }
      if (bars.some((bar) => touch(box, bar))) wrong.push(`${name}: "${text}" lies on a bar`);
    }
  }
  return wrong;
}

/** Text with a contrast below 4.5 to its ground, and what is drawn with one below 3: WCAG 2.2, 1.4.3 and 1.4.11. */
export function weakColours(): string[] {
  type Colour = readonly [red: number, green: number, blue: number, alpha: number];
  const parse = (text: string): Colour => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    return [red, green, blue, text === 'none' ? 0 : alpha];
  };
  /** WCAG 2.2, relative luminance. */
  const luminance = ([red, green, blue]: Colour): number => {
    const linear = (channel: number) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  };
  const contrast = (one: Colour, other: Colour): number => {
    const [light, dark] = [luminance(one), luminance(other)].sort((first, second) => second - first) as [
      number,
      number,
    ];
    return (light + 0.05) / (dark + 0.05);
  };
  const groundOf = (element: PageElement): Colour => {
    const standalone = element.closest('svg')?.querySelector('rect.ground');
    if (standalone) return parse(getComputedStyle(standalone).fill);
    for (let next: PageElement | null = element; next; next = next.parentElement) {
      const colour = parse(getComputedStyle(next).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
  };
  const wrong = new Set<string>();
  const check = (element: PageElement, colour: string, least: number) => {
    const found = contrast(parse(colour), groundOf(element));
    if (parse(colour)[3] > 0 && found < least) {
      const what = element.textContent?.slice(0, 30) || element.getAttribute('class');
      wrong.add(`${element.tagName} ${what}: ${colour} has a contrast of ${found.toFixed(2)}`);
    }
  };
  for (const text of document.querySelectorAll('svg.chart text')) check(text, getComputedStyle(text).fill, 4.5);
  for (const shape of document.querySelectorAll('svg.chart path, svg.chart rect')) {
    if (shape.matches('.rule, .axis, .ground')) continue;
    const { fill, stroke } = getComputedStyle(shape);
    check(shape, fill, 3);
    check(shape, stroke, 3);
  }
  for (const element of document.querySelectorAll('body *:not(svg, svg *)')) {
    const TEXT_NODE = 3;
    const hasText = [...element.childNodes].some((node) => node.nodeType === TEXT_NODE && node.textContent?.trim());
    if (hasText) check(element, getComputedStyle(element).color, 4.5);
  }
  return [...wrong];
}

/** What reaches beyond the width of the window. */
export function overflow(): string[] {
  const wrong: string[] = [];
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > innerWidth) wrong.push(`the page is ${scrollWidth} px wide in a window of ${innerWidth}`);
  for (const element of document.querySelectorAll('body *:not(svg *, thead, thead *)')) {
    const { right, width } = element.getBoundingClientRect();
    if (width > 0 && right > innerWidth + 0.5) {
      wrong.push(`${element.tagName} "${element.textContent?.slice(0, 40)}" ends at ${right.toFixed(0)} px`);
    }
  }
  return wrong.slice(0, 10);
}

/** Everything that could run or fetch. */
export function activeContent(): string[] {
  const found = [
    ...document.querySelectorAll('script, img, iframe, object, embed, foreignObject, [onerror], [onload]'),
  ];
  return found.map(({ outerHTML }) => outerHTML.slice(0, 80));
}

/** Charts that say nothing to those who do not see them. */
export function unnamedCharts(): string[] {
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  const wrong = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `the id ${id} is there twice`);
  for (const svg of document.querySelectorAll('svg.chart')) {
    const named = (svg.getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id));
    const texts = named.map((element) => element?.textContent?.trim());
    if (svg.getAttribute('role') !== 'img' || texts.length !== 2 || texts.some((text) => !text)) {
      wrong.push(`${svg.outerHTML.slice(0, 120)} has no name or no description`);
    }
  }
  return wrong;
}

/** Changes the page: charts in the widest of the usual fonts. */
export function useWiderFont(): void {
  const style = document.createElement('style');
  style.textContent = 'svg.chart text { font-family: "DejaVu Sans", Verdana, sans-serif !important }';
  document.head.append(style);
}

/** Of each bar from the top, as a part of what lies between the lines at 0 and at 1. */
export function barLengths(): number[] {
  const svg = document.getElementById('round-trips-echo-wide-title')?.closest('svg');
  const lefts = (selector: string) =>
    [...(svg?.querySelectorAll(selector) ?? [])].map((element) => element.getBoundingClientRect().left);
  const unit = (lefts('path.rule')[0] ?? 0) - (lefts('path.axis')[0] ?? 0);
  const bars = [...(svg?.querySelectorAll('rect[height="16"]') ?? [])];
  return bars.map((bar) => bar.getBoundingClientRect().width / unit);
}

/** Of the waterfall of the case `turbo`. */
export function drawnPackets(): { udp: number; all: number; lost: number } {
  const svg = document.getElementById('waterfall-turbo-wide-title')?.closest('svg');
  const count = (selector: string) => [...(svg?.querySelectorAll(selector) ?? [])].length;
  return { udp: count('.udp.arrow'), all: count('.arrow'), lost: count('[stroke-width="2"]') };
}

/** Which kinds of drawings are shown. */
export function shownKinds(): (string | null)[] {
  const shown = [...document.querySelectorAll('svg.chart')].filter((svg) => svg.getBoundingClientRect().width > 0);
  return [...new Set(shown.map((svg) => svg.getAttribute('class')))];
}

/** Where a file is not the XML that it should be. */
export function parserError(): string {
  return document.querySelector('parsererror')?.textContent ?? '';
}
