/**
 * From a column's text to a JavaScript value, by the OID of its type. The defaults are those of node-postgres (pg-types
 * 2.2): bool → boolean; int2, int4, oid, float4, float8 → number; bytea → Buffer; date, timestamp, timestamptz → Date;
 * interval → PostgresInterval; point, circle → object; json, jsonb → what JSON.parse gives; most arrays of these → array.
 * All else stays text: int8 and numeric too, which a number cannot hold (though numeric[] becomes numbers, as there).
 *
 * It differs where node-postgres loses the value: an infinite interval is ±Infinity (there an empty interval), a date or
 * interval in a style other than ISO and postgres stays text (there null and an empty interval), text that no server
 * sends is an error (there null, half a value, or a loop without end).
 */
import { PgError } from '../errors.js';
import { arrayParser } from './array.js';
import { parseBytea } from './bytea.js';
import { parseDate } from './date.js';
import { parseCircle, parsePoint } from './geometry.js';
import { parseInterval } from './interval.js';
import { malformed } from './malformed.js';
import { arrayOid, typeOids } from './oids.js';

/** A value in text format to a JavaScript value. It is not called for NULL. */
export type TextParser = (text: string) => unknown;

/** Parsers by OID of the type. One for an element type serves its array type too, unless that has its own. */
export type TypeOverrides = Readonly<Record<number, TextParser>>;

/** `t` is what PostgreSQL writes; the others are what it reads, and what servers that imitate it may write. */
const truths: ReadonlySet<string> = new Set(['t', 'true', 'TRUE', 'y', 'yes', 'on', '1']);

const scalars: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [typeOids.bool, (text) => truths.has(text)],
  [typeOids.bytea, parseBytea],
  [typeOids.int2, parseInteger],
  [typeOids.int4, parseInteger],
  [typeOids.oid, parseInteger],
  [typeOids.float4, Number.parseFloat],
  [typeOids.float8, Number.parseFloat],
  [typeOids.json, parseJson],
  [typeOids.jsonb, parseJson],
  [typeOids.point, parsePoint],
  [typeOids.circle, parseCircle],
  [typeOids.date, parseDate],
  [typeOids.timestamp, parseDate],
  [typeOids.timestamptz, parseDate],
  [typeOids.interval, parseInterval],
]);

/** Types that stay text, and whose arrays become arrays of text. */
const textInArrays = [
  typeOids.int8,
  typeOids.text,
  typeOids.varchar,
  typeOids.bpchar,
  typeOids.uuid,
  typeOids.money,
  typeOids.time,
  typeOids.timetz,
  typeOids.inet,
  typeOids.cidr,
  typeOids.macaddr,
  typeOids.numrange,
  typeOids.regproc,
];

const arrays: ReadonlyMap<number, TextParser> = new Map([
  ...[...scalars].filter(([oid]) => oid !== typeOids.circle).flatMap(arrayEntry),
  ...textInArrays.flatMap((oid) => arrayEntry([oid, asText])),
  ...arrayEntry([typeOids.numeric, Number.parseFloat]),
]);

export class TypeRegistry {
  readonly #overrides: ReadonlyMap<number, TextParser>;

  /** @throws PgError ERR_PG_BAD_OPTION for a key that is not an OID or a parser that is not a function */
  constructor(overrides: TypeOverrides = {}) {
    const entries = Object.entries(overrides).map(checkedEntry);
    this.#overrides = new Map([...entries.flatMap(arrayEntry), ...entries]);
  }

  /** The parser of a type: for one that is neither built in nor overridden the text as it is. */
  parser(oid: number): TextParser {
    return this.#overrides.get(oid) ?? scalars.get(oid) ?? arrays.get(oid) ?? asText;
  }
}

/** The same for the array type of a type; none where the OID of that is not known. */
function arrayEntry([oid, parser]: [number, TextParser]): [number, TextParser][] {
  const array = arrayOid(oid);
  if (array === undefined) return [];
  return [[array, arrayParser(parser, oid === typeOids.box ? ';' : ',')]];
}

function checkedEntry([key, parser]: [string, TextParser]): [number, TextParser] {
  const oid = Number(key);
  if (!Number.isInteger(oid) || oid <= 0) throw new PgError('ERR_PG_BAD_OPTION', `a type's OID cannot be '${key}'`);
  if (typeof parser !== 'function') {
    throw new PgError('ERR_PG_BAD_OPTION', `the parser of the type with OID ${oid} is not a function`);
  }
  return [oid, parser];
}

function asText(text: string): string {
  return text;
}

function parseInteger(text: string): number {
  return Number.parseInt(text, 10);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed('json', error);
  }
}
