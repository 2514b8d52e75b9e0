/** Datagrams through the engine, without the kernel: what a flood costs, and what a session's requests cost. */
import { randomBytes } from 'node:crypto';
import { Engine } from '../src/engine/engine.js';
import { encodeDatagram } from '../src/wire/datagram.js';
import type { Figure } from './measure.js';

const FROM = { address: '127.0.0.1', port: 40_000 };
const BATCH = 1000;

export function datagrams(seconds: number): Figure[] {
  const engine = new Engine({ onSession: () => {}, onProtocol: () => false, limits: { handshakeCpuShare: 1 } });
  const connectionId = randomBytes(16);
  const request = (sequence: number, payload: Buffer) =>
    encodeDatagram({ side: 'client', connectionId, sequence, acknowledged: 0, payload });
  // Half a ClientHello: the session waits for the rest.
  engine.handleDatagram(request(1, Buffer.from('16030102000100', 'hex')), FROM);
  const corrupt = request(0, Buffer.alloc(0));
  corrupt[200] = 1;
  const unknown = encodeDatagram({
    side: 'client',
    connectionId: randomBytes(16),
    sequence: 0,
    acknowledged: 0,
    payload: Buffer.alloc(0),
  });
  const rate = (name: string, message: Buffer): Figure => {
    const endsAt = performance.now() + seconds * 1000;
    const startedAt = performance.now();
    let count = 0;
    while (performance.now() < endsAt) {
      for (let i = 0; i < BATCH; i++) engine.handleDatagram(message, FROM);
      count += BATCH;
    }
    return { name, unit: '1/s', turbo: count / ((performance.now() - startedAt) / 1000) };
  };
  try {
    return [
      rate('datagrams, garbage of 1,200 bytes', randomBytes(1200)),
      rate('datagrams, corrupt', corrupt),
      rate('datagrams, unknown session', unknown),
      rate('datagrams, requests of a session', request(0, Buffer.alloc(0))),
    ];
  } finally {
    engine.close();
  }
}
