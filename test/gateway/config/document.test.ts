import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type protobuf from 'protobufjs';
import { parse } from 'yaml';
import * as defaults from '../../../src/gateway/config/defaults.js';
import { planFrom } from '../../../src/gateway/config/index.js';
import { gatewaySchema, kindOf } from '../../../src/gateway/config/schema.js';
import { type Folder, makeFiles } from './files.js';

const document = readFileSync(new URL('../../../../docs/gateway-config.md', import.meta.url), 'utf8');

/** The cells of a message's table. */
function rowsOf(message: string): string[][] {
  const section = document.split('\n## ').find((text) => text.startsWith(`${message}\n`));
  expect(section, `the section ${message}`).to.not.equal(undefined);
  const [table = ''] = section?.match(/\| Key [^\n]*\n(\|[^\n]*\n?)*/) ?? [];
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function typeText(field: protobuf.Field): string {
  const kind = kindOf(field);
  const texts = { bool: 'true or false', uint32: 'number', duration: 'duration' };
  const one = () => {
    if (kind.kind === 'message') return `[${kind.type.name}](#${kind.type.name.toLowerCase()})`;
    if (kind.kind === 'string') return kind.orNumber ? 'number or text' : 'text';
    if (kind.kind !== 'enum') return texts[kind.kind];
    return Object.keys(kind.values)
      .filter((name) => kind.values[name] !== 0)
      .map((name) => `\`${name}\``)
      .join(', ');
  };
  return field.repeated ? `list of ${one()}` : one();
}

function* messages(type: protobuf.Type, seen = new Set<string>()): Generator<protobuf.Type> {
  if (seen.has(type.name)) return;
  seen.add(type.name);
  yield type;
  for (const field of type.fieldsArray) {
    const kind = kindOf(field);
    if (kind.kind === 'message') yield* messages(kind.type, seen);
  }
}

const seconds = (ms: number) => `\`${ms / 1000}s\``;
const count = (value: number) => value.toLocaleString('en-US');

const { DEFAULT_LIMITS, DEFAULT_HEALTH } = defaults;
const DEFAULTS: Record<string, string> = {
  'Limits.connections': count(DEFAULT_LIMITS.connections),
  'Limits.routeTimeout': seconds(DEFAULT_LIMITS.routeTimeoutMs),
  'Limits.handshakeTimeout': seconds(DEFAULT_LIMITS.handshakeTimeoutMs),
  'Limits.clientHelloBytes': count(DEFAULT_LIMITS.clientHelloBytes),
  'Limits.idleTimeout': seconds(DEFAULT_LIMITS.idleTimeoutMs),
  'Limits.drainTimeout': seconds(DEFAULT_LIMITS.drainTimeoutMs),
  'RouteLimits.connectionsPerSource': count(defaults.DEFAULT_CONNECTIONS_PER_SOURCE),
  'Backend.connectTimeout': seconds(defaults.DEFAULT_CONNECT_TIMEOUT_MS),
  'HealthCheck.interval': seconds(DEFAULT_HEALTH.intervalMs),
  'HealthCheck.timeout': seconds(DEFAULT_HEALTH.timeoutMs),
  'Log.level': `\`"${defaults.DEFAULT_LOG_LEVEL}"\``,
  'Terminate.minVersion': `\`"${defaults.DEFAULT_MIN_VERSION}"\``,
  'Backend.balance': '`ROUND_ROBIN`',
  'Backend.transport': '`PLAIN`',
  'ClientCertificate.mode': '`NONE`',
};

describe('docs/gateway-config.md', () => {
  let files: Folder;
  before(async () => {
    files = await makeFiles();
  });
  after(() => files.remove());

  const all = [...messages(gatewaySchema())];

  it('has a section for each message, and no other', () => {
    const sections = [...document.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(sections).to.have.members(all.map(({ name }) => name));
  });

  for (const type of all) {
    it(`has the keys of ${type.name}, with their types and defaults`, () => {
      const rows = type.fieldsArray.length === 0 ? [] : rowsOf(type.name);
      expect(rows.map(([key, text]) => `${key} ${text}`)).to.deep.equal(
        type.fieldsArray.map((field) => `\`${field.name}\` ${typeText(field)}`),
      );
      for (const [key = '', , fallback] of rows) {
        const expected = DEFAULTS[`${type.name}.${key.slice(1, -1)}`];
        if (expected !== undefined) expect(fallback, key).to.equal(expected);
      }
    });
  }

  it('has examples that work, as the schema has', () => {
    const [, example = ''] = document.match(/```yaml\n([\s\S]*?)```/) ?? [];
    expect(planFrom(parse(example), files.path).routes).to.have.length(3);

    const schema = readFileSync(new URL('../../../../proto/config.proto', import.meta.url), 'utf8');
    const lines = schema.split('\n').filter((line) => line.startsWith('//   '));
    expect(planFrom(parse(lines.map((line) => line.slice(5)).join('\n')), files.path).routes).to.have.length(2);
  });
});
