import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { type ClientHello, readClientHello } from '../../src/wire/client-hello.js';
import { requirePart } from '../servers/index.js';
import { hex } from '../support/bytes.js';
import { clientHello } from '../support/client-hello.js';
import {
  alpn,
  extension,
  handshake,
  hello,
  helloMessage,
  record,
  records,
  serverName,
  supportedVersions,
  uint8,
  uint16,
  vector8,
  vector16,
} from '../support/hello-bytes.js';
import { holds } from '../support/property.js';

const LIMIT = 16_384;
const TLS12 = 0x0303;
const TLS13 = 0x0304;

/** RFC 8448, section 3: a simple 1-RTT handshake. */
const RFC8448 = hex(`
  16 03 01 00 c4 01 00 00 c0 03 03 cb 34 ec b1 e7 81 63 ba 1c 38 c6 da cb 19 6a 6d ff a2 1a 8d 99 12 ec 18 a2 ef 62 83
  02 4d ec e7 00 00 06 13 01 13 03 13 02 01 00 00 91 00 00 00 0b 00 09 00 00 06 73 65 72 76 65 72 ff 01 00 01 00 00 0a
  00 14 00 12 00 1d 00 17 00 18 00 19 01 00 01 01 01 02 01 03 01 04 00 23 00 00 00 33 00 26 00 24 00 1d 00 20 99 38 1d
  e5 60 e4 bd 43 d2 3d 8e 43 5a 7d ba fe b3 c0 6e 51 c1 3c ae 4d 54 13 69 1e 52 9a af 2c 00 2b 00 03 02 03 04 00 0d 00
  20 00 1e 04 03 05 03 06 03 02 03 08 04 08 05 08 06 04 01 05 01 06 01 02 01 04 02 05 02 06 02 02 02 00 2d 00 02 01 01
  00 1c 00 02 40 01`);

function read(bytes: Buffer, limit = LIMIT): ReturnType<typeof readClientHello> {
  return readClientHello(bytes, limit);
}

function whole(bytes: Buffer, limit = LIMIT): ClientHello {
  const result = read(bytes, limit);
  if (typeof result === 'string') return expect.fail(result);
  return result;
}

/** The name that a ClientHello with this server_name gives; the fault where it gives none. */
function nameOf(name: string | Buffer): string | undefined {
  const result = read(hello(serverName(name)));
  return typeof result === 'string' ? `(${result})` : result.serverName;
}

/** What `openssl s_client` with these arguments says first. */
async function openssl(args: string[]): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const child = execFile('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
  const exit = once(child, 'exit');
  const [socket] = await once(server, 'connection');
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  server.close();
  await exit;
  return bytes;
}

