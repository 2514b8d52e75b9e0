/** A server in a process of its own, so that its memory can be looked at: with node:tls, or with turbotls. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createServer } from 'turbotls/experimental';
import { pkcs11Key } from 'turbotls/keys';

/** What it is sent first; it answers with its port, a number. */
export interface ServerOrder {
  kind: 'tls' | 'turbo';
  /** Files, PEM. */
  cert: string;
  key: string | { pkcs11: string };
}

process.once('message', ({ kind, cert: file, key }: ServerOrder) => {
  const cert = readFileSync(file, 'utf8');
  const credentials = typeof key === 'string' ? { key: readFileSync(key) } : pkcs11Key(key.pkcs11, { cert });
  const create = kind === 'tls' ? createTlsServer : createServer;
  const server = create({ cert, ...credentials }, (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.end('hello');
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
});
process.on('disconnect', () => process.exit());
