import { expect } from 'chai';
import * as constants from '../../src/wire/constants.js';
import { bytesField, checked, varintField } from '../support/bytes.js';

describe('wire/constants', () => {
  it('are those of the specification', () => {
    expect({ ...constants }).to.deep.equal({
      DATAGRAM_MAX: 1200,
      CLIENT_DATAGRAM_MIN: 400,
      AMPLIFICATION_MAX: 3,
      CONNECTION_ID_LENGTH: 16,
      SECRET_LENGTH: 32,
      INSTANCE_LENGTH: 8,
      CHECK_LENGTH: 8,
      SERVER_OVERHEAD_MAX: 64,
      PAYLOAD_MAX: 1136,
      SEQUENCE_MAX: 64,
      DATAGRAM_PREFIX: 0x0a10,
      FRAME_MAGIC: 0x54544c53,
      FRAME_HEADER_LENGTH: 6,
      FRAME_BODY_MAX: 256,
    });
  });

  it('leave room for every field of a server datagram at its longest', () => {
    const longest = checked(
      bytesField(1, Buffer.alloc(constants.CONNECTION_ID_LENGTH)),
      varintField(2, 2),
      varintField(3, constants.SEQUENCE_MAX),
      varintField(4, constants.SEQUENCE_MAX),
      bytesField(5, Buffer.alloc(constants.PAYLOAD_MAX)),
      bytesField(7, Buffer.alloc(constants.INSTANCE_LENGTH)),
      varintField(8, 0xffff_ffff),
      varintField(9, 0xffff_ffff),
    );
    expect(longest.length - constants.PAYLOAD_MAX).to.be.at.most(constants.SERVER_OVERHEAD_MAX);
    expect(longest.length).to.be.at.most(constants.DATAGRAM_MAX);
  });

  it('make one answer at most three times as long as the shortest request', () => {
    expect(constants.CLIENT_DATAGRAM_MIN * constants.AMPLIFICATION_MAX).to.be.at.least(constants.DATAGRAM_MAX);
  });
});
