import { expect } from 'chai';
import * as fc from 'fast-check';
import { connectionIdOf, makeSecret } from '../../src/wire/identity.js';
import { hex, idOf } from '../support/bytes.js';
import { holds } from '../support/property.js';

describe('wire/identity', () => {
  it('derives the connection ID: a vector', () => {
    const secret = hex('000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f');
    expect(connectionIdOf(secret).toString('hex')).to.equal('7958ffa1ebf4e31454e0b31ad84d9c51');
  });

  it('derives it as SHA-256 over the label and the secret, of any secret', () => {
    holds(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) =>
        connectionIdOf(secret).equals(idOf(secret)),
      ),
    );
  });

  it('makes secrets of 32 bytes, another each time', () => {
    const secrets = Array.from({ length: 100 }, () => makeSecret().toString('hex'));
    expect(new Set(secrets).size).to.equal(100);
    for (const secret of secrets) expect(secret).to.have.length(64);
  });
});