describe('wire/client-hello', () => {
  it('reads the ClientHello of RFC 8448', () => {
    expect(read(RFC8448)).to.deep.equal({ serverName: 'server', alpn: [], versions: [TLS13], length: 201 });
  });

  it('leaves what follows, and every prefix is incomplete', () => {
    for (const bytes of [RFC8448, hello(serverName('a.example'), alpn('h2')), records(helloMessage(), 3)]) {
      for (let length = 0; length < bytes.length; length++) {
        expect(read(bytes.subarray(0, length)), `${length} bytes`).to.equal('incomplete');
      }
      const more = Buffer.concat([bytes, hex('14 0303 0001 01'), bytes]);
      expect(whole(more)).to.deep.equal(whole(bytes));
      expect(whole(more).length).to.equal(bytes.length);
    }
  });

  describe('of node:tls', () => {
    it('with name and ALPN', () => {
      const bytes = clientHello({ servername: 'DB.Example.com', ALPNProtocols: ['postgresql', 'h2'] });
      expect(whole(bytes)).to.deep.equal({
        serverName: 'db.example.com',
        alpn: ['postgresql', 'h2'],
        versions: [TLS13, TLS12],
        length: bytes.length,
      });
    });

    it('with neither', () => {
      expect(whole(clientHello({ servername: '' }))).to.deep.include({ serverName: undefined, alpn: [] });
    });

    it('of one version only', () => {
      expect(whole(clientHello({ maxVersion: 'TLSv1.2', servername: 'a' })).versions).to.deep.equal([TLS12]);
      expect(whole(clientHello({ minVersion: 'TLSv1.3', servername: 'a' })).versions).to.deep.equal([TLS13]);
    });

    it('at every split point, in records of every length', () => {
      const bytes = clientHello({ servername: 'db.example.com', ALPNProtocols: ['postgresql'] });
      const { length: _length, ...content } = whole(bytes);
      for (let at = 0; at < bytes.length; at++) expect(read(bytes.subarray(0, at)), `${at}`).to.equal('incomplete');
      const message = bytes.subarray(5);
      for (let size = 1; size <= message.length; size++) {
        const split = records(message, size);
        expect(read(split), `records of ${size}`).to.deep.equal({ ...content, length: split.length });
        expect(read(split.subarray(0, -1)), `records of ${size}, less a byte`).to.equal('incomplete');
      }
    });
  });

  describe('of OpenSSL', function () {
    this.timeout(20_000);

    before(function () {
      requirePart(this, 'openssl');
    });

    const cases: [string, string[], Partial<ClientHello>][] = [
      ['any version', ['-servername', 'a.example'], { serverName: 'a.example', alpn: [] }],
      ['TLS 1.3 and ALPN', ['-servername', 'x.y', '-alpn', 'h2,http/1.1', '-tls1_3'], { alpn: ['h2', 'http/1.1'] }],
      ['TLS 1.2', ['-noservername', '-tls1_2'], { serverName: undefined, versions: [TLS12] }],
    ];
    for (const [name, args, expected] of cases) {
      it(name, async () => {
        const bytes = await openssl(args);
        expect(whole(bytes)).to.deep.include({ ...expected, length: bytes.length });
      });
    }
  });

  it('has the versions without GREASE, in order', () => {
    expect(whole(hello(supportedVersions(0x3a3a, TLS13, 0xfafa, TLS12, 0x0301))).versions).to.deep.equal([
      TLS13,
      TLS12,
      0x0301,
    ]);
    // No GREASE: the halves differ, or the low digit is another one.
    expect(whole(hello(supportedVersions(0x3a4a, 0x3b3b))).versions).to.deep.equal([0x3a4a, 0x3b3b]);
    expect(whole(hello(supportedVersions(0x0a0a))).versions).to.deep.equal([]);
  });

  it('takes the legacy version where there are no supported_versions, and a hello without extensions', () => {
    expect(whole(hello()).versions).to.deep.equal([TLS12]);
    const old = record(helloMessage({ legacyVersion: 0x0301, sessionId: Buffer.alloc(0), extensions: undefined }));
    expect(whole(old)).to.deep.equal({ serverName: undefined, alpn: [], versions: [0x0301], length: old.length });
    expect(whole(record(helloMessage({ legacyVersion: 0x0400 }))).versions).to.deep.equal([0x0400]);
  });

  it('takes GREASE and other extensions for what they are', () => {
    const grease = [extension(0x0a0a, Buffer.alloc(0)), extension(0xfafa, uint8(0)), extension(21, Buffer.alloc(300))];
    expect(whole(hello(...grease, serverName('a.b'), alpn('\x0a\x0a', 'h2')))).to.deep.include({
      serverName: 'a.b',
      alpn: ['\x0a\x0a', 'h2'],
    });
  });

  it('keeps every byte of an ALPN name', () => {
    const all = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)).toString('latin1');
    expect(whole(hello(alpn(all))).alpn).to.deep.equal([all]);
  });

  describe('server names', () => {
    const label63 = 'a'.repeat(63);
    const name253 = [label63, label63, label63, 'b'.repeat(61)].join('.');

    const good: [string, string][] = [
      ['localhost', 'localhost'],
      ['EXAMPLE.Com', 'example.com'],
      ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
      ['my_service.internal', 'my_service.internal'],
      ['a-b.c--d.e', 'a-b.c--d.e'],
      ['1.2.3.4.example', '1.2.3.4.example'],
      ['0x7f.1a', '0x7f.1a'],
      [name253, name253],
    ];
    for (const [sent, name] of good) it(sent.slice(0, 30), () => expect(nameOf(sent)).to.equal(name));

    for (const address of ['127.0.0.1', '::1', '2001:DB8::1', '::ffff:10.0.0.1']) {
      it(`${address} is none, and no fault`, () => expect(nameOf(address)).to.equal(undefined));
    }

    const bad: [string, string | Buffer][] = [
      ['empty', ''],
      ['a dot at its end', 'example.com.'],
      ['a dot alone', '.'],
      ['two dots', 'a..b'],
      ['a dot at its begin', '.example.com'],
      ['a hyphen first', '-a.example'],
      ['a hyphen last', 'a-.example'],
      ['a blank', 'a b.example'],
      ['NUL', 'a.example\0.b.example'],
      ['a line end', 'a.example\n'],
      ['a slash', 'a.example/'],
      ['a star', '*.example.com'],
      ['a port', 'a.example:443'],
      ['an address in brackets', '[::1]'],
      ['an address with a zone', 'fe80::1%eth0'],
      ['a number', '12345'],
      ['numbers', '1.2.3'],
      ['five numbers', '1.2.3.4.5'],
      ['leading zeros', '127.0.0.01'],
      ['a byte over 127', Buffer.from([0x61, 0xe9])],
      ['UTF-8', 'bücher.example'],
      ['the Kelvin sign, whose lower case is k', '\u212a.example'],
      ['a label of 64', `${'a'.repeat(64)}.example`],
      ['254 bytes', `${name253}b`],
    ];
    for (const [name, bytes] of bad) it(`not ${name}`, () => expect(nameOf(bytes)).to.equal('(invalid)'));

    it('any DNS name of any case, in lower case', () => {
      holds(
        fc.property(fc.domain(), fc.infiniteStream(fc.boolean()), (name, cases) => {
          const sent = [...name].map((char) => (cases.next().value ? char.toUpperCase() : char)).join('');
          expect(nameOf(sent)).to.equal(name.toLowerCase());
        }),
      );
    });
  });

  describe('is invalid', () => {
    const list = (...names: Buffer[]) => vector16(Buffer.concat(names));
    const host = (name: string, type = 0) => Buffer.concat([uint8(type), vector16(Buffer.from(name))]);
    const cases: [string, Buffer][] = [
      ['no handshake record', hex('17 0303 0001 00')],
      ['an alert', hex('15 0303 0002 0228')],
      ['SSL 2', hex('802e 01 0301')],
      ['a record of another major version', hex('16 0203 0001 01')],
      ['an empty record', record(Buffer.alloc(0))],
      ['an empty record between two', Buffer.concat([record(hex('01')), record(Buffer.alloc(0)), record(hex('00'))])],
      ['a record over 16,384 bytes', record(hex('0100'), { length: 16_385 })],
      ['another type of record behind the first', Buffer.concat([record(helloMessage().subarray(0, 9)), hex('14')])],
      ['a ServerHello', record(handshake(2, helloMessage().subarray(4)))],
      ['a byte behind the message in its record', record(Buffer.concat([helloMessage(), uint8(0)]))],
      ['two messages in a record', record(Buffer.concat([helloMessage(), helloMessage()]))],
      ['an empty message', record(handshake(1, Buffer.alloc(0)))],
      ['a message cut off', record(handshake(1, helloMessage().subarray(4, 60)))],
      ['a legacy version of SSL 2', record(helloMessage({ legacyVersion: 0x0200 }))],
      ['a session ID of 33 bytes', record(helloMessage({ sessionId: Buffer.alloc(33) }))],
      ['no cipher suites', record(helloMessage({ cipherSuites: Buffer.alloc(0) }))],
      ['half a cipher suite', record(helloMessage({ cipherSuites: Buffer.alloc(3) }))],
      ['no compression methods', record(helloMessage({ compressionMethods: Buffer.alloc(0) }))],
      ['bytes behind the extensions', record(helloMessage({ rest: uint8(0) }))],
      ['half a length of extensions', record(helloMessage({ extensions: undefined, rest: uint8(0) }))],
      ['extensions cut off', record(helloMessage({ extensions: undefined, rest: vector16(alpn('h2'), 20) }))],
      ['an extension cut off', hello(Buffer.concat([uint16(99), vector16(Buffer.alloc(3), 4)]))],
      ['an extension twice', hello(extension(99, uint8(0)), extension(99, uint8(0)))],
      ['a name twice', hello(serverName('a.example'), alpn('h2'), serverName('b.example'))],
      ['ALPN twice', hello(alpn('h2'), alpn('h2'))],
      ['an empty server_name', hello(extension(0, Buffer.alloc(0)))],
      ['an empty list of names', hello(extension(0, list()))],
      ['two names', hello(extension(0, list(host('a.example'), host('b.example'))))],
      ['a name of another type', hello(extension(0, list(host('a.example', 1))))],
      ['a byte behind the names', hello(extension(0, Buffer.concat([list(host('a.b')), uint8(0)])))],
      ['a name cut off', hello(extension(0, list(Buffer.concat([uint8(0), vector16(Buffer.from('a'), 2)]))))],
      ['a list of names cut off', hello(extension(0, vector16(host('a.b'), 20)))],
      ['an empty ALPN', hello(extension(16, Buffer.alloc(0)))],
      ['an empty list of protocols', hello(extension(16, vector16(Buffer.alloc(0))))],
      ['a protocol without a name', hello(alpn('h2', ''))],
      ['a protocol cut off', hello(extension(16, vector16(vector8(Buffer.from('h'), 2))))],
      ['a byte behind the protocols', hello(extension(16, Buffer.concat([vector16(vector8(uint8(65))), uint8(0)])))],
      ['no versions', hello(supportedVersions())],
      ['half a version', hello(extension(43, vector8(uint8(3))))],
      ['a byte behind the versions', hello(extension(43, Buffer.concat([vector8(uint16(TLS13)), uint8(0)])))],
    ];
    for (const [name, bytes] of cases) {
      it(name, () => {
        expect(read(bytes)).to.equal('invalid');
        // More bytes do not help, and fewer are not more.
        expect(read(Buffer.concat([bytes, RFC8448]))).to.equal('invalid');
        for (let length = 0; length < bytes.length; length++) {
          expect(read(bytes.subarray(0, length)), `${length} bytes`).to.be.oneOf(['incomplete', 'invalid']);
        }
      });
    }
  });

  describe('is too long', () => {
    const bytes = hello(serverName('a.example'));

    it('over its limit, and not at it', () => {
      expect(whole(bytes, bytes.length).length).to.equal(bytes.length);
      expect(read(bytes, bytes.length - 1)).to.equal('too-long');
      const split = records(bytes.subarray(5), 10);
      expect(whole(split, split.length).length).to.equal(split.length);
      expect(read(split, split.length - 1)).to.equal('too-long');
    });

    it('as soon as its length is known', () => {
      const announced = record(handshake(1, Buffer.alloc(0), 0xffffff));
      expect(read(announced)).to.equal('too-long');
      expect(read(announced.subarray(0, -1))).to.equal('incomplete');
      expect(read(record(hex('01'), { length: 16_384 }).subarray(0, 5), 16_000)).to.equal('too-long');
      expect(read(records(handshake(1, Buffer.alloc(0), 20_000), 1))).to.equal('too-long');
    });

    it('in records of one byte too: what is held is bounded', () => {
      const message = helloMessage({ extensions: [extension(21, Buffer.alloc(4000))] });
      const split = records(message, 1);
      expect(split.length).to.be.above(LIMIT);
      expect(read(split.subarray(0, LIMIT))).to.equal('too-long');
    });
  });

  it('property: what is built is read, however it is cut', () => {
    const names = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 255 }), {
      minLength: 1,
      maxLength: 5,
    });
    const versions = fc.array(fc.constantFrom(0x0301, 0x0302, TLS12, TLS13, 0x7f1c), { minLength: 1, maxLength: 5 });
    const others = fc.uniqueArray(fc.integer({ min: 50, max: 0xffff }), { maxLength: 10 });
    holds(
      fc.property(
        fc.option(fc.domain()),
        fc.option(names),
        fc.option(versions),
        others,
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
        (name, protocols, offered, types, lengths) => {
          const extensions = [
            ...types.map((type) => extension(type, Buffer.alloc(type % 40))),
            ...(name === null ? [] : [serverName(name)]),
            ...(protocols === null ? [] : [alpn(...protocols)]),
            ...(offered === null ? [] : [supportedVersions(...offered)]),
          ];
          const bytes = records(helloMessage({ extensions }), ...lengths);
          expect(read(bytes)).to.deep.equal({
            serverName: name?.toLowerCase(),
            alpn: protocols ?? [],
            versions: offered ?? [TLS12],
            length: bytes.length,
          });
        },
      ),
    );
  });

  it('property: one fault is final, and nothing is read out of noise', () => {
    holds(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 300 }), (noise, cut) => {
        const bytes = Buffer.from(noise);
        const early = read(bytes.subarray(0, cut));
        if (early === 'invalid' || early === 'too-long') expect(read(bytes)).to.equal(early);
        expect(typeof read(bytes)).to.equal('string');
      }),
    );
  });
});
