import { once } from 'node:events';
import { expect } from 'chai';
import { type CarrierSink, TcpCarrier } from '../../src/platform/tcp-carrier.js';
import { settle, until } from '../support/engine-rig.js';
import { gather, type TcpPair, tcpPair } from '../support/tcp-pair.js';

describe('platform/tcp-carrier', () => {
  let pair: TcpPair;
  let carrier: TcpCarrier;
  let said: string[];
  let got: Buffer[];
  let hasRoom: boolean;

  beforeEach(async () => {
    pair = await tcpPair();
    said = [];
    got = [];
    hasRoom = true;
    const sink: CarrierSink = {
      onBytes: (chunk) => {
        got.push(chunk);
        return hasRoom;
      },
      onEnd: () => said.push('end'),
      onError: (error) => said.push((error as NodeJS.ErrnoException).code ?? error.message),
      onClose: () => said.push('close'),
    };
    carrier = new TcpCarrier(pair.here, sink);
  });

  afterEach(() => {
    pair.here.destroy();
    pair.there.destroy();
  });

  it('carries bytes both ways', async () => {
    const peer = gather(pair.there);
    let called = 0;
    carrier.write(Buffer.from('one '), () => called++);
    carrier.writev([{ chunk: Buffer.from('two ') }, { chunk: Buffer.from('three') }], () => called++);
    expect(called).to.equal(2);
    await until(() => peer.bytes().toString() === 'one two three');
    pair.there.write('answer');
    await until(() => Buffer.concat(got).toString() === 'answer');
  });

  it('calls back when the socket has room again, and takes no more than that before', async () => {
    pair.there.pause();
    let accepted = 0;
    const chunk = Buffer.alloc(65_536);
    let waiting = false;
    while (!waiting) {
      waiting = true;
      carrier.write(chunk, () => {
        accepted++;
        waiting = false;
      });
    }
    await settle();
    expect(pair.here.writableNeedDrain).to.equal(true);
    const peer = gather(pair.there);
    pair.there.resume();
    await until(() => !waiting);
    await until(() => peer.bytes().length === accepted * chunk.length);
  });

  it('reads no more where the sink has no room, until it resumes', async () => {
    hasRoom = false;
    pair.there.write(Buffer.alloc(1000));
    await until(() => got.length === 1);
    expect(pair.here.isPaused()).to.equal(true);
    pair.there.write(Buffer.alloc(1000));
    await settle();
    expect(got).to.have.length(1);
    hasRoom = true;
    carrier.resume();
    await until(() => Buffer.concat(got).length === 2000);
  });

  it('keeps each direction open until it is ended by itself', async () => {
    const peer = gather(pair.there);
    pair.there.end('last words');
    await until(() => said.includes('end'));
    carrier.write(Buffer.from('still here'), () => {});
    let ended = 0;
    carrier.end(() => ended++);
    await until(() => peer.ended());
    expect(peer.bytes().toString()).to.equal('still here');
    await until(() => said.includes('close'));
    expect(said).to.deep.equal(['end', 'close']);
    expect(ended).to.equal(1);
    carrier.end(() => ended++);
    expect(ended).to.equal(2);
  });

  it('reports a reset once, and calls back what waited', async () => {
    pair.there.pause();
    let waiting = true;
    for (let count = 0; count < 1000 && waiting; count++) {
      waiting = false;
      carrier.write(Buffer.alloc(65_536), () => (waiting = true));
    }
    expect(waiting).to.equal(false);
    pair.there.resetAndDestroy();
    await until(() => said.includes('close'));
    expect(said).to.have.length(2);
    expect(said[0]).to.match(/^(ECONNRESET|EPIPE)$/);
    expect(waiting).to.equal(true);
    let late = 0;
    carrier.write(Buffer.from('to nobody'), () => late++);
    expect(late).to.equal(1);
  });

  it('says nothing more once it is destroyed', async () => {
    carrier.destroy();
    await once(pair.here, 'close');
    expect(said).to.deep.equal([]);
  });

  it('leaves with FIN, reads and drops what still comes, and goes with the peer', async () => {
    const peer = gather(pair.there);
    carrier.leave();
    await until(() => peer.ended());
    pair.there.write('too late');
    await settle();
    expect(got).to.deep.equal([]);
    pair.there.end();
    await once(pair.here, 'close');
    expect(pair.there.errored).to.equal(null);
  });
});
