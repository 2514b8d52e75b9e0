/** Sessions that are taken up again: TLS 1.3 tickets, TLS 1.2 tickets and session IDs kept by the application. */
import { setTimeout as delay } from 'node:timers/promises';
import type * as tls from 'node:tls';
import { expect } from 'chai';
import { type ClientOptions, type Lab, onEach, type ServerOptions, sameAsNative, until } from './transports.js';

/** Connects, has a word each way, and returns the last session that came. */
async function visit(lab: Lab, server: tls.Server, options: ClientOptions = {}) {
  const { client, peer } = await lab.join(server, options);
  const sessions: Buffer[] = [];
  client.on('session', (session: Buffer) => sessions.push(session));
  // The tickets of TLS 1.3 come before what the server says.
  const answered = new Promise((resolve) => {
    client.once('data', resolve);
  });
  peer.write('welcome');
  await answered;
  const seen = { reused: [client.isSessionReused(), peer.isSessionReused()], protocol: client.getProtocol() };
  const session = sessions.at(-1) ?? client.getSession();
  client.destroy();
  await lab.closing(client, peer);
  return { seen, session };
}

describe('compliance: resumption', () => {
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    sameAsNative(`by a ticket, ${maxVersion}`, async (lab) => {
      const server = await lab.serve({ maxVersion });
      const first = await visit(lab, server);
      const second = await visit(lab, server, { session: first.session });
      const third = await visit(lab, server, { session: second.session });
      return [first.seen, second.seen, third.seen];
    });

    sameAsNative(`a ticket of another server is no use and no harm, ${maxVersion}`, async (lab) => {
      const first = await visit(lab, await lab.serve({ maxVersion }));
      const second = await visit(lab, await lab.serve({ maxVersion }), { session: first.session });
      return second.seen;
    });

    sameAsNative(`with keys that two servers share, ${maxVersion}`, async (lab) => {
      const ticketKeys = Buffer.alloc(48, 9);
      const first = await visit(lab, await lab.serve({ maxVersion, ticketKeys, sessionIdContext: 'shared' }));
      const options = { session: first.session };
      return (await visit(lab, await lab.serve({ maxVersion, ticketKeys, sessionIdContext: 'shared' }), options)).seen;
    });
  }

  sameAsNative('and HelloRetryRequest', async (lab) => {
    const server = await lab.serve({ ecdhCurve: 'P-384' });
    const first = await visit(lab, server);
    return (await visit(lab, server, { session: first.session })).seen;
  });

  const noTickets: ServerOptions = { maxVersion: 'TLSv1.2', secureOptions: 0x4000 /* SSL_OP_NO_TICKET */ };

  for (const how of ['at once', 'after 30 ms'] as const) {
    sameAsNative(`TLS 1.2 by newSession and resumeSession, which answer ${how}`, async (lab) => {
      const kept = new Map<string, Buffer>();
      const asked: string[] = [];
      const server = await lab.serve(noTickets);
      server.on('newSession', async (id: Buffer, data: Buffer, done: () => void) => {
        asked.push('newSession');
        if (how === 'after 30 ms') await delay(30);
        kept.set(id.toString('hex'), data);
        done();
      });
      server.on('resumeSession', async (id: Buffer, done: (error: Error | null, data: Buffer | null) => void) => {
        asked.push('resumeSession');
        if (how === 'after 30 ms') await delay(30);
        done(null, kept.get(id.toString('hex')) ?? null);
      });
      const first = await visit(lab, server);
      const second = await visit(lab, server, { session: first.session });
      return { calls: new Set(asked), first: first.seen, second: second.seen };
    });
  }

  sameAsNative('a resumeSession that fails', async (lab) => {
    const server = await lab.serve(noTickets);
    server.on('newSession', (_id: Buffer, _data: Buffer, done: () => void) => done());
    const first = await visit(lab, server);
    server.on('resumeSession', (_id: Buffer, done: (error: Error | null, data: Buffer | null) => void) =>
      done(new Error('the store is down'), null),
    );
    const client = lab.connect(server, { session: first.session as Buffer, turbo: { limits: { graceMinMs: 100 } } });
    const code = await new Promise((resolve) => {
      client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    await lab.closing(client);
    return code;
  });

  onEach("'session' comes once for each ticket", async (lab) => {
    const server = await lab.serve({}, (peer) => peer.write('after the tickets'));
    let sessions = 0;
    const client = lab.connect(server).on('session', () => sessions++);
    client.resume();
    await until(() => client.bytesRead >= 17 && sessions === 2, 'two tickets came');
    expect(sessions).to.equal(2);
  });
});
