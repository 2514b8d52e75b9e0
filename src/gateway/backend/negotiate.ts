/** PostgreSQL's SSLRequest to a backend, up to where TLS may begin. */
import type { Duplex } from 'node:stream';
import { onAbort } from '../../abort.js';
import { FrontendEncoder } from '../../codec/pg/encoder.js';
import { type Answer, onAnswer, onAnswerLost } from '../../codec/pg/negotiation.js';

const SSL_REQUEST = new FrontendEncoder().write({ name: 'SSLRequest' }).take();

/** TLS or nothing: the same rules as for a client of sslmode=require. */
const AWAITED: Answer = {
  name: 'answer',
  attempt: { encryption: 'ssl-request', sslmode: 'require', alpn: 'optional', otherwise: undefined },
};

/**
 * Asks for TLS; resolves once the backend has agreed.
 * @throws PgError ERR_PG_TLS_REFUSED, ERR_PG_TLS_INJECTION, ERR_PG_NEGOTIATION, ERR_PG_CONNECTION_LOST; the signal's
 * reason
 */
export async function requestTls(stream: Duplex, signal: AbortSignal): Promise<void> {
  stream.write(SSL_REQUEST);
  const answer = await firstBytes(stream, signal);
  const state = Buffer.isBuffer(answer) ? onAnswer(AWAITED, answer) : onAnswerLost(AWAITED, answer.lost);
  if (state.name === 'failed') throw state.error;
}

/** What comes first, as much as there is of it, and nothing is consumed behind it. */
function firstBytes(stream: Duplex, signal: AbortSignal): Promise<Buffer | { lost: Error | undefined }> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      for (const [event, listener] of Object.entries(listeners)) stream.off(event, listener);
      forget();
      act();
    };
    const giveUp = () => settle(() => reject(signal.reason));
    const forget = onAbort(signal, giveUp);
    const onLost = (error?: Error) => settle(() => resolve({ lost: error }));
    const listeners = {
      readable: () => {
        const bytes: Buffer | null = stream.read();
        if (bytes) settle(() => resolve(bytes));
      },
      error: onLost,
      end: onLost,
      close: onLost,
    };
    for (const [event, listener] of Object.entries(listeners)) stream.on(event, listener);
    if (signal.aborted) giveUp();
  });
}
