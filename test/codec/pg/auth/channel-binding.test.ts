import '../../../support/reflect.js';
import { createHash, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { serverEndPoint } from '../../../../src/codec/pg/auth/channel-binding.js';
import { hex } from '../../../support/bytes.js';
import { holds } from '../../../support/property.js';

x509.cryptoProvider.set(webcrypto);

const RSA = { publicExponent: Uint8Array.of(1, 0, 1), modulusLength: 2048 };

const pss = (hash: string, saltLength: number) => ({ name: 'RSA-PSS', ...RSA, hash, saltLength });

/** How certificates are signed, and the hash that RFC 5929 takes of each; none for those without one. */
const SIGNATURES: [string, webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams, string, string | undefined][] = [
  ['RSA with SHA-1', { name: 'RSASSA-PKCS1-v1_5', ...RSA, hash: 'SHA-1' }, 'SHA-1', 'sha256'],
  ['RSA with SHA-256', { name: 'RSASSA-PKCS1-v1_5', ...RSA, hash: 'SHA-256' }, 'SHA-256', 'sha256'],
  ['RSA with SHA-384', { name: 'RSASSA-PKCS1-v1_5', ...RSA, hash: 'SHA-384' }, 'SHA-384', 'sha384'],
  ['RSA with SHA-512', { name: 'RSASSA-PKCS1-v1_5', ...RSA, hash: 'SHA-512' }, 'SHA-512', 'sha512'],
  ['RSA-PSS with SHA-256', pss('SHA-256', 32), 'SHA-256', 'sha256'],
  ['RSA-PSS with SHA-384', pss('SHA-384', 48), 'SHA-384', 'sha384'],
  ['RSA-PSS with SHA-512', pss('SHA-512', 64), 'SHA-512', 'sha512'],
  ['ECDSA with SHA-1', { name: 'ECDSA', namedCurve: 'P-256' }, 'SHA-1', 'sha256'],
  ['ECDSA with SHA-256', { name: 'ECDSA', namedCurve: 'P-256' }, 'SHA-256', 'sha256'],
  ['ECDSA with SHA-384', { name: 'ECDSA', namedCurve: 'P-384' }, 'SHA-384', 'sha384'],
  ['ECDSA with SHA-512', { name: 'ECDSA', namedCurve: 'P-521' }, 'SHA-512', 'sha512'],
  ['Ed25519', { name: 'Ed25519', namedCurve: 'Ed25519' }, '', undefined],
];

describe('codec/pg/auth/channel-binding', function () {
  this.timeout(30_000);

  for (const [name, key, hash, expected] of SIGNATURES) {
    it(`of a certificate signed by ${name} is ${expected ?? 'none'}`, async () => {
      const certificate = await selfSigned(key, hash);
      const data = serverEndPoint(certificate);
      if (expected === undefined) expect(data).to.equal(undefined);
      else expect(data).to.deep.equal(createHash(expected).update(certificate).digest());
    });
  }

  it('is none for MD5 in an unknown place, and for what is no certificate', () => {
    for (const hex of [
      '',
      '30',
      '3080',
      '30850000000001',
      '3003020101',
      '300430020601',
      '30820102',
      '300a3000300606042a030405',
    ]) {
      expect(serverEndPoint(Buffer.from(hex, 'hex')), hex).to.equal(undefined);
    }
  });

  it('of a certificate cut short is none, and of one with other bytes never an error', async () => {
    const certificate = await selfSigned({ name: 'ECDSA', namedCurve: 'P-256' }, 'SHA-256');
    for (let length = 0; length < certificate.length; length++) {
      expect(serverEndPoint(certificate.subarray(0, length)), `${length} bytes`).to.equal(undefined);
    }
    holds(
      fc.property(fc.nat(certificate.length - 1), fc.nat(255), (at, value) => {
        const other = Buffer.from(certificate);
        other[at] = value;
        serverEndPoint(other);
      }),
      { numRuns: 2000 },
    );
    holds(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        serverEndPoint(Buffer.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes the default hash of RSA-PSS parameters, SHA-1, for SHA-256', () => {
    // Certificate { tbsCertificate {}, { rsassaPss, {} } }
    const certificate = hex('3011 3000 300d 0609 2a864886f70d01010a 3000');
    expect(serverEndPoint(certificate)).to.deep.equal(createHash('sha256').update(certificate).digest());
  });
});

async function selfSigned(
  key: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams,
  hash: string,
): Promise<Buffer> {
  const keys = (await webcrypto.subtle.generateKey(key, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test',
    notBefore: new Date(Date.now() - 1000),
    notAfter: new Date(Date.now() + 1000),
    keys,
    signingAlgorithm: { ...key, hash } as x509.PublicKeyType & webcrypto.EcdsaParams,
  });
  return Buffer.from(certificate.rawData);
}
