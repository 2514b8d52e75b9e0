/** QUIC by @matrixai/quic, for comparison. Its server always answers with Retry (RFC 9000, section 8.1.2): a round trip. */
import { randomFillSync } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { onAbort } from '../../abort.js';
import type { HostAddress } from '../../transport.js';
import type { Case, EchoTarget } from '../case.js';
import type { Sample } from '../model.js';
import { isMissing, optional } from './optional.js';
import { Stopwatch } from './stopwatch.js';

type Quic = typeof import('@matrixai/quic');
type Client = InstanceType<Quic['QUICClient']>;

const ALPN = 'echo';

/** By default it writes a line for each thing that it does, which takes its time too. */
export const quietLogger = { debug() {}, info() {}, warn() {}, error() {}, getChild: () => quietLogger };

export const quicCase: Pick<Case<EchoTarget>, 'prepare'> = {
  async prepare(target) {
    const { quicAddress } = target;
    if (quicAddress === undefined) return { missing: 'no server of QUIC is known here' };
    const quic = await optional('@matrixai/quic', () => import('@matrixai/quic'));
    if (isMissing(quic)) return quic;
    const closing = new Set<Promise<void>>();
    return {
      async once(signal) {
        const stopwatch = new Stopwatch();
        const client = await dial(quic, quicAddress, target, signal);
        try {
          stopwatch.carrier = 'udp';
          stopwatch.reached('secure');
          return await exchange(client, target.request, signal, stopwatch);
        } finally {
          // QUIC stays for three of its timeouts after the end (RFC 9000, section 10.2): nobody waits for that.
          const closed = client.destroy({ force: true }).catch(() => {});
          closing.add(closed);
          void closed.then(() => closing.delete(closed));
        }
      },
      async close() {
        await Promise.all(closing);
      },
    };
  },
};

function dial(
  { QUICClient }: Quic,
  { host, port }: HostAddress,
  { serverName, ca }: EchoTarget,
  signal: AbortSignal,
): Promise<Client> {
  return QUICClient.createQUICClient(
    {
      host,
      port,
      serverName,
      localHost: isIPv6(host) ? '::' : '0.0.0.0',
      crypto: {
        ops: {
          async randomBytes(data) {
            randomFillSync(new Uint8Array(data));
          },
        },
      },
      logger: quietLogger as unknown as NonNullable<Parameters<Quic['QUICClient']['createQUICClient']>[0]['logger']>,
      config: { verifyPeer: true, applicationProtos: [ALPN], ...(ca !== undefined && { ca }) },
    },
    { signal },
  );
}

async function exchange(
  client: Client,
  request: string | undefined,
  signal: AbortSignal,
  stopwatch: Stopwatch,
): Promise<Sample> {
  if (request === undefined) return stopwatch.sample();
  const stream = client.connection.newStream('bidi');
  const reader = stream.readable.getReader();
  const stopListening = onAbort(signal, () => stream.cancel(signal.reason));
  try {
    const writer = stream.writable.getWriter();
    void writer.write(Buffer.from(request)).catch(() => {}); // the reader tells
    const { done } = await reader.read();
    if (done) throw new Error('the server closed the stream before it answered');
    return stopwatch.sample();
  } finally {
    stopListening();
  }
}
