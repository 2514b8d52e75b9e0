import { once } from 'node:events';
import { expect } from 'chai';
import { limitsWith } from '../../src/limits.js';
import { FutureTcpLink, HandshakeState } from '../../src/server/future-tcp-link.js';
import { ServerIO } from '../../src/server/server-io.js';
import { readAll, settle, until } from '../support/engine-rig.js';
import { gather, type TcpPair, tcpPair } from '../support/tcp-pair.js';

const ID = Buffer.alloc(16, 7);

describe('server/server-io', () => {
  let pair: TcpPair;
  let link: FutureTcpLink;
  let io: ServerIO;

  beforeEach(async () => {
    pair = await tcpPair();
    link = new FutureTcpLink(limitsWith(), () => {});
    io = new ServerIO(link, ID);
  });

  afterEach(() => {
    io.destroy();
    pair.here.destroy();
    pair.there.destroy();
  });

  const bind = () =>
    link.bind({ socket: pair.here, preface: Buffer.alloc(0), serverSequence: 0, head: Buffer.alloc(0), skip: 0 });

  it('gives nothing before the tick after the first read: a paused TLSSocket would take it twice', async () => {
    io.deliver([Buffer.from('Client')]);
    await settle();
    expect(io.readableLength).to.equal(0);
    io.read(0);
    io.deliver([Buffer.from('Hello')]);
    expect(io.readableLength).to.equal(0);
    await settle();
    expect(readAll(io).toString()).to.equal('ClientHello');
  });

  it('is a stream from its first datagram on, without an address', async () => {
    expect(io.connectionId).to.equal(ID);
    expect(io.tcp).to.equal(undefined);
    expect(io.state).to.equal(HandshakeState.RACING);
    io.deliver([Buffer.from('Client'), Buffer.from('Hello')]);
    io.read(0);
    await settle();
    expect(readAll(io).toString()).to.equal('ClientHello');
  });

  it('goes on over TCP', async () => {
    const peer = gather(pair.there);
    io.deliver([Buffer.from('over UDP, ')]);
    io.write('kept, ');
    bind();
    expect(io.tcp).to.equal(pair.here);
    expect(io.state).to.equal(HandshakeState.BOUND);
    io.end('and ended');
    pair.there.end('over TCP');
    let text = '';
    for await (const chunk of io) text += String(chunk);
    expect(text).to.equal('over UDP, over TCP');
    await until(() => peer.ended());
    expect(peer.bytes().toString()).to.equal('kept, and ended');
  });

  it('lets no write fail that comes behind its end, as TCP does not', async () => {
    io.end();
    await once(io, 'finish');
    let called = 0;
    io.write('a Finished, say', () => called++);
    io.write(Buffer.from('x'), 'utf8' as BufferEncoding, () => called++);
    await settle();
    expect(called).to.equal(2);
    expect(io.errored).to.equal(null);
  });

  it('takes no datagram when it is destroyed', async () => {
    io.destroy();
    io.deliver([Buffer.from('late')]);
    await once(io, 'close');
    expect(io.errored).to.equal(null);
  });

  it('fails with its code when it expires, and only then; whoever owns it may take the failure over', async () => {
    const failures: Error[] = [];
    io.on('error', (error) => failures.push(error));
    io.expire();
    io.expire();
    await until(() => failures.length > 0);
    await settle();
    expect(failures.map((error) => (error as NodeJS.ErrnoException).code)).to.deep.equal(['ERR_TURBO_SESSION_EXPIRED']);

    const other = new ServerIO(new FutureTcpLink(limitsWith(), () => {}), ID);
    const taken: Error[] = [];
    other.onFailure = (error) => taken.push(error);
    other.expire();
    expect(taken).to.have.length(1);
    expect(other.destroyed).to.equal(false);
    other.destroy();
  });

  it('hands a reset of TCP to its owner', async () => {
    const failures: Error[] = [];
    io.onFailure = (error) => failures.push(error);
    bind();
    io.resume();
    pair.there.resetAndDestroy();
    await until(() => failures.length > 0);
    expect(failures[0]).to.have.property('code', 'ECONNRESET');
  });

  it('holds the peer back while nobody reads', async () => {
    bind();
    const chunk = Buffer.alloc(65_536);
    pair.there.on('error', () => {});
    for (let count = 0; count < 64; count++) pair.there.write(chunk);
    await until(() => pair.here.isPaused());
    await settle();
    expect(io.readableLength).to.be.at.most(io.readableHighWaterMark + chunk.length);
    let bytes = 0;
    io.on('data', (part: Buffer) => (bytes += part.length));
    await until(() => bytes === 64 * chunk.length);
  });
});
