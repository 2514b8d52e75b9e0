/** What the demo compares, and how one connection of it is timed. */
import type { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { TurboSocket } from 'turbotls/experimental';

/** A connection that is being made. */
export interface Dialled {
  socket: TLSSocket | TurboSocket;
  /** Who emits `connect` when TCP is connected, where `socket` does not know. */
  tcp?: EventEmitter;
}

/** One way to connect. */
export interface Contender {
  name: string;
  /** What is particular about it. */
  detail: string;
  dial(): Dialled;
}

/** Where the contenders meet. */
export interface Link {
  /** For people: what kind of network this is. */
  title: string;
  kind: 'simulated' | 'loopback' | 'remote';
  /** Undefined: to be taken from the TCP connect time. */
  roundTripMs: number | undefined;
  contenders: Contender[];
  /** What is sent when TLS is secure; the first byte of the answer ends the measurement. */
  request: string | Buffer;
  /** Whether some answer must come. */
  answers: boolean;
  /** Rounds before those that count: what runs for the first time runs slowly. */
  warmUps: number;
  /** Makes the link fast, or what it is: warming up is to be over soon. */
  hurry?(isInHurry: boolean): void;
  /** Ends all that the demo runs itself. */
  close(): void;
}

/** When each thing happened, ms since the call of connect; undefined: it did not. */
export interface Timing {
  tcpConnected: number | undefined;
  udpSent: number | undefined;
  udpAnswered: number | undefined;
  /** Turbo: TCP took over, by tombstone or as plain TLS. */
  carrierChosen: number | undefined;
  secure: number;
  firstByte: number | undefined;
  /** What carried the first flights. */
  carrier: 'udp' | 'tcp';
  protocol: string | null;
}

const ANSWER_TIMEOUT_MS = 3_000;

/** Connects once, sends the request, waits for the first byte of the answer, and closes. */
export async function time(contender: Contender, { request, answers }: Link, timeoutMs: number): Promise<Timing> {
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  const { socket, tcp = socket } = contender.dial();
  const turbo = 'turbo' in socket ? socket.turbo : undefined;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  try {
    return await new Promise<Timing>((resolve, reject) => {
      let tcpConnected: number | undefined;
      let secure: number | undefined;
      const done = (firstByte?: number) => {
        resolve({
          tcpConnected,
          udpSent: turbo?.timeline.udpSent,
          udpAnswered: turbo?.timeline.udpAnswered,
          carrierChosen: turbo?.timeline.carrierChosen,
          secure: secure as number,
          firstByte,
          carrier: turbo?.carrier ?? 'tcp',
          protocol: socket.getProtocol(),
        });
      };
      const giveUp = (why: string) => {
        if (secure !== undefined && !answers) done();
        else reject(new Error(`${contender.name}: ${why}`));
      };
      const waitAtMost = (ms: number) => setTimeout(giveUp, ms, `no answer within ${ms / 1000} s`).unref();
      tcp.once('connect', () => {
        tcpConnected = elapsed();
      });
      socket.once('secureConnect', () => {
        secure = elapsed();
        socket.write(request);
        if (!answers) waitAtMost(ANSWER_TIMEOUT_MS);
      });
      socket.once('data', () => done(elapsed()));
      socket.once('error', reject);
      socket.once('close', () => giveUp('the server closed the connection'));
      waitAtMost(timeoutMs);
    });
  } finally {
    socket.on('error', () => {}); // it is over: what the peer says to that is of no interest
    socket.destroy();
    await closed;
  }
}
