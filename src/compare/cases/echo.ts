/**
 * TLS with a server that answers: `node:tls` and turbo, each as a process connects that has never been there, and as one
 * that has. To the first byte of the answer; without a request until TLS is there.
 *
 * What UDP blocked costs is no case of its own: under a link that drops datagrams `turbo` is the first contact and
 * `turbo-known` the second.
 */
import { type EventEmitter, once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { connect as connectTurbo, type TurboSocket } from '../../client/connect.js';
import { type FirstContact, PathMemory } from '../../client/path-memory.js';
import type { Case, EchoTarget, Missing, Prepared } from '../case.js';
import { quicCase } from './quic.js';
import { type TlsTrial, timeTls } from './time-tls.js';
import { tlsPeer } from './tls-peer.js';

const REFERENCE = 'tls';

/** How long a server may take to send the ticket of a session, ms. */
const TICKET_TIMEOUT_MS = 5_000;

/** A first contact may meet a lost packet; what is measured comes after. */
const CONTACT_ATTEMPTS = 3;

type Dial = (session?: Buffer) => TLSSocket | TurboSocket;

export const echoCases: readonly Case<EchoTarget>[] = [
  {
    ...named('tls', 'node:tls'),
    prepare: async (target) => cold(target, () => dialTls(target)),
  },
  {
    ...named('turbo', 'turbo, first contact'),
    prepare: async (target) => cold(target, () => dialTurbo(target, new PathMemory())),
  },
  {
    ...named('turbo-known', 'turbo, known path'),
    prepare: (target, signal) => known(target, signal),
  },
  {
    ...named('turbo-careful', 'turbo, careful, first contact'),
    prepare: async (target) => cold(target, () => dialTurbo(target, new PathMemory(), { firstContact: 'careful' })),
  },
  {
    ...named('tls-resumed', 'node:tls, resumed session'),
    prepare: (target, signal) => resumed(target, signal, (session) => dialTls(target, session)),
  },
  {
    ...named('turbo-resumed', 'turbo, resumed session'),
    prepare(target, signal) {
      const memory = new PathMemory();
      return resumed(target, signal, (session) => dialTurbo(target, memory, { session }));
    },
  },
  { ...named('quic', 'QUIC, @matrixai/quic'), ...quicCase },
];

function named(id: string, title: string): Omit<Case<EchoTarget>, 'prepare'> {
  return { id, title, group: 'echo', reference: REFERENCE };
}

function cold({ request }: EchoTarget, dial: Dial): Prepared {
  return { once: (signal) => timeTls({ dial, request, signal }) };
}

/** As in a process that goes on: what each connection learns, the next ones use. */
async function known(target: EchoTarget, signal: AbortSignal): Promise<Prepared> {
  const { request } = target;
  const memory = new PathMemory();
  const dial = () => dialTurbo(target, memory);
  await contact({ dial, request, signal });
  return { once: (signal) => timeTls({ dial, request, signal }) };
}

async function resumed(target: EchoTarget, signal: AbortSignal, dial: Dial): Promise<Prepared | Missing> {
  const { request } = target;
  let session = await firstSession(dial, signal);
  if (session === undefined) return { missing: 'the server gave no session to resume' };
  return {
    once: (signal) =>
      timeTls({
        dial: () => dial(session),
        request,
        signal,
        onSecure(socket) {
          if (!socket.isSessionReused()) throw new Error('the server did not resume the session');
          // A server may take each ticket once.
          socket.on('session', (next) => {
            session = next;
          });
        },
      }),
  };
}

/** With TLS 1.3 it comes behind the handshake. */
async function firstSession(dial: Dial, signal: AbortSignal): Promise<Buffer | undefined> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TICKET_TIMEOUT_MS)]);
  const socket = dial();
  try {
    const [session] = (await once(socket as EventEmitter, 'session', { signal: limited })) as [Buffer];
    return session;
  } catch (error) {
    signal.throwIfAborted();
    if (limited.aborted) return undefined;
    throw error;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

async function contact(trial: TlsTrial): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await timeTls(trial);
      return;
    } catch (error) {
      if (attempt === CONTACT_ATTEMPTS || trial.signal.aborted) throw error;
    }
  }
}

function dialTls(target: EchoTarget, session?: Buffer): TLSSocket {
  const options = { ...target.address, ...tlsPeer(target), noDelay: true, ...(session && { session }) };
  return connectTls(options);
}

function dialTurbo(
  target: EchoTarget,
  memory: PathMemory,
  { session, firstContact }: { session?: Buffer | undefined; firstContact?: FirstContact } = {},
): TurboSocket {
  return connectTurbo({
    ...(target.turboAddress ?? target.address),
    ...tlsPeer(target),
    ...(session && { session }),
    turbo: { memory, firstContact },
  });
}
