/**
 * Matrix item 2, what a gateway reads before it knows whom it talks to: first bytes, ClientHello, PROXY headers. Whatever
 * comes, nothing throws, memory does not grow, and a verdict once given holds however many more bytes follow. More than
 * half of the inputs are valid ones with one thing changed.
 *
 * TURBOTLS_COUNT sets how many inputs of each kind, TURBOTLS_SEED which.
 */
import { expect } from 'chai';
import { readClientHello } from '../../src/wire/client-hello.js';
import { crc32c } from '../../src/wire/crc32c.js';
import { detectFirstBytes, FIRST_BYTES_MAX } from '../../src/wire/first-bytes.js';
import { encodeProxyV2, type ProxyHeader, readProxyHeader } from '../../src/wire/proxy-protocol.js';
import { Random } from '../simulator/random.js';
import { hex } from '../support/bytes.js';
import { clientHello } from '../support/client-hello.js';
import { memoryInUse } from '../support/garbage.js';
import {
  alpn,
  extension,
  helloMessage,
  records,
  serverName,
  supportedVersions,
  uint16,
  vector16,
} from '../support/hello-bytes.js';
import { GROWTH_MAX, TIMEOUT_MS } from './fuzzing.js';
import { announceSeed, byForm, seed } from './support.js';

const COUNT = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 20_000, long: 3_500_000 }));
const HELLO_LIMIT = 4096;
const EDGES = [0, 1, 2, 3, 4, 5, 0x10, 0x7f, 0x80, 0xff];

/** Ways to change the bytes of something valid. */
const MUTATIONS: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, random.bytes(1 + random.int(40))]),
  (bytes, random) => changed(bytes, random, (copy, at) => copy.writeUInt8(random.int(256), at)),
  (bytes, random) =>
    changed(bytes, random, (copy, at) => copy.writeUInt8(copy.readUInt8(at) ^ (1 << random.int(8)), at)),
  // A number, most often a length, at its edges or off by one.
  (bytes, random) => changed(bytes, random, (copy, at) => copy.writeUInt8(random.pick(EDGES), at)),
  (bytes, random) =>
    changed(bytes, random, (copy, at) => copy.writeUInt8((copy.readUInt8(at) + random.pick([1, 255])) & 255, at)),
  // A part twice, or left out.
  (bytes, random) => {
    const [from, to] = [random.int(bytes.length + 1), random.int(bytes.length + 1)];
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
];

function changed(bytes: Buffer, random: Random, change: (copy: Buffer, at: number) => void): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) change(copy, random.int(copy.length));
  return copy;
}

interface Kind {
  name: string;
  /** Something valid. */
  valid: (random: Random) => Buffer;
  /** What is made of the bytes, told in a word; undefined where more are needed. Throws where the reader is wrong. */
  examine: (bytes: Buffer) => string | undefined;
  /** Words that many inputs must come to, or the fuzz would prove nothing. */
  outcomes: string[];
}

const HELLOS = [
  clientHello({ servername: 'db.example.com', ALPNProtocols: ['postgresql', 'h2'] }),
  clientHello({ servername: '' }),
  clientHello({ servername: 'x.example', maxVersion: 'TLSv1.2' }),
].map((bytes) => bytes.subarray(5));

/** The message of a ClientHello, one of Node's or one with extensions in any order. */
function anyHello(random: Random): Buffer {
  if (random.chance(0.3)) return random.pick(HELLOS);
  const names = ['a.example', 'A.B', '10.0.0.1', 'bad..name', 'x'.repeat(63), ''];
  const extensions = [
    serverName(random.pick(names)),
    alpn(...Array.from({ length: random.int(4) }, () => random.pick(['h2', 'postgresql', '\n\n', '']))),
    supportedVersions(...Array.from({ length: random.int(4) }, () => random.pick([0x0304, 0x0303, 0x7a7a]))),
    extension(random.int(0x10000), random.bytes(random.int(30))),
    extension(21, Buffer.alloc(random.int(random.pick([10, 400, 5000])))),
  ];
  const some = random.shuffle(extensions).slice(0, random.int(extensions.length + 1));
  return helloMessage({ extensions: random.chance(0.05) ? undefined : some });
}

function recordsOf(message: Buffer, random: Random): Buffer {
  if (message.length === 0) return message;
  return random.chance(0.5)
    ? records(message)
    : records(message, ...[0, 0, 0].map(() => 1 + random.int(message.length)));
}

const HELLO: Kind = {
  name: 'ClientHello',
  valid: (random) => {
    const message = anyHello(random);
    // Changed before it is put in records, so that these are right.
    return recordsOf(random.chance(0.5) ? random.pick(MUTATIONS)(message, random) : message, random);
  },
  examine: (bytes) => {
    const read = readClientHello(bytes, HELLO_LIMIT);
    if (typeof read === 'string') return read === 'incomplete' ? undefined : read;
    expect(read.length).to.be.at.most(Math.min(bytes.length, HELLO_LIMIT));
    expect(readClientHello(bytes.subarray(0, read.length - 1), HELLO_LIMIT)).to.equal('incomplete');
    expect(read.serverName ?? 'none').to.match(/^[a-z0-9_][a-z0-9_.-]*$/);
    expect(read.alpn).not.to.include('');
    return `read ${JSON.stringify(read)}`;
  },
  outcomes: ['read', 'invalid', 'too-long', 'incomplete'],
};

const V1_LINES = [
  'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n',
  'PROXY TCP6 2001:db8::1 ::ffff:10.0.0.1 1 65535\r\n',
  'PROXY UNKNOWN\r\n',
].map((line) => Buffer.from(line));

