/** A TLSSocket is a stream: what stream users do with it works the same. */
import { once } from 'node:events';
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { expect } from 'chai';
import { bytes, digest, digestOf, send } from './bytes.js';
import { onEach, sameAsNative, turn, until } from './transports.js';

describe('compliance: streams', () => {
  sameAsNative('write callbacks come in order, once each, and before finish', async (lab) => {
    const { client, peer } = await lab.pair();
    peer.resume();
    client.resume();
    const seen: string[] = [];
    for (let i = 0; i < 20; i++) client.write(bytes(`${i}`, 10_000), (error) => seen.push(`${i} ${error}`));
    client.end('last', () => seen.push('ended'));
    client.on('finish', () => seen.push('finish'));
    await lab.closing(client, peer);
    return seen;
  });

  sameAsNative('write callbacks from before the connection', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.resume());
    const client = lab.connect(server);
    const seen: string[] = [];
    client.on('connect', () => seen.push('connect'));
    for (let i = 0; i < 5; i++) client.write(`${i}`, () => seen.push(`written ${i}`));
    client.end();
    client.resume();
    await lab.closing(client);
    return seen;
  });

  sameAsNative('cork and uncork', async (lab) => {
    const { client, peer } = await lab.pair();
    let said = '';
    peer.setEncoding('utf8').on('data', (text) => (said += text));
    client.cork();
    for (const word of ['all ', 'of ', 'this ']) client.write(word);
    const corked = [client.writableCorked, client.writableLength];
    await turn();
    const before = said;
    client.uncork();
    await until(() => said === 'all of this ', 'the server has read it');
    return { corked, before, after: client.writableCorked };
  });

  sameAsNative('encodings', async (lab) => {
    const { client, peer } = await lab.pair();
    let said = '';
    peer.setEncoding('utf8').on('data', (text) => (said += text));
    client.write('68656c6c6f', 'hex');
    client.write('IHdvcmxk', 'base64');
    client.write(' \u00fc', 'latin1');
    client.write(new Uint8Array([0x21]));
    client.end(' \u20ac');
    await once(peer, 'end');
    return said;
  });

  onEach('pipe, through other streams and back', async (lab) => {
    const { client, peer } = await lab.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    const upper = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
    peer.pipe(upper).pipe(new PassThrough()).pipe(peer);
    const echoed = digest(client);
    await send(client, 'piped', 2 ** 20);
    expect(await echoed).to.deep.equal(digestOf('piped', 2 ** 20));
  });

  onEach('pipeline with compression', async (lab) => {
    const { client, peer } = await lab.pair();
    const source = new PassThrough();
    const target = createGunzip();
    const received = digest(target);
    const whole = Promise.all([pipeline(source, createGzip(), client), pipeline(peer, target)]);
    void send(source, 'compressed', 2 ** 20);
    expect(await received).to.deep.equal(digestOf('compressed', 2 ** 20));
    peer.end();
    client.resume();
    await whole.catch(() => {}); // whether a Duplex ends well in a pipeline is Node's affair, and differs by version
  });

  sameAsNative('async iteration ends with the stream, and destroys it when it is left', async (lab) => {
    const { client, peer } = await lab.pair();
    peer.write('one');
    let first = '';
    for await (const chunk of client) {
      first = String(chunk);
      break;
    }
    return { first, destroyed: client.destroyed, hadError: client.errored };
  });

  sameAsNative('async iteration meets an error', async (lab) => {
    const { client, peer } = await lab.pair();
    peer.write('one');
    const seen: string[] = [];
    try {
      for await (const chunk of client) {
        seen.push(String(chunk));
        client.destroy(new Error('no more'));
      }
    } catch (error) {
      seen.push((error as Error).message);
    }
    return seen;
  });

  sameAsNative('read(size), unshift and readable', async (lab) => {
    const { client, peer } = await lab.pair();
    peer.end('abcdefghij');
    const seen: string[] = [];
    await until(() => client.readableLength === 10, 'all is there');
    seen.push(String(client.read(3)));
    client.unshift('ABC');
    seen.push(String(client.read(5)), String(client.read()));
    return seen;
  });

  onEach('high-water marks are what the caller asked for', async (lab) => {
    const { client } = await lab.pair({}, { highWaterMark: 4096 });
    expect(client.readableHighWaterMark).to.equal(4096);
  });

  onEach('many small writes in both directions at once', async (lab) => {
    const { client, peer } = await lab.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    const received = Promise.all([digest(client), digest(peer)]);
    for (let i = 0; i < 2000; i++) {
      client.write('c');
      peer.write('ss');
      if (i % 100 === 0) await turn();
    }
    client.end();
    peer.end();
    expect((await received).map(({ bytes: length }) => length)).to.deep.equal([4000, 2000]);
  });
});
