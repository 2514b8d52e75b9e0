import { expect } from 'chai';
import type protobuf from 'protobufjs';
import { type ConfigError, planFrom } from '../../../src/gateway/config/index.js';
import { Findings, pathText } from '../../../src/gateway/config/problems.js';
import { gatewaySchema, kindOf } from '../../../src/gateway/config/schema.js';
import { Section, sectionFrom } from '../../../src/gateway/config/section.js';
import { smallConfig } from './examples.js';

/** A value that is well-formed for the type, and some that are not. */
const VALUES: Record<string, { good: unknown[]; bad: unknown[] }> = {
  string: { good: ['', 'x'], bad: [1, true, [], {}] },
  bool: { good: [true, false], bad: ['true', 1, [], {}] },
  uint32: { good: [0, 1, '5', 4294967295], bad: [-1, 1.5, 4294967296, '0x5', '', true, [], {}] },
  duration: {
    good: ['5s', '0.25s', '0s', '1.000000001s'],
    bad: ['5', '5 s', '500ms', '-1s', '1.0000000001s', '.5s', '1e3s', 5, true, [], {}],
  },
};

/** All fields of the schema, with the path at which one of them stands. */
function* fields(
  type: protobuf.Type,
  path: (string | number)[] = [],
): Generator<{ field: protobuf.Field; path: (string | number)[]; type: protobuf.Type }> {
  for (const field of type.fieldsArray) {
    const at = [...path, field.name, ...(field.repeated ? [0] : [])];
    yield { field, path: at, type };
    const kind = kindOf(field);
    if (kind.kind === 'message') yield* fields(kind.type, at);
  }
}

/** {a: {b: [value]}} of ['a', 'b', 0]. */
function nested(path: readonly (string | number)[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, step) => (typeof step === 'number' ? [inner] : { [step]: inner }), value);
}

function errorsOf(json: unknown): { path: string; message: string }[] {
  const findings = new Findings();
  sectionFrom(gatewaySchema(), json, findings.root);
  return findings.errors.map(({ path, message }) => ({ path: pathText(path), message }));
}

describe("gateway configuration: proto3's JSON mapping", () => {
  const all = [...fields(gatewaySchema())];

  it('has every kind of field that the schema has', () => {
    expect(all).to.have.length.above(40);
    for (const { field } of all) expect(() => kindOf(field)).to.not.throw();
  });

  for (const { field, path, type } of all) {
    it(`checks the type of ${type.name}.${field.name}`, () => {
      const kind = kindOf(field);
      const values =
        kind.kind === 'enum'
          ? {
              good: [...Object.keys(kind.values), ...Object.values(kind.values)],
              bad: ['NO_SUCH', '', 99, true, [], {}],
            }
          : kind.kind === 'message'
            ? { good: [{}, ...(kind.short ? ['x'] : [])], bad: [...(kind.short ? [] : ['']), 1, true, []] }
            : kind.kind === 'string' && kind.orNumber
              ? { good: ['', 'text', 1, 0.5], bad: [true, [], {}] }
              : VALUES[kind.kind];
      for (const good of values?.good ?? []) expect(errorsOf(nested(path, good)), String(good)).to.deep.equal([]);
      for (const bad of values?.bad ?? []) {
        const errors = errorsOf(nested(path, bad));
        expect(
          errors.map((error) => error.path),
          JSON.stringify(bad),
        ).to.deep.equal([pathText(path)]);
        expect(errors[0]?.message).to.match(/^must be .+, not /);
      }
      if (field.repeated) {
        expect(errorsOf(nested(path.slice(0, -1), 'x'))[0]?.message).to.equal('must be a list, not "x"');
        expect(errorsOf(nested(path, null)), 'null in a list').to.have.length(1);
      }
    });
  }

  it('finds keys that are none, in every message, and says what may have been meant', () => {
    const messages = [{ type: gatewaySchema(), path: [] as (string | number)[] }];
    for (const { field, path } of all) {
      const kind = kindOf(field);
      if (kind.kind === 'message') messages.push({ type: kind.type, path });
    }
    for (const { type, path } of messages) {
      const [error] = errorsOf(nested([...path, 'noSuchKey'], 1));
      expect(error).to.deep.equal({ path: pathText([...path, 'noSuchKey']), message: `is no key of ${type.name}` });
    }
    const message = (key: string) => errorsOf({ [key]: 1 })[0]?.message;
    expect(message('route')).to.equal('is no key of Gateway (did you mean routes?)');
    expect(message('Listen')).to.equal('is no key of Gateway (did you mean listen?)');
    expect(message('proxy-protocol-from')).to.equal('is no key of Gateway (did you mean proxyProtocolFrom?)');
    for (const key of ['__proto__', 'constructor', 'toString', 'x'.repeat(100_000)]) {
      expect(errorsOf(JSON.parse(`{${JSON.stringify(key)}: 1}`))[0]?.message, key.slice(0, 20)).to.equal(
        'is no key of Gateway',
      );
    }
  });

  it('takes names as they are in the .proto too, and a key once', () => {
    const { proxyProtocolFrom } = planFrom({ ...smallConfig(), proxy_protocol_from: ['10.0.0.0/8'] }, '/');
    expect(proxyProtocolFrom.check('10.0.0.1')).to.equal(true);
    const errors = errorsOf({ proxyProtocolFrom: [], proxy_protocol_from: [] });
    expect(errors).to.deep.equal([
      { path: 'proxy_protocol_from', message: 'is given twice, as proxyProtocolFrom too' },
    ]);
    const pathOf = (changes: object) => {
      try {
        planFrom({ ...smallConfig(), ...changes }, '/');
        return undefined;
      } catch (error) {
        return (error as ConfigError).problems[0]?.path;
      }
    };
    expect(pathOf({ proxy_protocol_from: ['x'] })).to.equal('proxy_protocol_from[0]');
    expect(pathOf({ limits: { client_hello_bytes: 5 } })).to.equal('limits.client_hello_bytes');
  });

  it('takes null for a key that is not there', () => {
    expect(planFrom({ ...smallConfig(), admin: null, log: null, limits: { connections: null } }, '/').admin).to.equal(
      undefined,
    );
  });

  it('takes the number of an enum value, and its zero for nothing', () => {
    const balanceOf = (balance: unknown) =>
      planFrom({ listen: [':1'], routes: [{ name: 'a', backend: { targets: ['x:1'], balance } }] }, '/').routes[0]
        ?.backend.balance;
    expect(balanceOf(3)).to.equal('source');
    expect(balanceOf('BALANCE_UNSPECIFIED')).to.equal('round-robin');
    expect(balanceOf(0)).to.equal('round-robin');
  });

  it('reads no field that the schema does not have', () => {
    const section = new Section(gatewaySchema(), new Findings().root, {});
    expect(() => section.text('nothing')).to.throw(TypeError, 'Gateway has no field nothing');
  });
});
