import { createCipheriv, createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import { Opener, Sealer, type TrafficKey, trafficKey } from '../../../bench/overhead/records.js';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** RFC 8448, section 3: a connection with TLS_AES_128_GCM_SHA256. */
const SUITE = 'TLS_AES_128_GCM_SHA256';
const CLIENT_SECRET = hex('9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5');
const SERVER_SECRET = hex('a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643');
const PLAIN = Buffer.from(Array.from({ length: 50 }, (_, index) => index));
/** The first record that the client sends after its Finished. */
const CLIENT_RECORD = hex(`
  17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f 2b 98 19 a8 a5 b4 6b
  39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4`);

/** The record of this number, whatever it holds: made without Sealer. */
function sealed({ cipher, key, iv }: TrafficKey, sequence: number, inner: Buffer): Buffer {
  const nonce = Buffer.from(iv);
  nonce[11] = (nonce[11] as number) ^ sequence;
  const header = hex('17 03 03 00 00');
  header.writeUInt16BE(inner.length + 16, 3);
  const gcm = createCipheriv(cipher, key, nonce).setAAD(header);
  return Buffer.concat([header, gcm.update(inner), gcm.final(), gcm.getAuthTag()]);
}

describe('benchmark of overhead: records by hand', () => {
  const key: TrafficKey = trafficKey(SUITE, CLIENT_SECRET);

  it('derives the keys of RFC 8448', () => {
    expect(key.key.equals(createSecretKey(hex('17422dda596ed5d9acd890e3c63f5051')))).to.equal(true);
    expect(key.iv).to.deep.equal(hex('5b78923dee08579033e523d9'));
    const server = trafficKey(SUITE, SERVER_SECRET);
    expect(server.key.equals(createSecretKey(hex('9f02283b6c9c07efc26bb9f2ac92e356')))).to.equal(true);
    expect(server.iv).to.deep.equal(hex('cf782b88dd83549aadf1e984'));
  });

  it('seals and opens the record of RFC 8448', () => {
    expect(new Sealer(key).seal(PLAIN)).to.deep.equal(CLIENT_RECORD);
    expect(new Opener(key).open(CLIENT_RECORD)).to.deep.equal([PLAIN]);
  });

  it('opens records in any pieces, numbered on', () => {
    const sealer = new Sealer(key);
    const bytes = Buffer.concat([1, 2, 3].map((count) => sealer.seal(Buffer.alloc(count, count))));
    for (let size = 1; size <= bytes.length; size++) {
      const opener = new Opener(key);
      const opened: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) opened.push(...opener.open(bytes.subarray(at, at + size)));
      expect(opened, `pieces of ${size}`).to.deep.equal([Buffer.of(1), Buffer.of(2, 2), Buffer.of(3, 3, 3)]);
    }
  });

  it('counts tickets, takes padding off, and knows the end', () => {
    const opener = new Opener(key);
    const records = [hex('04 00000000 16'), hex('6869 17 0000'), hex('01 00 15')];
    const bytes = Buffer.concat(records.map((inner, sequence) => sealed(key, sequence, inner)));
    expect(opener.open(bytes)).to.deep.equal([Buffer.from('hi')]);
    expect(opener).to.include({ tickets: 1, closed: true });
  });

  const refused: [string, Buffer, string][] = [
    ['a KeyUpdate', hex('18 000001 00 16'), 'handshake message 24'],
    ['an alert', hex('02 50 15'), 'alert 80'],
    ['a content type that there is not', hex('00 14'), 'content type 20'],
    ['nothing but padding', hex('00 00'), 'content type undefined'],
  ];
  for (const [name, inner, message] of refused) {
    it(`says that it does not understand ${name}`, () => {
      expect(() => new Opener(key).open(sealed(key, 0, inner))).to.throw(message);
    });
  }

  it('refuses what was changed, repeated or left out', () => {
    const sealer = new Sealer(key);
    const [first, second] = [sealer.seal(PLAIN), sealer.seal(PLAIN)];
    for (const at of [1, 5, first.length - 1]) {
      const changed = Buffer.from(first);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => new Opener(key).open(changed), `byte ${at}`).to.throw();
    }
    const opener = new Opener(key);
    opener.open(first);
    expect(() => opener.open(first)).to.throw();
    expect(() => new Opener(key).open(second)).to.throw();
  });
});
