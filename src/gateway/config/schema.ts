/** proto/config.proto as it is in the package: the only place that says which keys there are and what they hold. */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const { Root } = protobuf;

let schema: protobuf.Type | undefined;

/** The message `Gateway`, everything that it refers to resolved. Read once. */
export function gatewaySchema(): protobuf.Type {
  schema ??= readSchema();
  return schema;
}

function readSchema(): protobuf.Type {
  const file = fileURLToPath(import.meta.resolve('#proto/config.proto'));
  return new Root()
    .loadSync(file, { alternateCommentMode: true })
    .resolveAll()
    .lookupType('turbotls.config.v1.Gateway');
}

/** Messages that were texts once: those who wrote them so may go on. */
const SHORT_FORMS: Readonly<Record<string, string>> = { Key: 'file' };

/** Texts that are numbers as a rule: YAML has them as such, ProtoJSON as either. */
const NUMBERS_OR_WORDS: ReadonlySet<string> = new Set(['Gateway.workers']);

/** What a field holds: a name of proto3's scalar types, 'duration', an enum or a message. */
export type FieldKind =
  | { kind: 'bool' | 'uint32' | 'duration' }
  /** `orNumber`: a number stands for its digits. */
  | { kind: 'string'; orNumber: boolean }
  | { kind: 'enum'; values: Readonly<Record<string, number>> }
  /** `short`: the field that a text in place of the message gives. */
  | { kind: 'message'; type: protobuf.Type; short: string | undefined };

export function kindOf(field: protobuf.Field): FieldKind {
  const { resolvedType, type } = field;
  if (type === 'google.protobuf.Duration') return { kind: 'duration' };
  if (resolvedType instanceof protobuf.Enum) return { kind: 'enum', values: resolvedType.values };
  if (resolvedType instanceof protobuf.Type) {
    return { kind: 'message', type: resolvedType, short: SHORT_FORMS[resolvedType.name] };
  }
  if (type === 'string') return { kind: type, orNumber: NUMBERS_OR_WORDS.has(`${field.parent?.name}.${field.name}`) };
  if (type === 'bool' || type === 'uint32') return { kind: type };
  throw new TypeError(`config.proto has a field of type ${type}, which nothing here reads`);
}
