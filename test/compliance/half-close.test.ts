/** Each direction ends by itself: who ends first, who may go on, and what each end is told. */
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { bytes, digest, digestOf, send } from './bytes.js';
import { onEach, sameAsNative, trace, turn, until } from './transports.js';

/** Ends with a word. When it is told of the other's end, notes whether it could still write, and if so, does and ends. */
function answerTheEnd(socket: TLSSocket, seen: string[]): void {
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  socket.on('end', () => {
    seen.push(`read ${JSON.stringify(said)}, writable ${socket.writable}`);
    if (socket.writable) socket.end('and more');
  });
}

describe('compliance: half-close', () => {
  for (const first of ['client', 'server'] as const) {
    for (const clientHalf of [false, true]) {
      for (const serverHalf of [false, true]) {
        const title = `the ${first} ends first; allowHalfOpen: client ${clientHalf}, server ${serverHalf}`;
        sameAsNative(title, async (lab) => {
          const { client, peer } = await lab.pair({ allowHalfOpen: serverHalf }, { allowHalfOpen: clientHalf });
          const seen = { client: trace(client), server: trace(peer) };
          const [ender, other] = first === 'client' ? [client, peer] : [peer, client];
          answerTheEnd(other, first === 'client' ? seen.server : seen.client);
          answerTheEnd(ender, first === 'client' ? seen.client : seen.server);
          ender.end('goodbye');
          await lab.closing(client, peer);
          return seen;
        });
      }
    }
  }

  for (const first of ['client', 'server'] as const) {
    for (const half of [false, true]) {
      sameAsNative(`the ${first} ends first, the other does nothing; allowHalfOpen ${half}`, async (lab) => {
        const { client, peer } = await lab.quietPair({ allowHalfOpen: half }, { allowHalfOpen: half });
        const [ender, other] = first === 'client' ? [client, peer] : [peer, client];
        ender.resume();
        other.resume();
        const told = new Promise((resolve) => void other.once('end', resolve));
        ender.end('goodbye');
        await told;
        if (!half) await lab.closing(client, peer);
        for (let i = 0; i < 5; i++) await turn();
        return [other.writableEnded, other.destroyed, other.readyState, ender.readyState];
      });
    }

    onEach(`a megabyte comes back after the ${first} has ended`, async (lab) => {
      const { client, peer } = await lab.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
      const [ender, other] = first === 'client' ? [client, peer] : [peer, client];
      const answer = digest(ender);
      ender.end('please');
      other.resume().on('end', () => void send(other, 'an answer', 2 ** 20));
      expect(await answer).to.deep.equal(digestOf('an answer', 2 ** 20));
      await lab.closing(client, peer);
    });
  }

  sameAsNative('a write after the end', async (lab) => {
    const { client, peer } = await lab.quietPair();
    const seen = { client: trace(client), server: trace(peer) };
    peer.resume();
    client.resume();
    client.end('goodbye');
    const error = await new Promise((resolve) => {
      client.write('too late', (failure) => resolve((failure as NodeJS.ErrnoException).code));
    });
    await lab.closing(client, peer);
    return { ...seen, error };
  });

  sameAsNative('both end at once', async (lab) => {
    const { client, peer } = await lab.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    const seen = { client: trace(client, ['end', 'error', 'close']), server: trace(peer, ['end', 'error', 'close']) };
    answerTheEnd(client, seen.client);
    answerTheEnd(peer, seen.server);
    client.end('from the client');
    peer.end('from the server');
    await lab.closing(client, peer);
    return seen;
  });

  sameAsNative('end() right after tls.connect, without a word', async (lab) => {
    const server = await lab.serve();
    const failed = new Promise((resolve) => {
      server.once('tlsClientError', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    const client = lab.connect(server);
    const seen = trace(client);
    client.resume();
    client.end();
    await lab.closing(client);
    return { seen, failed: await failed };
  });

  sameAsNative('end(data) right after tls.connect', async (lab) => {
    let said = '';
    const server = await lab.serve({}, (socket) => {
      socket.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    });
    const client = lab.connect(server);
    const seen = trace(client);
    client.resume();
    client.end('all of it');
    await lab.closing(client);
    await until(() => said.length === 9, 'the server has read it');
    return { seen, said };
  });

  sameAsNative('the server ends within secureConnection', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.end('that was all'));
    const client = lab.connect(server);
    const seen = trace(client);
    answerTheEnd(client, seen);
    await lab.closing(client);
    return seen;
  });

  onEach('what was written before end() arrives before the end', async (lab) => {
    const { client, peer } = await lab.pair();
    const received = digest(peer);
    for (let part = 0; part < 16; part++) client.write(bytes(`part ${part}`, 40_000));
    client.end();
    client.resume();
    expect((await received).bytes).to.equal(16 * 40_000);
    await lab.closing(client, peer);
  });
});
