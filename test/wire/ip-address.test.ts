import { BlockList, isIP, SocketAddress } from 'node:net';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { formatIp, mapped, parseIp, parseIpv4, parseIpv6, unmapped } from '../../src/wire/ip-address.js';
import { hex } from '../support/bytes.js';
import { holds } from '../support/property.js';

/** Texts that are nearly addresses, and many that are. */
const nearly = fc
  .array(fc.constantFrom('0', '1', '9', '255', '256', '00', 'f', 'ffff', '10000', 'g', ':', '::', '.', ' ', '-', '%'), {
    maxLength: 18,
  })
  .map((parts) => parts.join(''));

describe('wire/ip-address', () => {
  const pairs: [string, string, string?][] = [
    ['0.0.0.0', '00000000'],
    ['192.0.2.1', 'c0000201'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00000000 00000000 00000000 00000000'],
    ['::1', '00000000 00000000 00000000 00000001'],
    ['1::', '00010000 00000000 00000000 00000000'],
    ['2001:db8::ff00:42:8329', '20010db8 00000000 0000ff00 00428329'],
    ['1:2:3:4:5:6:7:8', '00010002 00030004 00050006 00070008'],
    // RFC 5952: one group alone is not shortened, of two runs the first, of unequal ones the longest.
    ['2001:db8:0:1:1:1:1:1', '20010db8 00000001 00010001 00010001'],
    ['2001:db8::1:0:0:1', '20010db8 00000000 00010000 00000001'],
    ['2001:0:0:1::1', '20010000 00000001 00000000 00000001'],
    ['::ffff:192.0.2.1', '00000000 00000000 0000ffff c0000201'],
  ];
  for (const [text, digits] of pairs) {
    it(`${text}, both ways`, () => {
      expect(parseIp(text)).to.deep.equal(hex(digits));
      expect(formatIp(hex(digits))).to.equal(text);
    });
  }

  it('reads what it would not write', () => {
    expect(parseIp('2001:DB8:0000::0001')).to.deep.equal(parseIp('2001:db8::1'));
    expect(parseIp('0:0:0:0:0:ffff:c000:0201')).to.deep.equal(parseIp('::ffff:192.0.2.1'));
    expect(parseIp('64:ff9b::1.2.3.4')).to.deep.equal(parseIp('64:ff9b::102:304'));
    expect(parseIp('1:2:3:4:5:6:7::')).to.deep.equal(parseIp('1:2:3:4:5:6:7:0'));
  });

  for (const text of [
    ...[
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.',
      '.1.2.3',
      '01.2.3.4',
      '1.2.3.256',
      '1.2.3.4 ',
      '1.2.3.-4',
      '1.2.3.0x4',
    ],
    ...[
      ':',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      ':1:2:3:4:5:6:7:8',
      '12345::',
    ],
    ...['::1%eth0', '[::1]', '::g', '1.2.3.4::', '::1.2.3', '::1.2.3.4:5', '1:2:3:4:5:6:7:1.2.3.4', '1:'],
  ]) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      expect(parseIp(text)).to.equal(undefined);
      expect(isIP(text) === 0 || text.includes('%')).to.equal(true);
    });
  }

  it('is for one family where that is asked', () => {
    expect(parseIpv4('::1')).to.equal(undefined);
    expect(parseIpv6('1.2.3.4')).to.equal(undefined);
  });

  it('property: an address is what Node takes for one', () => {
    const text = fc.oneof(nearly, fc.ipV4(), fc.ipV6(), fc.ipV4Extended());
    holds(
      fc.property(text, (address) => {
        const family = address.includes('%') ? 0 : isIP(address);
        expect(parseIp(address)?.length).to.equal({ 0: undefined, 4: 4, 6: 16 }[family]);
      }),
      { numRuns: 2000 },
    );
  });

  it('property: the same bytes and the same text as in Node', () => {
    holds(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.ipV4().map((ip) => `::ffff:${ip}`),
        ),
        (address) => {
          const bytes = parseIp(address) as Buffer;
          const family = bytes.length === 4 ? 'ipv4' : 'ipv6';
          const list = new BlockList();
          list.addAddress(address, family);
          expect(list.check(formatIp(bytes), family)).to.equal(true);
          // Node dots all of ::/96, of which only the mapped ones are meant for that.
          const isCompatible = family === 'ipv6' && bytes.subarray(0, 12).equals(Buffer.alloc(12));
          if (!isCompatible) expect(formatIp(bytes)).to.equal(new SocketAddress({ address, family }).address);
          expect(parseIp(formatIp(bytes))).to.deep.equal(bytes);
        },
      ),
    );
  });

  it('goes from IPv4 to IPv6 and back', () => {
    const v4 = hex('c0000201');
    expect(formatIp(mapped(v4))).to.equal('::ffff:192.0.2.1');
    expect(unmapped(mapped(v4))).to.deep.equal(v4);
    expect(unmapped(v4)).to.equal(v4);
    const v6 = parseIp('2001:db8::1') as Buffer;
    expect(unmapped(v6)).to.equal(v6);
    expect(mapped(v6)).to.equal(v6);
    const compatible = parseIp('::192.0.2.1') as Buffer;
    expect(unmapped(compatible)).to.equal(compatible);
  });
});
