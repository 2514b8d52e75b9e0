import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createSecureContext, createServer, type SecureVersion, type Server } from 'node:tls';
import { expect } from 'chai';
import { groupAskedFor, withGroupFirst } from '../src/key-share.js';
import { type Certificate, makeCertificate } from './support/certificates.js';
import { clientHello } from './support/client-hello.js';

/** The groups of a ClientHello: supported_groups (10), in order, and those with a key share (51). RFC 8446, 4.2. */
function groupsOf(hello: Buffer): { offered: number[]; shares: number[] } {
  let at = 5 + 4 + 2 + 32;
  at += 1 + (hello[at] as number); // session ID
  at += 2 + hello.readUInt16BE(at); // cipher suites
  at += 1 + (hello[at] as number) + 2; // compression methods, length of the extensions
  const found: { offered: number[]; shares: number[] } = { offered: [], shares: [] };
  while (at < hello.length) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    const body = hello.subarray(at + 4, at + 4 + length);
    if (type === 10) for (let i = 2; i < body.length; i += 2) found.offered.push(body.readUInt16BE(i));
    if (type === 51)
      for (let i = 2; i < body.length; i += 4 + body.readUInt16BE(i + 2)) found.shares.push(body.readUInt16BE(i));
    at += 4 + length;
  }
  return found;
}

const P256 = 23;
const P384 = 24;
const P521 = 25;
const X448 = 30;
const BY_NAME: Record<string, number> = { 'P-256': P256, 'P-384': P384, 'P-521': P521, X448 };

describe('client/key-share', () => {
  let certificate: Certificate;

  before(async () => {
    certificate = await makeCertificate();
  });

  for (const [name, number] of Object.entries(BY_NAME)) {
    it(`offers ${name} first, with its key share, and no group less than before`, () => {
      const usual = groupsOf(clientHello());
      const asked = groupsOf(clientHello(withGroupFirst({}, name)));
      expect(asked.offered[0]).to.equal(number);
      expect(asked.shares).to.include(number);
      expect(usual.shares).not.to.include(number);
      const missing = usual.offered.filter((group) => group < 256 && !asked.offered.includes(group));
      expect(missing).to.deep.equal([]);
      expect(new Set(asked.offered).size).to.equal(asked.offered.length);
    });
  }

  it('keeps the order of the others', () => {
    const usual = groupsOf(clientHello()).offered.filter((group) => group !== P256);
    const asked = groupsOf(clientHello(withGroupFirst({}, 'P-256'))).offered;
    expect(asked.slice(1)).to.deep.equal(usual.filter((group) => asked.includes(group)));
  });

  it('leaves alone what the caller has chosen, and where nothing was asked for', () => {
    const secureContext = createSecureContext();
    for (const options of [{ ecdhCurve: 'X25519' }, { secureContext }]) {
      expect(withGroupFirst(options, 'P-256')).to.equal(options);
    }
    const options = { port: 443 };
    expect(withGroupFirst(options, undefined)).to.equal(options);
    expect(withGroupFirst(options, 'P-256')).to.include({ port: 443 }).and.not.equal(options);
    expect(options).to.deep.equal({ port: 443 });
  });

  describe('learns from a handshake', () => {
    async function handshake(
      ecdhCurve: string | undefined,
      { maxVersion, session }: { maxVersion?: SecureVersion; session?: Buffer } = {},
    ) {
      const { key, cert, ca } = certificate;
      const server: Server = createServer({
        key,
        cert,
        ...(ecdhCurve && { ecdhCurve }),
        ...(maxVersion && { maxVersion }),
      });
      server.on('secureConnection', (socket) => socket.on('error', () => {}).end('hello'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const client = connect({ port, host: '127.0.0.1', servername: 'localhost', ca, ...(session && { session }) });
      await once(client, 'secureConnect');
      const group = groupAskedFor(client);
      client.destroy();
      server.close();
      await once(server, 'close');
      return group;
    }

    for (const name of Object.keys(BY_NAME)) {
      it(`that the server asked for ${name}`, async () => {
        expect(await handshake(name)).to.equal(name);
      });
    }

    it('nothing where the first share was taken', async () => {
      expect(await handshake(undefined)).to.equal(undefined);
      expect(await handshake('X25519')).to.equal(undefined);
    });

    it('nothing of TLS 1.2, which has no shares', async () => {
      expect(await handshake('P-256', { maxVersion: 'TLSv1.2' })).to.equal(undefined);
    });
  });
});
