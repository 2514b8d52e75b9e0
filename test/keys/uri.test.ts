import { expect } from 'chai';
import { parseKeyUri } from '../../src/keys/index.js';

describe('PKCS#11 URIs', () => {
  const good: [uri: string, expected: object][] = [
    [
      'pkcs11:token=web;object=example.com?pin-source=file:/etc/pin',
      { path: 'pkcs11:token=web;object=example.com', pin: { file: '/etc/pin' }, module: undefined },
    ],
    ['pkcs11:serial=0a1b;id=%01%ff', { path: 'pkcs11:serial=0a1b;id=%01%ff', pin: undefined }],
    ['pkcs11:token=a%20b;object=c;type=private', { path: 'pkcs11:token=a%20b;object=c;type=private' }],
    ['pkcs11:token=a;object=b?pin-source=file:///run/pin%20of%20a', { pin: { file: '/run/pin of a' } }],
    ['pkcs11:token=a;object=b?pin-source=/run/pin', { pin: { file: '/run/pin' } }],
    ['pkcs11:token=a;object=b?pin-source=env:WEB_PIN', { pin: { variable: 'WEB_PIN' } }],
    ['pkcs11:token=a;object=b?module-path=/usr/lib/hsm.so&pin-source=/p', { module: '/usr/lib/hsm.so' }],
    ['pkcs11:token=a=b;object=c', { path: 'pkcs11:token=a=b;object=c' }],
  ];
  for (const [uri, expected] of good) {
    it(`takes ${uri}`, () => expect(parseKeyUri(uri)).to.deep.include(expected));
  }

  const bad: [uri: string, why: RegExp][] = [
    ['', /begins with "pkcs11:"/],
    ['/etc/key.pem', /begins with "pkcs11:"/],
    ['PKCS11:token=a;object=b', /begins with "pkcs11:"/],
    ['pkcs11:', /needs token/],
    ['pkcs11:object=b', /needs token/],
    ['pkcs11:token=a', /needs object/],
    ['pkcs11:token=a;object=b;type=public', /type can only be private/],
    ['pkcs11:token=a;object=b;token=c', /token is there twice/],
    ['pkcs11:token=a;object=', /object has no value/],
    ['pkcs11:token=a;object', /object has no value/],
    ['pkcs11:token=a;object=b;', /an attribute that is none of/],
    ['pkcs11:token=a;object=b;slot-id=1', /an attribute that is none of/],
    ['pkcs11:token=a b;object=c', /percent-encoded/],
    ['pkcs11:token=a;object=%zz', /percent-encoded/],
    ['pkcs11:token=a;object=b\n', /percent-encoded/],
    ['pkcs11:token=a;object=b?pin-source=pin', /file:\/absolute\/path or env:NAME/],
    ['pkcs11:token=a;object=b?pin-source=|cat%20pin', /file:\/absolute\/path or env:NAME/],
    ['pkcs11:token=a;object=b?pin-source=file://host/pin', /file:\/absolute\/path or env:NAME/],
    ['pkcs11:token=a;object=b?pin-source=/p%00q', /file:\/absolute\/path or env:NAME/],
  ];
  for (const [uri, why] of bad) {
    it(`refuses ${JSON.stringify(uri)}`, () => {
      expect(() => parseKeyUri(uri))
        .to.throw(why)
        .with.property('code', 'ERR_KEY_URI');
    });
  }

  it('refuses a PIN in them, and says where it may be', () => {
    expect(() => parseKeyUri('pkcs11:token=a;object=b?pin-value=1')).to.throw(/use pin-source/);
  });

  it('refuses a PIN in them, and does not repeat it', () => {
    for (const uri of [
      'pkcs11:token=a;object=b?pin-value=4711',
      'pkcs11:token=a;object=b;pin-value=4711',
      'pkcs11:token=a;object=b?pin-value=4711&pin-source=/p',
      'pkcs11:token=a;object=b?4711',
      'pkcs11:token=a;object=b?pin=4711',
    ]) {
      expect(() => parseKeyUri(uri))
        .to.throw(/^(?!.*4711)/s)
        .with.property('code', 'ERR_KEY_URI');
    }
  });
});
