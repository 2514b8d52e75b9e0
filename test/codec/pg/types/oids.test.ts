import { expect } from 'chai';
import { arrayOid, typeOids } from '../../../../src/codec/pg/types/oids.js';
import { builtins } from './library.js';

/** Of types that PostgreSQL 12 and 10 removed. */
const gone = ['SMGR', 'ABSTIME', 'RELTIME', 'TINTERVAL'];
const oids: Readonly<Record<string, number>> = typeOids;

describe('codec/pg/types/oids', () => {
  it('agrees with the OIDs that node-postgres knows', () => {
    for (const [name, oid] of Object.entries(builtins)) {
      if (!gone.includes(name)) expect(oids[name.toLowerCase()], name).to.equal(oid);
    }
  });

  it('has each OID once', () => {
    const values = Object.values(oids);
    expect(new Set(values).size).to.equal(values.length);
  });

  it('gives the array type of a type', () => {
    expect(arrayOid(typeOids.int4)).to.equal(1007);
    expect(arrayOid(typeOids.jsonb)).to.equal(3807);
    expect(arrayOid(typeOids._int4)).to.equal(undefined);
    expect(arrayOid(typeOids.void)).to.equal(undefined);
    expect(arrayOid(16_384)).to.equal(undefined);
  });
});
