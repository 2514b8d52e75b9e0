import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { Bell } from '../../../../../examples/latency/link/tun/bell.js';
import { PacketRing } from '../../../../../examples/latency/link/tun/packet-ring.js';

/** More than the ring holds, several times over. */
const MANY = 10_000;

describe('link packet ring', () => {
  it('carries packets in their order, with their bytes and times', () => {
    const memory = PacketRing.memory();
    const [reader, sender] = [new PacketRing(memory), new PacketRing(memory)];
    expect(sender.take()).to.equal(undefined);
    for (const text of ['one', 'another']) {
      reader.room().write(text);
      reader.add(text.length, text.length / 2);
    }
    expect(sender.take()).to.deep.equal({ bytes: Buffer.from('one'), readAtMs: 1.5 });
    expect(sender.take()).to.deep.equal({ bytes: Buffer.from('another'), readAtMs: 3.5 });
    expect(sender.take()).to.equal(undefined);
  });

  it('makes the reader wait while it is full, and the sender while it is empty', async () => {
    const data = { memory: PacketRing.memory(), bell: Bell.memory(), count: MANY };
    const worker = new Worker(new URL('packet-ring-reader.js', import.meta.url), { workerData: data });
    const exit = once(worker, 'exit');
    const ring = new PacketRing(data.memory);
    const bell = new Bell(data.bell);
    for (let expected = 0; expected < MANY; ) {
      const rings = bell.rings();
      for (let packet = ring.take(); packet; packet = ring.take()) {
        if (packet.bytes.readUInt32BE(0) !== expected) expect(packet.bytes.readUInt32BE(0)).to.equal(expected);
        expected++;
      }
      if (expected < MANY) bell.sleep(rings, Number.POSITIVE_INFINITY);
    }
    expect(await exit).to.deep.equal([0]);
  });
});
