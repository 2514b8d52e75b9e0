import { expect } from 'chai';
import * as fc from 'fast-check';
import { DataRow } from '../../../src/codec/pg/data-row.js';
import { BackendDecoder, FrontendDecoder } from '../../../src/codec/pg/decoder.js';
import { BackendEncoder, FrontendEncoder } from '../../../src/codec/pg/encoder.js';
import type { BackendMessage, FrontendMessage } from '../../../src/codec/pg/messages.js';
import { holds } from '../../support/property.js';
import { backendVectors, listed } from './vectors.js';
import { expectPgError, feed, plain, wire } from './wire.js';

/** Well-formed text without a zero byte: what a String of the protocol can carry. */
const text = fc.string({ maxLength: 40, unit: 'binary' }).map((value) => value.replaceAll('\0', ''));
const name = text.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value));
const value = fc.option(bytes);
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const oid = fc.integer({ min: 0, max: 0xffff_ffff });
const format = fc.constantFrom(0 as const, 1 as const);
const formats = fc.array(format, { maxLength: 5 });
const key = fc.uint8Array({ minLength: 4, maxLength: 256 }).map((each) => Buffer.from(each));
const unknown = fc.record({ name: fc.constant('Unknown' as const), code: fc.constantFrom(0, 0x3f, 0xff), body: bytes });

/** A message of a name with these fields. */
function message<Name extends string, Fields extends object>(
  of: Name,
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
): fc.Arbitrary<{ name: Name } & Fields> {
  return fc.record<Fields>(fields).map((each) => ({ name: of, ...each }));
}

const noticeFields = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...'SVCMDHPpqWsctdnFLR'), text), { selector: ([code]) => code })
  .map((entries) => Object.fromEntries(entries));
const field = fc.record({
  name: text,
  tableOid: oid,
  column: int16,
  typeOid: oid,
  typeSize: int16,
  typeModifier: int32,
  format,
});

const backendMessage: fc.Arbitrary<BackendMessage> = fc.oneof(
  fc.constantFrom(...listed<BackendMessage>(backendVectors).map((vector) => vector.message)),
  message('AuthenticationSASL', { mechanisms: fc.array(name, { maxLength: 4 }) }),
  message('AuthenticationSASLContinue', { data: bytes }),
  message('AuthenticationSASLFinal', { data: bytes }),
  message('AuthenticationOther', { method: fc.integer({ min: 13 }), data: bytes }),
  message('BackendKeyData', { processId: int32, secretKey: key }),
  message('CommandComplete', { tag: text }),
  message('CopyData', { data: bytes }),
  message('CopyInResponse', { format, columnFormats: formats }),
  message('CopyOutResponse', { format, columnFormats: formats }),
  message('CopyBothResponse', { format, columnFormats: formats }),
  fc.array(fc.option(fc.oneof(text, bytes)), { maxLength: 12 }).map((values) => DataRow.of(values)),
  message('ErrorResponse', { fields: noticeFields }),
  message('NoticeResponse', { fields: noticeFields }),
  message('FunctionCallResponse', { value }),
  message('NegotiateProtocolVersion', { version: int32, options: fc.array(text, { maxLength: 4 }) }),
  message('NotificationResponse', { processId: int32, channel: text, payload: text }),
  message('ParameterDescription', { typeOids: fc.array(oid, { maxLength: 5 }) }),
  message('ParameterStatus', { parameter: text, value: text }),
  message('RowDescription', { fields: fc.array(field, { maxLength: 5 }) }),
  unknown,
);

const what = fc.constantFrom('S' as const, 'P' as const);

const frontendMessage: fc.Arbitrary<FrontendMessage> = fc.oneof(
  message('PasswordOrSASL', { body: bytes }),
  message('Bind', {
    portal: text,
    statement: text,
    parameterFormats: formats,
    values: fc.array(value, { maxLength: 5 }),
    resultFormats: formats,
  }),
  message('Close', { what, target: text }),
  message('CopyData', { data: bytes }),
  message('CopyFail', { reason: text }),
  message('Describe', { what, target: text }),
  message('Execute', { portal: text, maxRows: int32 }),
  message('FunctionCall', {
    functionOid: oid,
    argumentFormats: formats,
    args: fc.array(value, { maxLength: 5 }),
    resultFormat: format,
  }),
  message('Parse', { statement: text, query: text, typeOids: fc.array(oid, { maxLength: 5 }) }),
  message('Query', { query: text }),
  fc.constantFrom<FrontendMessage>({ name: 'CopyDone' }, { name: 'Flush' }, { name: 'Sync' }, { name: 'Terminate' }),
  unknown,
);

