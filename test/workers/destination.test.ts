import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { encodeProxyV2 } from '../../src/wire/proxy-protocol.js';
import { destinationOf } from '../../src/workers/destination.js';
import { idOf, tombstone } from '../support/bytes.js';

const secret = randomBytes(32);
const claim = tombstone({ secret, instance: randomBytes(8) });
const known = { connectionId: idOf(secret) };
const proxyV1 = Buffer.from('PROXY TCP4 10.1.2.3 10.1.2.4 4711 443\r\n');
const proxyV2 = encodeProxyV2({
  command: 'proxy',
  version: 2,
  source: { address: '10.1.2.3', port: 4711 },
  destination: { address: '10.1.2.4', port: 443 },
});

describe('where first bytes belong', () => {
  it('a tombstone: to its session, as soon as it is whole', () => {
    for (let length = 0; length < claim.length; length++) {
      expect(destinationOf(claim.subarray(0, length)), `${length} bytes`).to.equal('undecided');
    }
    expect(destinationOf(claim)).to.deep.equal(known);
    expect(destinationOf(Buffer.concat([claim, Buffer.from('more')]))).to.deep.equal(known);
  });

  it('a tombstone behind a PROXY header: to its session too', () => {
    for (const header of [proxyV1, proxyV2]) {
      const whole = Buffer.concat([header, claim]);
      for (let length = 0; length < whole.length; length++) {
        expect(destinationOf(whole.subarray(0, length)), `${length} bytes`).to.equal('undecided');
      }
      expect(destinationOf(whole)).to.deep.equal(known);
    }
  });

  it('anything else: to anyone', () => {
    const hello = Buffer.from('160301', 'hex');
    const others = {
      tls: hello,
      'tls behind a header': Buffer.concat([proxyV1, hello]),
      'two headers': Buffer.concat([proxyV1, proxyV1]),
      SSLRequest: Buffer.from('0000000804d2162f', 'hex'),
      'a bad header': Buffer.from('PROXY nonsense\r\n'),
      'a bad tombstone': Buffer.from('TTLS\xff\xff', 'latin1'),
      'no protobuf': Buffer.from('TTLS\x00\x01\xff', 'latin1'),
      'no protocol': Buffer.from('GET /'),
    };
    for (const [name, bytes] of Object.entries(others)) expect(destinationOf(bytes), name).to.equal('anyone');
  });
});
