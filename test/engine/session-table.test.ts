import { expect } from 'chai';
import { Session } from '../../src/engine/session.js';
import { SessionTable } from '../../src/engine/session-table.js';
import { type Limits, limitsWith } from '../../src/limits.js';
import { record } from '../support/engine-rig.js';
import { ManualClock } from '../support/manual-clock.js';

describe('engine/session-table', () => {
  let clock: ManualClock;
  let limits: Readonly<Limits>;
  let table: SessionTable;
  let expired: Session[];
  /** Of the table, as seen by who is told of each. */
  let sizes: number[];

  function makeTable(changes: Partial<Limits> = {}): void {
    clock = new ManualClock();
    limits = limitsWith(changes);
    expired = [];
    sizes = [];
    table = new SessionTable(limits, clock, (session) => {
      expired.push(session);
      sizes.push(table.size);
    });
  }

  function session(id: number, lifetimeMs = 10_000): Session {
    const connectionId = Buffer.alloc(16);
    connectionId.writeUInt32BE(id);
    const expiresAt = clock.now() + lifetimeMs;
    const openedAt = clock.now();
    return new Session({ connectionId, address: '192.0.2.1', port: 5, openedAt, expiresAt, limits, onKept: () => {} });
  }

  beforeEach(() => makeTable());

  it('finds by the bytes of the ID, whatever bytes they are', () => {
    for (let value = 0; value < 256; value++) {
      const one = session(value);
      one.connectionId.fill(value, 4);
      table.add(one);
    }
    expect(table.size).to.equal(256);
    for (let value = 0; value < 256; value++) {
      const id = Buffer.alloc(16, value);
      id.writeUInt32BE(value);
      expect(table.get(id)?.connectionId).to.deep.equal(id);
    }
    expect(table.get(Buffer.alloc(16, 0xee))).to.equal(undefined);
  });

  it('ends a session at its lifetime, within a quarter of a second, and then holds nothing', () => {
    const short = session(1, 2000);
    const long = session(2, 10_000);
    table.add(short);
    table.add(long);
    clock.advance(1999);
    expect(table.get(short.connectionId)).to.equal(short);
    expect(expired).to.deep.equal([]);
    clock.advance(251);
    expect(expired).to.deep.equal([short]);
    clock.advance(8000);
    expect(expired).to.deep.equal([short, long]);
    expect(sizes).to.deep.equal([1, 0]);
    expect(table.size).to.equal(0);
    expect(table.bytes).to.equal(0);
    expect(clock.pending).to.equal(0);
  });

  it('does not give out a session that is past its lifetime, swept or not', () => {
    const one = session(1, 2100);
    table.add(one);
    clock.advance(2101);
    expect(table.get(one.connectionId)).to.equal(undefined);
  });

  it('does not prolong a life by growth or by being asked for', () => {
    const one = session(1, 2000);
    table.add(one);
    for (let time = 0; time < 2000; time += 100) {
      one.inbound.push(time / 100 + 1, Buffer.alloc(10));
      table.update(one);
      table.get(one.connectionId);
      clock.advance(100);
    }
    clock.advance(300);
    expect(expired).to.deep.equal([one]);
  });

  it('remembers a claimed ID until the session would have expired, and forgets the session at once', () => {
    const one = session(1, 5000);
    table.add(one);
    table.claim(one);
    expect(table.size).to.equal(0);
    expect(table.get(one.connectionId)).to.equal(undefined);
    expect(expired).to.deep.equal([]);
    clock.advance(4999);
    expect(table.wasClaimed(one.connectionId)).to.equal(true);
    clock.advance(1000);
    expect(table.wasClaimed(one.connectionId)).to.equal(false);
    expect(clock.pending).to.equal(0);
  });

  it('remembers so many claimed IDs and no more', () => {
    makeTable({ claimedSessions: 3 });
    const claimed = [1, 2, 3, 4].map((id) => session(id));
    for (const each of claimed) {
      table.add(each);
      table.claim(each);
    }
    expect(claimed.map(({ connectionId }) => table.wasClaimed(connectionId))).to.deep.equal([false, true, true, true]);
  });

  it('charges what sessions hold, and a TLS object once there is one', () => {
    const one = session(1);
    table.add(one);
    expect(table.bytes).to.equal(one.bytes);
    one.inbound.push(1, record(500));
    table.update(one);
    const before = table.bytes;
    expect(before).to.be.at.least(505);
    one.open(one.inbound.read());
    table.update(one);
    expect(table.bytes - before).to.equal(limits.sessionTlsBytes);
    one.link.write([{ chunk: Buffer.alloc(3000) }], () => {});
    table.update(one);
    expect(table.bytes - before).to.equal(limits.sessionTlsBytes + 3000);
    table.claim(one);
    expect(table.bytes).to.equal(0);
  });

  it('says how full it is, by entries or by bytes', () => {
    makeTable({ halfOpenSessions: 10, halfOpenBytes: 41_000 });
    expect(table.fill).to.equal(0);
    for (let id = 0; id < 4; id++) table.add(session(id));
    expect(table.fill).to.equal(0.4);
    const big = session(9);
    big.inbound.push(1, Buffer.alloc(7000));
    table.add(big);
    expect(table.fill).to.be.within(0.67, 0.671);
    expect(table.hasRoomFor(13_500)).to.equal(true);
    expect(table.hasRoomFor(13_600)).to.equal(false);
  });

  it('never drops a session because it has grown beyond the room', () => {
    makeTable({ halfOpenBytes: 1000 });
    const one = session(1);
    const other = session(2);
    table.add(one);
    table.add(other);
    one.inbound.push(1, Buffer.alloc(5000));
    table.update(one);
    expect(table.get(one.connectionId)).to.equal(one);
    expect(table.get(other.connectionId)).to.equal(other);
    expect(expired).to.deep.equal([]);
  });

  it('ends every session that waits when it is cleared', () => {
    const all = [1, 2, 3].map((id) => session(id));
    for (const each of all) table.add(each);
    table.clear();
    expect(expired).to.have.members(all);
    expect(table.size).to.equal(0);
    expect(clock.pending).to.equal(0);
  });
});

describe('engine/session', () => {
  it('knows when the first record is there, however it was cut', () => {
    const whole = record(300);
    for (let split = 0; split < whole.length; split++) {
      expect(Session.firstRecord([whole.subarray(0, split)]), `${split}`).to.equal('incomplete');
      const cut = [whole.subarray(0, split), whole.subarray(split)];
      expect(Session.firstRecord(cut), `${split}`).to.equal('complete');
    }
    expect(Session.firstRecord([])).to.equal('incomplete');
    expect(Session.firstRecord([whole, Buffer.from('more')])).to.equal('complete');
  });

  it('knows what is no TLS handshake, as on TCP', () => {
    for (const bytes of ['GET / HTTP/1.1', '\x17\x03\x03\x00\x10', '\x16\x02', '\x16\x03\x01\x00\x00', 'TTLS']) {
      expect(Session.firstRecord([Buffer.from(bytes, 'latin1')]), bytes).to.equal('none');
    }
  });

  it('draws an instance of its own', () => {
    const limits = limitsWith();
    const connectionId = Buffer.alloc(16);
    const options = { connectionId, address: '192.0.2.1', port: 5, openedAt: 0, expiresAt: 1, limits };
    const instances = Array.from({ length: 50 }, () => new Session({ ...options, onKept: () => {} }).instance);
    expect(new Set(instances.map((each) => each.toString('hex'))).size).to.equal(50);
    for (const each of instances) expect(each).to.have.length(8);
  });
});