const startup: fc.Arbitrary<FrontendMessage> = message('StartupMessage', {
  version: fc.integer({ min: 0x0003_0000, max: 0x0003_ffff }),
  parameters: fc.array(fc.tuple(name, text), { maxLength: 5 }).map((entries) => new Map(entries)),
});

const splits = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 });

describe('codec/pg encoder', () => {
  it('writes what the decoder reads: any messages of a backend, in any splits', () => {
    holds(
      fc.property(fc.array(backendMessage, { maxLength: 10 }), splits, (messages, lengths) => {
        const stream = new BackendEncoder().writeAll(messages).take();
        const decoded = feed(new BackendDecoder(), stream, ...lengths);
        expect(decoded.map(plain)).to.deep.equal(messages.map(plain));
        expect(new BackendEncoder().writeAll(decoded).take()).to.deep.equal(stream);
      }),
    );
  });

  it('writes what the decoder reads: any messages of a frontend, in any splits', () => {
    holds(
      fc.property(startup, fc.array(frontendMessage, { maxLength: 10 }), splits, (first, messages, lengths) => {
        const stream = new FrontendEncoder().writeAll([first, ...messages]).take();
        const decoded = feed(new FrontendDecoder(), stream, ...lengths);
        expect(decoded).to.deep.equal([first, ...messages]);
        expect(new FrontendEncoder().writeAll(decoded).take()).to.deep.equal(stream);
      }),
    );
  });

  it('writes values of Bind as text where they are strings', () => {
    const bind = { name: 'Bind', portal: '', statement: '', parameterFormats: [], resultFormats: [] } as const;
    const values = ['hé', null, '', Buffer.from([1]), 'x'.repeat(5000), '日'.repeat(3000)];
    const encoded = new FrontendEncoder().write({ ...bind, parameterFormats: [], resultFormats: [], values }).take();
    const asBytes = values.map((each) => (typeof each === 'string' ? Buffer.from(each) : each));
    const expected = new FrontendEncoder()
      .write({ ...bind, parameterFormats: [], resultFormats: [], values: asBytes })
      .take();
    expect(encoded).to.deep.equal(expected);
  });

  it('gives its bytes once, and leaves alone what it gave', () => {
    const encoder = new FrontendEncoder();
    expect(encoder.take()).to.have.lengthOf(0);
    const taken: Buffer[] = [];
    for (let count = 0; count < 500; count++) {
      taken.push(encoder.write({ name: 'Query', query: `select ${count}` }).take());
    }
    taken.forEach((each, count) => {
      expect(each.toString('latin1', 5)).to.equal(`select ${count}\0`);
    });
    expect(encoder.take()).to.have.lengthOf(0);
  });

  it('refuses a zero byte inside a string: what is behind it would be read as something else', () => {
    const bad = 'a\0b';
    const messages: FrontendMessage[] = [
      { name: 'StartupMessage', version: 0x0003_0000, parameters: new Map([['user', bad]]) },
      { name: 'StartupMessage', version: 0x0003_0000, parameters: new Map([[bad, 'x']]) },
      { name: 'PasswordMessage', password: bad },
      { name: 'SASLInitialResponse', mechanism: bad, data: null },
      { name: 'Bind', portal: bad, statement: '', parameterFormats: [], values: [], resultFormats: [] },
      { name: 'Bind', portal: '', statement: bad, parameterFormats: [], values: [], resultFormats: [] },
      { name: 'Close', what: 'S', target: bad },
      { name: 'Describe', what: 'P', target: bad },
      { name: 'Execute', portal: bad, maxRows: 0 },
      { name: 'CopyFail', reason: bad },
      { name: 'Parse', statement: bad, query: '', typeOids: [] },
      { name: 'Parse', statement: '', query: bad, typeOids: [] },
      { name: 'Query', query: bad },
      { name: 'Query', query: `${'x'.repeat(5000)}\0` },
    ];
    for (const each of messages) {
      const encoder = new FrontendEncoder();
      expectPgError(() => encoder.write(each), 'ERR_PG_BAD_VALUE', JSON.stringify(each));
      expect(encoder.take()).to.have.lengthOf(0);
    }
    const answers: BackendMessage[] = [
      { name: 'AuthenticationSASL', mechanisms: [bad] },
      { name: 'CommandComplete', tag: bad },
      { name: 'ErrorResponse', fields: { M: bad } },
      { name: 'NoticeResponse', fields: { '\0': 'x' } },
      { name: 'NegotiateProtocolVersion', version: 0, options: [bad] },
      { name: 'NotificationResponse', processId: 1, channel: bad, payload: '' },
      { name: 'NotificationResponse', processId: 1, channel: '', payload: bad },
      { name: 'ParameterStatus', parameter: bad, value: '' },
      { name: 'ParameterStatus', parameter: '', value: bad },
    ];
    for (const each of answers) {
      expectPgError(() => new BackendEncoder().write(each), 'ERR_PG_BAD_VALUE', JSON.stringify(each));
    }
  });

  it('refuses what would end a list early, and numbers out of their range', () => {
    const parameters = new Map([['', 'x']]);
    const messages: [FrontendMessage | BackendMessage, FrontendEncoder | BackendEncoder][] = [
      [{ name: 'StartupMessage', version: 0x0003_0000, parameters }, new FrontendEncoder()],
      [{ name: 'CancelRequest', processId: 1, secretKey: Buffer.alloc(3) }, new FrontendEncoder()],
      [{ name: 'CancelRequest', processId: 2 ** 32, secretKey: Buffer.alloc(4) }, new FrontendEncoder()],
      [{ name: 'Execute', portal: '', maxRows: 1.5 }, new FrontendEncoder()],
      [{ name: 'Execute', portal: '', maxRows: Number.NaN }, new FrontendEncoder()],
      [{ name: 'Parse', statement: '', query: '', typeOids: [-(2 ** 31) - 1] }, new FrontendEncoder()],
      [{ name: 'Parse', statement: '', query: '', typeOids: new Array<number>(65_536).fill(0) }, new FrontendEncoder()],
      [{ name: 'Unknown', code: 256, body: Buffer.alloc(0) }, new FrontendEncoder()],
      [{ name: 'AuthenticationSASL', mechanisms: [''] }, new BackendEncoder()],
      [{ name: 'AuthenticationMD5Password', salt: Buffer.alloc(5) }, new BackendEncoder()],
      [{ name: 'BackendKeyData', processId: 1, secretKey: Buffer.alloc(257) }, new BackendEncoder()],
      [{ name: 'ErrorResponse', fields: { MM: 'x' } }, new BackendEncoder()],
      [{ name: 'ErrorResponse', fields: { '': 'x' } }, new BackendEncoder()],
      [{ name: 'ErrorResponse', fields: { Ā: 'x' } }, new BackendEncoder()],
      [{ name: 'Nonsense' } as unknown as FrontendMessage, new FrontendEncoder()],
    ];
    for (const [each, encoder] of messages) {
      expectPgError(() => encoder.write(each as never), 'ERR_PG_BAD_VALUE', each.name);
      expect(encoder.take(), each.name).to.have.lengthOf(0);
    }
  });

  it('leaves nothing of a message that it refused, or of the messages that belong to it', () => {
    const encoder = new FrontendEncoder();
    const bad: FrontendMessage = {
      name: 'Bind',
      portal: 'x'.repeat(10_000),
      statement: '\0',
      parameterFormats: [],
      values: [],
      resultFormats: [],
    };
    encoder.write({ name: 'Sync' });
    expectPgError(() => encoder.write(bad), 'ERR_PG_BAD_VALUE');
    expectPgError(() => encoder.writeAll([{ name: 'Flush' }, { name: 'Flush' }, bad]), 'ERR_PG_BAD_VALUE');
    encoder.write({ name: 'Terminate' });
    expect(encoder.take()).to.deep.equal(wire("'S' 00000004 'X' 00000004"));
  });

  it('refuses a message that PostgreSQL would not take', () => {
    const large = { length: 0x3fff_ffff } as unknown as Buffer;
    const encoder = new FrontendEncoder();
    expectPgError(() => encoder.write({ name: 'CopyData', data: large }), 'ERR_PG_MESSAGE_TOO_LONG');
    expect(encoder.write({ name: 'Sync' }).take()).to.deep.equal(wire("'S' 00000004"));
  });

  it('writes the length of a value whose text needed a new buffer, after others were taken', () => {
    for (let before = 0; before < 4096; before += 97) {
      const encoder = new FrontendEncoder();
      encoder.write({ name: 'CopyData', data: Buffer.alloc(before) }).take();
      const value = 'é'.repeat(700);
      const message: FrontendMessage = {
        name: 'Bind',
        portal: '',
        statement: '',
        parameterFormats: [],
        values: [value, value, value],
        resultFormats: [],
      };
      const [alone, after] = [new FrontendEncoder(), encoder].map((each) => each.write(message).take());
      expect(after?.equals(alone as Buffer), `${before}`).to.equal(true);
    }
  });
});
