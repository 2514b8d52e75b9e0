/**
 * proto3's JSON mapping (protobuf.dev, "ProtoJSON Format"), checked against the schema: unknown keys, wrong types, enums
 * by name, durations as "5s". What comes out is read by field name; what was not well-formed is reported and absent.
 */
import type protobuf from 'protobufjs';
import { Findings, type Place } from './problems.js';
import { kindOf } from './schema.js';
import { suggestion } from './suggest.js';

/** A value and where it stands. */
export interface Placed<T> {
  value: T;
  place: Place;
}

/** A message of the schema, as it was given. */
export class Section {
  readonly place: Place;
  readonly #type: protobuf.Type;
  /** By field name: the key as it was given. */
  readonly #keys: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(type: protobuf.Type, place: Place, json: Record<string, unknown>) {
    this.place = place;
    this.#type = type;
    this.#keys = keysOf(type, json, place);
    this.#values = new Map(
      [...this.#keys].map(([name, key]) => [name, decode(type.fields[name], json[key], place.at(key))]),
    );
    this.#reportOneOfs();
  }

  /** Whether the key is there, well-formed or not. */
  has(name: string): boolean {
    this.#field(name);
    return this.#keys.has(name);
  }

  /** Reports the key where it is not there. */
  require(name: string, why: string): void {
    if (!this.has(name)) this.at(name).error(why);
  }

  /** Reports a list that is not there or has nothing in it. */
  requireSome(name: string, why: string): void {
    if (!this.has(name) || this.#value<unknown[]>(name)?.length === 0) this.at(name).error(why);
  }

  at(name: string): Place {
    return this.place.at(this.#keys.get(name) ?? name);
  }

  text(name: string): string | undefined {
    return this.#value(name);
  }

  texts(name: string): Placed<string>[] {
    return this.#list(name);
  }

  flag(name: string): boolean {
    return this.#value(name) ?? false;
  }

  count(name: string): number | undefined {
    return this.#value(name);
  }

  /** Of a duration. */
  milliseconds(name: string): number | undefined {
    return this.#value(name);
  }

  /** The name of an enum's value; undefined for the unspecified one. */
  choice(name: string): string | undefined {
    return this.#value(name);
  }

  choices(name: string): Placed<string>[] {
    return this.#list(name);
  }

  /** Of a key that is not there, one with nothing in it. */
  section(name: string): Section {
    return this.#value(name) ?? this.#nothing(name);
  }

  sections(name: string): Section[] {
    return this.#list<Section>(name).map(({ value }) => value);
  }

  #reportOneOfs(): void {
    for (const { oneof } of this.#type.oneofsArray) {
      const [first, second] = oneof.filter((name) => this.has(name));
      if (second !== undefined) this.at(second).error(`cannot be beside ${first}: only one of ${oneof.join(', ')}`);
    }
  }

  #value<T>(name: string): T | undefined {
    this.#field(name);
    return this.#values.get(name) as T | undefined;
  }

  #list<T>(name: string): Placed<T>[] {
    return (this.#value<Placed<T | undefined>[]>(name) ?? []).filter(isWellFormed);
  }

  /** What is missing in a value that is none of its type is not reported: that value was. */
  #nothing(name: string): Section {
    const type = this.#field(name).resolvedType as protobuf.Type;
    return new Section(type, this.has(name) ? new Findings().root : this.at(name), {});
  }

  #field(name: string): protobuf.Field {
    const field = this.#type.fields[name];
    if (field === undefined) throw new TypeError(`${this.#type.name} has no field ${name}`);
    return field;
  }
}

/** The message that a JSON value is; undefined where it is no object, which is reported. */
export function sectionFrom(type: protobuf.Type, json: unknown, place: Place): Section | undefined {
  if (isObject(json)) return new Section(type, place, json);
  place.error(`must be an object, not ${kindText(json)}`);
  return undefined;
}

/** The key of each field that is given. null is as if the key were not there (ProtoJSON). */
function keysOf(type: protobuf.Type, json: Record<string, unknown>, place: Place): Map<string, string> {
  const keys = new Map<string, string>();
  for (const [key, value] of Object.entries(json)) {
    const name = fieldName(type, key);
    if (name === undefined) {
      place.at(key).error(`is no key of ${type.name}${suggestion(key, Object.keys(type.fields))}`);
    } else if (keys.has(name)) {
      place.at(key).error(`is given twice, as ${name} too`);
    } else if (value !== null && value !== undefined) {
      keys.set(name, key);
    }
  }
  return keys;
}

/** ProtoJSON takes lowerCamelCase and the name as it is in the .proto. */
function fieldName(type: protobuf.Type, key: string): string | undefined {
  return Object.keys(type.fields).find((name) => name === key || protoName(name) === key);
}

function protoName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function decode(field: protobuf.Field | undefined, json: unknown, place: Place): unknown {
  if (field === undefined) return undefined;
  if (!field.repeated) return decodeOne(field, json, place);
  if (!Array.isArray(json)) {
    place.error(`must be a list, not ${kindText(json)}`);
    return undefined;
  }
  return json.map((each, index) => ({ value: decodeOne(field, each, place.at(index)), place: place.at(index) }));
}

function isWellFormed<T>(placed: Placed<T | undefined>): placed is Placed<T> {
  return placed.value !== undefined;
}

function decodeOne(field: protobuf.Field, json: unknown, place: Place): unknown {
  const kind = kindOf(field);
  switch (kind.kind) {
    case 'string':
      if (kind.orNumber && typeof json === 'number') return String(json);
      return typeof json === 'string' ? json : wrong(place, kind.orNumber ? 'a number or text' : 'text', json);
    case 'bool':
      return typeof json === 'boolean' ? json : wrong(place, 'true or false', json);
    case 'uint32':
      return isUint32(json) ? Number(json) : wrong(place, 'a whole number', json);
    case 'duration':
      return millisecondsFrom(json) ?? wrong(place, 'a duration in seconds such as "5s" or "0.25s"', json);
    case 'enum':
      return enumValue(kind.values, json, place);
    case 'message':
      return kind.short !== undefined && typeof json === 'string'
        ? new Section(kind.type, place, { [kind.short]: json })
        : sectionFrom(kind.type, json, place);
  }
}

function isUint32(json: unknown): boolean {
  const value = typeof json === 'string' && /^\d+$/.test(json) ? Number(json) : json;
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
}

/** google.protobuf.Duration: seconds with at most 9 digits behind the point. Never negative here. */
function millisecondsFrom(json: unknown): number | undefined {
  const seconds = typeof json === 'string' ? json.match(/^(\d{1,12}(?:\.\d{1,9})?)s$/)?.[1] : undefined;
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function enumValue(values: Readonly<Record<string, number>>, json: unknown, place: Place): string | undefined {
  const names = Object.keys(values);
  const name = names.find((each) => each === json || values[each] === json);
  if (name !== undefined) return values[name] === 0 ? undefined : name;
  const known = names.filter((each) => values[each] !== 0);
  const near = typeof json === 'string' ? suggestion(json, known) : '';
  place.error(`must be ${orList(known)}, not ${kindText(json)}${near}`);
  return undefined;
}

function wrong(place: Place, what: string, json: unknown): undefined {
  place.error(`must be ${what}, not ${kindText(json)}`);
  return undefined;
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** What was found in place of what is wanted: short, since nobody knows what it is. */
function kindText(json: unknown): string {
  if (typeof json === 'string') return JSON.stringify(json.length > 40 ? `${json.slice(0, 40)}…` : json);
  if (Array.isArray(json)) return 'a list';
  if (isObject(json)) return 'an object';
  return String(json);
}

export function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
