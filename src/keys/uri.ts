/**
 * PKCS#11 URIs (RFC 7512), as far as they name one private key:
 *
 *     pkcs11:token=web;object=example.com?pin-source=file:/etc/turbotls/pin
 */
import { KeyError } from './errors.js';

/** RFC 7512, section 2.3; what the engine (libp11) knows of it. */
const PATH_ATTRIBUTES = ['token', 'manufacturer', 'serial', 'model', 'object', 'id', 'type'];
const QUERY_ATTRIBUTES = ['pin-source', 'module-path'];

/** pk11-res-avail and unreserved, with '&' in the path and '/', '?', '|' in the query. */
const PATH_VALUE = /^(?:[\w.~:[\]@!$'()*+,=&-]|%[0-9a-f]{2})*$/i;
const QUERY_VALUE = /^(?:[\w.~:[\]@!$'()*+,=/?|-]|%[0-9a-f]{2})*$/i;

/** Where the PIN is read. It is never part of the URI: URIs are logged. */
export type PinSource = { file: string } | { variable: string };

export interface KeyUri {
  /** Without its query, as it was given: good for messages. */
  readonly path: string;
  readonly pin: PinSource | undefined;
  /** Path of the module. */
  readonly module: string | undefined;
}

/** @throws KeyError ERR_KEY_URI */
export function parseKeyUri(uri: string): KeyUri {
  const [, path, query] = uri.match(/^pkcs11:([^?]*)(?:\?(.*))?$/s) ?? [];
  if (path === undefined) throw new KeyError('ERR_KEY_URI', 'it begins with "pkcs11:" (RFC 7512)');
  const which = attributesOf(path, { separator: ';', known: PATH_ATTRIBUTES, pattern: PATH_VALUE });
  const how = attributesOf(query ?? '', { separator: '&', known: QUERY_ATTRIBUTES, pattern: QUERY_VALUE });
  if (!which.has('token') && !which.has('serial')) throw new KeyError('ERR_KEY_URI', 'it needs token=… or serial=…');
  if (!which.has('object') && !which.has('id')) throw new KeyError('ERR_KEY_URI', 'it needs object=… or id=…');
  if ((which.get('type') ?? 'private') !== 'private') throw new KeyError('ERR_KEY_URI', 'its type can only be private');
  return { path: `pkcs11:${path}`, pin: pinSourceOf(how.get('pin-source')), module: how.get('module-path') };
}

interface Rules {
  separator: string;
  known: readonly string[];
  pattern: RegExp;
}

/** Values decoded. No message has one of them: a PIN may be among them. */
function attributesOf(text: string, { separator, known, pattern }: Rules): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const part of text === '' ? [] : text.split(separator)) {
    const [name = '', ...rest] = part.split('=');
    const value = rest.join('=');
    if (name === 'pin-value') {
      throw new KeyError('ERR_KEY_URI', 'pin-value would show the PIN to all who see the URI: use pin-source=file:/…');
    }
    if (!known.includes(name)) {
      throw new KeyError('ERR_KEY_URI', `it has an attribute that is none of ${known.join(', ')}`);
    }
    if (rest.length === 0 || value === '') throw new KeyError('ERR_KEY_URI', `${name} has no value`);
    if (attributes.has(name)) throw new KeyError('ERR_KEY_URI', `${name} is there twice`);
    if (!pattern.test(value)) {
      throw new KeyError('ERR_KEY_URI', `${name} has characters that must be percent-encoded (RFC 7512, section 2.3)`);
    }
    attributes.set(name, decode(value));
  }
  return attributes;
}

/** An id is bytes, which need not be text; nothing here looks at them. */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** RFC 7512 leaves open what a source is: a file here, and the environment as env:NAME. */
function pinSourceOf(source: string | undefined): PinSource | undefined {
  if (source === undefined) return undefined;
  const [, variable] = source.match(/^env:(\w+)$/) ?? [];
  if (variable !== undefined) return { variable };
  const [, file] = source.match(/^(?:file:(?:\/\/)?)?(\/[^/\0][^\0]*)$/) ?? [];
  if (file !== undefined) return { file };
  throw new KeyError('ERR_KEY_URI', 'pin-source is file:/absolute/path or env:NAME');
}
