/** Abrupt ends: what each side is told, how often, and in which order. */
import type { Socket } from 'node:net';
import type * as tls from 'node:tls';
import { expect } from 'chai';
import { bytes } from './bytes.js';
import { type Lab, onClientError, onEach, type Pair, sameAsNative, trace, until } from './transports.js';

const EVENTS = ['end', 'finish', 'error', 'close'];

/** A pair, and the TCP socket that the server accepted for it. */
async function pairWithTcp(lab: Lab): Promise<Pair & { raw: Socket }> {
  const server = await lab.serve();
  const accepted = new Promise<Socket>((resolve) => {
    server.once('connection', resolve);
  });
  const { client, peer } = await lab.join(server);
  return { server, client, peer, raw: await accepted };
}

/** Which of the errors of a lost connection comes depends on whether a read or a write finds it first. */
function anyLoss(seen: string[]): string[] {
  return seen.map((event) => (/^error (ECONNRESET|EPIPE)$/.test(event) ? 'error of a lost connection' : event));
}

/** Keeps the socket's buffers full. */
function flood(socket: tls.TLSSocket): void {
  const chunk = bytes('flood', 64 * 1024);
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

describe('compliance: abrupt ends', () => {
  for (const who of ['client', 'server'] as const) {
    sameAsNative(`the ${who} is destroyed while nothing moves`, async (lab) => {
      const { client, peer } = await lab.quietPair();
      const seen = { client: trace(client, EVENTS), server: trace(peer, EVENTS) };
      client.resume();
      peer.resume();
      (who === 'client' ? client : peer).destroy();
      await lab.closing(client, peer);
      return seen;
    });

    sameAsNative(`the ${who} is destroyed with an error`, async (lab) => {
      const { client, peer } = await lab.quietPair();
      const seen = { client: trace(client, EVENTS), server: trace(peer, EVENTS) };
      client.resume();
      peer.resume();
      (who === 'client' ? client : peer).destroy(Object.assign(new Error('enough'), { code: 'ENOUGH' }));
      await lab.closing(client, peer);
      return seen;
    });

    sameAsNative(`the ${who} is destroyed while the other floods it`, async (lab) => {
      const { client, peer } = await lab.quietPair();
      const [quits, floods] = who === 'client' ? [client, peer] : [peer, client];
      const seen = { quits: trace(quits, EVENTS), floods: trace(floods, EVENTS) };
      flood(floods);
      let received = 0;
      quits.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > 2 ** 20) quits.destroy();
      });
      for (const socket of [client, peer]) socket.resume();
      await lab.closing(quits, floods);
      return { quits: seen.quits, floods: anyLoss(seen.floods) };
    });

    sameAsNative(`the ${who} is destroyed while it floods the other`, async (lab) => {
      const { client, peer } = await lab.quietPair();
      const [quits, reads] = who === 'client' ? [client, peer] : [peer, client];
      const seen = { quits: trace(quits, EVENTS), reads: trace(reads, EVENTS) };
      flood(quits);
      let received = 0;
      reads.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > 2 ** 20) quits.destroy();
      });
      for (const socket of [client, peer]) socket.resume();
      await lab.closing(quits, reads);
      return seen;
    });
  }

  for (const who of ['client', 'server'] as const) {
    sameAsNative(`the ${who} is destroyed over bytes that it has not read: the other is reset`, async (lab) => {
      const { client, peer } = await lab.quietPair();
      const [quits, waits] = who === 'client' ? [client, peer] : [peer, client];
      const seen = { quits: trace(quits, EVENTS), waits: trace(waits, EVENTS) };
      const errors: unknown[] = [];
      waits.on('error', ({ code, message, syscall }: NodeJS.ErrnoException) => errors.push({ code, message, syscall }));
      await new Promise<void>((resolve) => {
        waits.write(bytes('unread', 2 ** 19), () => resolve());
      });
      waits.resume();
      await until(() => quits.readableLength > 0, 'the first bytes are there to be read');
      quits.destroy();
      await lab.closing(client, peer);
      return { ...seen, errors };
    });
  }

  sameAsNative("the client is destroyed within 'secureConnect'", async (lab) => {
    const server = await lab.serve();
    const failure = new Promise((resolve) => onClientError(server, resolve));
    const client = lab.connect(server);
    const seen = trace(client);
    client.once('secureConnect', () => client.destroy());
    await lab.closing(client);
    return { seen, failure: await failure };
  });

  sameAsNative('the server destroys the TCP connection under a socket', async (lab) => {
    const { client, peer, raw } = await pairWithTcp(lab);
    const seen = { client: trace(client, EVENTS), server: trace(peer, EVENTS) };
    client.resume();
    peer.resume();
    raw.destroy();
    await lab.closing(client, peer);
    return seen;
  });

  for (const who of ['client', 'server'] as const) {
    sameAsNative(`resetAndDestroy() of the ${who}`, async (lab) => {
      const { client, peer } = await lab.quietPair();
      const seen = { client: trace(client, EVENTS), server: trace(peer, EVENTS) };
      client.resume();
      peer.resume();
      let thrown: string | undefined;
      try {
        (who === 'client' ? client : peer).resetAndDestroy();
      } catch (error) {
        thrown = (error as NodeJS.ErrnoException).code;
      }
      if (thrown) client.destroy();
      await lab.closing(client, peer);
      return { ...seen, thrown };
    });
  }

  onEach('writes that were under way call back once, and never after close', async (lab) => {
    const { client, peer } = await lab.quietPair();
    const outcomes: string[] = [];
    let closed = false;
    client.on('close', () => {
      closed = true;
    });
    for (let i = 0; i < 64; i++) {
      client.write(bytes(`write ${i}`, 256 * 1024), (error) => {
        outcomes.push(`${error ? 'failed' : 'written'}${closed ? ' late' : ''}`);
      });
    }
    peer.once('data', () => peer.destroy());
    await lab.closing(client, peer);
    await until(() => outcomes.length === 64, 'every write has called back');
    expect(outcomes).to.have.lengthOf(64);
  });

  onEach('destroy() twice, and end() after it, do nothing more', async (lab) => {
    const { client, peer } = await lab.quietPair();
    const seen = trace(client, EVENTS);
    client.destroy();
    client.destroy(new Error('again'));
    client.end();
    peer.resume();
    await lab.closing(client, peer);
    expect(seen).to.deep.equal(['close false']);
  });
});