function anyHeader(random: Random): ProxyHeader {
  const address = () => random.pick(['10.0.0.1', '255.255.255.255', '::1', '2001:db8::1', '::ffff:10.0.0.1']);
  const endpoint = () => ({ address: address(), port: random.int(65536) });
  return {
    command: random.chance(0.1) ? 'local' : 'proxy',
    version: 2,
    source: endpoint(),
    destination: random.chance(0.1) ? undefined : endpoint(),
    alpn: random.chance(0.5) ? random.pick(['h2', '', '\xff']) : undefined,
    authority: random.chance(0.5) ? random.pick(['a.example', 'Ελλάδα', 'x'.repeat(400)]) : undefined,
    tls: random.chance(0.5)
      ? { verified: random.chance(0.5), version: 'TLSv1.3', commonName: random.chance(0.5) ? 'alice' : undefined }
      : undefined,
  };
}

/** The length, and the checksum if there is one at the end, made right again. */
function repaired(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length < 16) return copy;
  copy.writeUInt16BE(copy.length - 16, 14);
  if (copy.length < 23 || copy.toString('hex', copy.length - 7, copy.length - 4) !== '030004') return copy;
  copy.writeUInt32BE(0, copy.length - 4);
  copy.writeUInt32BE(crc32c(copy), copy.length - 4);
  return copy;
}

const PROXY: Kind = {
  name: 'PROXY',
  valid: (random) => {
    if (random.chance(0.3)) return random.pick(V1_LINES);
    const bytes = encodeProxyV2(anyHeader(random));
    if (random.chance(0.4)) return bytes;
    const extra = Buffer.concat([Buffer.from([random.int(256)]), vector16(random.bytes(random.int(30)))]);
    return repaired(random.chance(0.5) ? Buffer.concat([bytes, extra]) : random.pick(MUTATIONS)(bytes, random));
  },
  examine: (bytes) => {
    const read = readProxyHeader(bytes);
    if (typeof read === 'string') return read === 'incomplete' ? undefined : read;
    expect(read.length).to.be.at.most(bytes.length);
    expect(readProxyHeader(bytes.subarray(0, read.length - 1))).to.equal('incomplete');
    const again = readProxyHeader(encodeProxyV2(read.header));
    if (typeof again === 'string') return expect.fail(`what was read is ${again} when it is written`);
    expect(encodeProxyV2(again.header)).to.deep.equal(encodeProxyV2(read.header));
    return `read ${JSON.stringify(read)}`;
  },
  outcomes: ['read', 'invalid', 'incomplete'],
};

const STARTS = [
  hex('54544c53 0010 00'),
  hex('160301 0100 01'),
  hex('00000008 04d2162f'),
  hex('00000008 04d21630'),
  hex('00000010 04d2162e 00000001 00000002'),
  hex('0000010c 04d2162e 00000001 00000002'),
  hex('00000029 00030000 75736572'),
  hex('00002714 0003000f 75736572'),
  Buffer.from('PROXY TCP4 '),
  hex('0d0a0d0a000d0a515549540a 2111 000c'),
];

const FIRST_BYTES: Kind = {
  name: 'first bytes',
  valid: (random) => random.pick(STARTS),
  examine: (bytes) => {
    const detected = detectFirstBytes(bytes);
    if (detected === 'undecided') expect(bytes.length).to.be.below(FIRST_BYTES_MAX);
    return detected === 'undecided' ? undefined : detected;
  },
  outcomes: ['unknown', 'incomplete', 'tls', 'tombstone', 'pg-startup', 'pg-cancel-request', 'proxy-v1', 'proxy-v2'],
};

/** Of a fault it does not matter which, as it is the end: bytes that would be too many may turn out to be wrong. */
function settled(verdict: string | undefined): string | undefined {
  return verdict === 'invalid' || verdict === 'too-long' ? 'fault' : verdict;
}

describe('matrix 2: fuzz, gateway', () => {
  announceSeed();

  for (const { name, valid, examine, outcomes } of [FIRST_BYTES, HELLO, PROXY]) {
    it(`${COUNT.toLocaleString('en-US')} of ${name}, whole and cut`, function () {
      this.timeout(TIMEOUT_MS);
      const random = new Random(`${seed} ${name}`);
      const seen = new Map<string, number>();
      const begin = performance.now();
      let heapBefore = 0;
      let noise = 0;
      for (let count = 0; count < COUNT; count++) {
        if (count === Math.floor(COUNT / 10)) heapBefore = memoryInUse();
        const isNoise = random.chance(0.2);
        if (isNoise) noise++;
        const honest = isNoise ? random.bytes(random.int(200)) : valid(random);
        const bytes = random.chance(0.4) ? random.pick(MUTATIONS)(honest, random) : honest;
        const verdict = examine(bytes);
        const early = examine(bytes.subarray(0, random.int(bytes.length + 1)));
        if (early !== undefined) expect(settled(verdict), 'with more bytes').to.equal(settled(early));
        const more = examine(Buffer.concat([bytes, uint16(random.int(0x10000))]));
        if (verdict !== undefined) expect(settled(more), 'with two more bytes').to.equal(settled(verdict));
        const outcome = verdict?.split(' ', 1)[0] ?? 'incomplete';
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }
      const growth = memoryInUse() - heapBefore;
      const rate = COUNT / ((performance.now() - begin) / 1000);
      console.log(
        `      ${noise} noise; ${rate.toFixed(0)}/s, heap ${(growth / 1024).toFixed(0)} KiB;`,
        JSON.stringify(Object.fromEntries(seen)),
      );
      expect(growth).to.be.below(GROWTH_MAX);
      for (const outcome of outcomes) expect(seen.get(outcome), outcome).to.be.above(COUNT / 500);
    });
  }
});
