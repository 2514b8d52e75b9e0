/** The text of a configuration file, YAML or JSON, as a value whose parts know their line. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ConfigProblem, Path } from './problems.js';

export interface Source {
  json: unknown;
  /** From 1: of the value at this path, or of what is nearest above it. */
  lineOf: (path: Path) => number | undefined;
  /** What made the text unreadable; `json` is undefined then. */
  errors: ConfigProblem[];
}

/**
 * JSON is read as the YAML that it is (YAML 1.2, section 1.3): one reader, and every value has its line.
 * @param strict the text must be JSON, not only YAML
 */
export function readSource(text: string, { strict = false } = {}): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const errors: ConfigProblem[] = document.errors.map(({ message, pos }) => ({
    path: '',
    message,
    line: lines.linePos(pos[0]).line,
  }));
  const notJson = strict ? jsonError(text) : undefined;
  if (errors.length === 0 && notJson !== undefined) errors.push(notJson);
  if (errors.length > 0) return { json: undefined, lineOf: () => undefined, errors };
  const lineOf = (path: Path) => {
    const offset = offsetOf(document, path);
    return offset === undefined ? undefined : lines.linePos(offset).line;
  };
  try {
    return { json: document.toJS(), lineOf, errors: [] };
  } catch (error) {
    // Aliases that unfold without end.
    return { json: undefined, lineOf, errors: [{ path: '', message: (error as Error).message }] };
  }
}

/** Such as a comma too many or a value too few: YAML takes those. */
function jsonError(text: string): ConfigProblem | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return { path: '', message: (error as Error).message };
  }
}

function offsetOf(document: Document, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const step of path) {
    const below = child(unaliased(document, node), step);
    if (below === undefined) return offset;
    offset = below.offset ?? offset;
    node = below.node;
  }
  return offset;
}

function child(node: unknown, step: string | number): { node: unknown; offset: number | undefined } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step];
    return isNode(item) ? { node: item, offset: item.range?.[0] } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : key) === String(step));
  return pair === undefined ? undefined : { node: pair.value, offset: (pair.key as Node).range?.[0] };
}

function unaliased(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}
