import { spawn } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import { searchMemory, tracesOf } from '../../../examples/keys/memory-search.js';
import { skip } from '../../support/skip.js';

const pkcs8 = { format: 'pem', type: 'pkcs8' } as const;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

/** A process that has what it is sent, undone from hexadecimal, and nothing else of it. */
const HOLDER = `
  let text = '';
  process.stdin.setEncoding('latin1').once('data', (hex) => {
    const held = Buffer.alloc(hex.length / 2);
    for (let i = 0; i < held.length; i++) held[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16) ^ 0x55;
    globalThis.held = held;
    console.log('held');
  });`;

async function searchHolder(bytes: Buffer, pem: string) {
  const child = spawn(process.execPath, ['--eval', HOLDER]);
  try {
    child.stdin.write(Buffer.from(bytes.map((byte) => byte ^ 0x55)).toString('hex'));
    await once(child.stdout, 'data');
    return searchMemory(child.pid ?? 0, tracesOf(pem));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

describe('examples: the search for a key in the memory of a process', () => {
  before(function () {
    if (process.platform !== 'linux') skip(this, 'there is no /proc of Linux here');
  });

  for (const [name, key] of Object.entries({ ECDSA: ec, RSA: rsa })) {
    const pem = String(key.export(pkcs8));
    const { d = '', p = d, q = d } = key.export({ format: 'jwk' });
    const numbers = [p, q].map((text) => Buffer.from(text, 'base64url'));

    it(`looks for the secret of ${name}, and nothing that others know`, () => {
      const der = key.export({ format: 'der', type: 'pkcs8' });
      const open = createPrivateKey(pem).export({ format: 'jwk' });
      for (const { form, bytes } of tracesOf(pem)) {
        expect(bytes.length, form).to.be.at.least(18);
        if (form === 'number') expect(der.includes(bytes)).to.equal(true);
        if (form === 'PEM') expect(pem).to.include(bytes.toString());
        for (const known of [open.n, open.x, open.y]) {
          if (known) expect(Buffer.from(known, 'base64url').includes(bytes)).to.equal(false);
        }
      }
    });

    for (const number of new Set(numbers)) {
      it(`finds a number of ${name} in either order (${number.length} bytes)`, async () => {
        expect((await searchHolder(number, pem)).found).to.deep.equal(['number']);
        expect((await searchHolder(Buffer.from(number).reverse(), pem)).found).to.deep.equal(['number of OpenSSL']);
      });
    }

    it(`finds the PEM text of ${name}`, async () => {
      expect((await searchHolder(Buffer.from(pem), pem)).found).to.deep.equal(['PEM']);
    });

    it(`finds nothing of ${name} where there is nothing, in memory that was read`, async () => {
      const other = Buffer.from(numbers[0] ?? []);
      other.writeUInt8(other.readUInt8(0) ^ 1);
      const { found, searched } = await searchHolder(other, pem);
      expect(found).to.deep.equal([]);
      expect(searched).to.be.above(10_000_000);
    });
  }

  it('says where it may not look', () => {
    expect(() => searchMemory(2 ** 22 + 1, tracesOf(String(ec.export(pkcs8))))).to.throw('ENOENT');
  });
});
