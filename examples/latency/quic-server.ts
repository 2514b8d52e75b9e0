/** A server that echoes over QUIC, with ALPN `echo`, by @matrixai/quic. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { events, QUICServer } from '@matrixai/quic';
import type { HostAddress } from 'turbotls';
import { quietLogger } from '../../src/compare/cases/quic.js';

export interface QuicServer {
  address: HostAddress;
  close(): Promise<void>;
}

export interface QuicServerOptions extends HostAddress {
  /** PEM. */
  key: string;
  cert: string;
}

/** @param options port 0: one that is free */
export async function startQuicServer({ host, port, key, cert }: QuicServerOptions): Promise<QuicServer> {
  const server = new QUICServer({
    crypto: { key: new Uint8Array(randomBytes(32)).buffer, ops: { sign, verify } },
    config: { key, cert, applicationProtos: ['echo'], maxIdleTimeout: 30_000 },
    logger: quietLogger as unknown as NonNullable<ConstructorParameters<typeof QUICServer>[0]['logger']>,
  });
  server.addEventListener(
    events.EventQUICServerConnection.name,
    ({ detail: connection }: events.EventQUICServerConnection) => {
      connection.addEventListener(
        events.EventQUICConnectionStream.name,
        ({ detail: stream }: events.EventQUICConnectionStream) => {
          stream.readable.pipeTo(stream.writable).catch(() => {}); // clients leave without a word
        },
      );
    },
  );
  await server.start({ host, port });
  return { address: { host: server.host, port: server.port }, close: () => server.stop({ force: true }) };
}

/** Of the tokens in its Retry packets. */
async function sign(key: ArrayBuffer, data: ArrayBuffer): Promise<ArrayBuffer> {
  const signature = createHmac('sha256', Buffer.from(key)).update(Buffer.from(data)).digest();
  return new Uint8Array(signature).buffer;
}

async function verify(key: ArrayBuffer, data: ArrayBuffer, signature: ArrayBuffer): Promise<boolean> {
  const expected = Buffer.from(await sign(key, data));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
