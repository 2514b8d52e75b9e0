import { expect } from 'chai';
import { type Limits, limitsWith } from '../../src/limits.js';
import type { CarrierSink } from '../../src/platform/tcp-carrier.js';
import { FutureTcpLink, HandshakeState } from '../../src/server/future-tcp-link.js';
import { settle, until } from '../support/engine-rig.js';
import { gather, type TcpPair, tcpPair } from '../support/tcp-pair.js';

const PREFACE = Buffer.from('Reply;');

describe('server/future-tcp-link', () => {
  let pair: TcpPair;
  let link: FutureTcpLink;
  let kept: number;
  let states: (HandshakeState | 'complete')[];

  function make(limits: Partial<Limits> = {}): void {
    kept = 0;
    states = [];
    link = new FutureTcpLink(limitsWith(limits), () => kept++);
    link.state$.subscribe({ next: (state) => states.push(state), complete: () => states.push('complete') });
  }

  function write(text: string): boolean {
    let accepted = false;
    link.write([{ chunk: Buffer.from(text) }], () => {
      accepted = true;
    });
    return accepted;
  }

  function bind({ serverSequence = 0, head = '', skip = 0 } = {}): void {
    link.bind({ socket: pair.here, preface: PREFACE, serverSequence, head: Buffer.from(head), skip });
  }

  function listen(): { text: () => string; said: string[] } {
    const chunks: Buffer[] = [];
    const said: string[] = [];
    const sink: CarrierSink = {
      onBytes: (chunk) => {
        chunks.push(chunk);
        return true;
      },
      onEnd: () => said.push('end'),
      onError: () => said.push('error'),
      onClose: () => said.push('close'),
    };
    link.attach(sink);
    return { text: () => Buffer.concat(chunks).toString(), said };
  }

  beforeEach(async () => {
    pair = await tcpPair();
    make();
  });

  afterEach(() => {
    pair.here.destroy();
    pair.there.destroy();
  });

  it('keeps what TLS writes as one stream, and says so once at the end of the tick', async () => {
    expect(write('Server')).to.equal(true);
    expect(write('Hello')).to.equal(true);
    expect(kept).to.equal(0);
    await settle();
    expect(kept).to.equal(1);
    expect(link.flight.cut()?.payload.toString()).to.equal('ServerHello');
    write('more');
    await settle();
    expect(kept).to.equal(2);
    expect(link.socket).to.equal(undefined);
  });

  it('withholds the callback of the write that fills its share, until TCP is there; it drops nothing', async () => {
    make({ sessionBytes: 10 });
    const peer = gather(pair.there);
    expect(write('12345')).to.equal(true);
    let accepted = 0;
    link.write([{ chunk: Buffer.from('6789012345') }], () => accepted++);
    await settle();
    expect(accepted).to.equal(0);
    bind();
    expect(accepted).to.equal(1);
    await until(() => peer.bytes().toString() === 'Reply;123456789012345');
  });

  it('releases a withheld write when it expires or is abandoned', () => {
    for (const end of ['expire', 'abandon'] as const) {
      make({ sessionBytes: 1 });
      let accepted = 0;
      link.write([{ chunk: Buffer.from('too much') }], () => accepted++);
      link[end]();
      expect(accepted, end).to.equal(1);
    }
  });

  it('says the Reply first, then the stream behind the last datagram that the client has, then what TLS writes', async () => {
    const peer = gather(pair.there);
    write('first;');
    link.flight.cut();
    write('second;');
    link.flight.cut();
    write('third;');
    bind({ serverSequence: 1 });
    write('fourth;');
    link.write([{ chunk: Buffer.from('fifth;') }, { chunk: Buffer.from('sixth') }], () => {});
    await until(() => peer.bytes().toString() === 'Reply;second;third;fourth;fifth;sixth');
    await settle();
    expect(kept, 'nothing is cut any more').to.equal(0);
  });

  it('gives on what came with the tombstone and behind it, asynchronously, without what UDP has brought', async () => {
    const { text } = listen();
    pair.there.write('defghi');
    bind({ head: 'abc', skip: 5 });
    expect(text()).to.equal('');
    await until(() => text() === 'fghi');
  });

  it('skips bytes however they are cut', async () => {
    const { text } = listen();
    bind({ head: '1', skip: 4 });
    for (const byte of '234567') {
      pair.there.write(byte);
      await settle();
    }
    await until(() => text() === '567');
  });

  it('passes on the end of the client, and ends by itself', async () => {
    const { said } = listen();
    const peer = gather(pair.there);
    bind();
    pair.there.end();
    await until(() => said.includes('end'));
    write('last');
    let ended = 0;
    link.end(() => ended++);
    await until(() => said.includes('close'));
    expect(peer.bytes().toString()).to.equal('Reply;last');
    expect([ended, said]).to.deep.equal([1, ['end', 'close']]);
    expect(states).to.deep.equal([HandshakeState.RACING, HandshakeState.BOUND, HandshakeState.CLOSED, 'complete']);
  });

  it('brings the last words of a TLS that is gone to the client that claims them, then FIN', async () => {
    const { said } = listen();
    const peer = gather(pair.there);
    write('alert');
    link.end(() => {});
    link.abandon();
    expect(link.state).to.equal(HandshakeState.RACING);
    bind();
    await until(() => peer.ended());
    expect(peer.bytes().toString()).to.equal('Reply;alert');
    pair.there.end('whatever the client still says');
    await until(() => states.includes('complete'));
    expect(said).to.deep.equal([]);
  });

  it('closes TCP with the stream above, once there is TCP', async () => {
    const peer = gather(pair.there);
    bind();
    link.abandon();
    await until(() => pair.here.destroyed);
    expect(states).to.deep.equal([HandshakeState.RACING, HandshakeState.BOUND, HandshakeState.CLOSED, 'complete']);
    await until(() => peer.ended() || pair.there.destroyed);
    expect(peer.bytes().toString(), 'the Reply is out before').to.equal('Reply;');
  });

  it('fails when it expires, once', () => {
    link.expire();
    link.expire();
    expect(states).to.deep.equal([HandshakeState.RACING, HandshakeState.FAILED, 'complete']);
  });
});
