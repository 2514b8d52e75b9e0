/** A reader that stalls stops the writer: what is in between is bounded, and nothing of it is lost. */
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import type { ClientIO } from '../../src/experimental.js';
import type { TcpSocket } from '../../src/platform/network.js';

import { bytes, type Digest, digest } from './bytes.js';
import { onEach, until } from './transports.js';

const KiB = 1024;
const CHUNK = 64 * KiB;
/** What the kernel may take on loopback: the greatest send and receive buffers, and more than it ever did. */
const KERNEL = 16 * KiB * KiB;
/** What a Node stream may hold beside its high-water mark: the chunk that passed it, and the records around it. */
const SLACK = 2 * CHUNK;

/** Writes as a well-behaved writer does, until the socket has taken no more for a while. */
async function fill(socket: TLSSocket): Promise<number> {
  const chunk = bytes('a chunk', CHUNK);
  let accepted = 0;
  let quiet = 0;
  let stopped = false;
  const more = () => {
    while (!stopped) {
      accepted += chunk.length;
      quiet = 0;
      if (!socket.write(chunk)) return;
      if (accepted > 4 * KERNEL) return; // nobody stops it: the assertion below says so
    }
  };
  socket.on('drain', more);
  more();
  while (quiet < 20) {
    quiet++;
    await delay(5);
  }
  stopped = true;
  return accepted;
}

describe('compliance: backpressure', () => {
  for (const direction of ['to the server', 'to the client'] as const) {
    onEach(`bytes ${direction}, which does not read`, async (lab) => {
      const { client, peer } = await lab.pair();
      const [writer, reader] = direction === 'to the server' ? [client, peer] : [peer, client];
      const accepted = await fill(writer);
      expect(accepted).to.be.below(KERNEL);
      expect(writer.writableNeedDrain).to.equal(true);
      expect(writer.writableLength).to.be.at.most(writer.writableHighWaterMark + CHUNK);
      // A TLSSocket that nobody reads holds what its first reads brought.
      expect(reader.readableLength).to.be.at.most(reader.readableHighWaterMark + SLACK);
      if ('turbo' in client && lab.transport.isTurbo) {
        const io = (client as unknown as { turbo: ClientIO }).turbo;
        expect(io.readableLength).to.be.at.most(io.readableHighWaterMark + SLACK);
        expect(io.writableLength).to.be.at.most(io.writableHighWaterMark + SLACK);
        const tcp = io.tcp as TcpSocket;
        expect(tcp.readableLength).to.be.at.most(tcp.readableHighWaterMark + SLACK);
        expect(tcp.writableLength).to.be.at.most(tcp.writableHighWaterMark + SLACK);
      }

      // The reader awakes: everything comes, and the writer may go on.
      const received: Promise<Digest> = digest(reader);
      writer.removeAllListeners('drain');
      writer.end('the end');
      expect((await received).bytes).to.equal(accepted + 7);
    });
  }

  onEach('both ends write and neither reads, then both do', async (lab) => {
    const { client, peer } = await lab.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    const [toServer, toClient] = await Promise.all([fill(client), fill(peer)]);
    expect(toServer).to.be.below(KERNEL);
    expect(toClient).to.be.below(KERNEL);
    const received = Promise.all([digest(peer), digest(client)]);
    for (const socket of [client, peer]) socket.removeAllListeners('drain').end();
    const [atServer, atClient] = await received;
    expect([atServer.bytes, atClient.bytes]).to.deep.equal([toServer, toClient]);
  });

  onEach('before the handshake is over: a client that writes into a server which never answers', async (lab) => {
    const server = await lab.serve({ SNICallback: () => {} });
    const client = lab.connect(server);
    const accepted = await fill(client);
    expect(accepted).to.be.at.most(client.writableHighWaterMark + CHUNK);
    expect(client.writableLength).to.be.at.most(client.writableHighWaterMark + CHUNK);
  });

  onEach('a reader that pauses and resumes gets everything in order', async (lab) => {
    const { client, peer } = await lab.pair();
    const length = 4 * KiB * KiB;
    const sent = bytes('on and off', length);
    const received: Buffer[] = [];
    client.on('data', (chunk: Buffer) => {
      received.push(chunk);
      client.pause();
      setImmediate(() => client.resume());
    });
    peer.end(sent);
    await until(() => client.readableEnded, 'the client has read to the end');
    expect(Buffer.concat(received).equals(sent)).to.equal(true);
  });
});
