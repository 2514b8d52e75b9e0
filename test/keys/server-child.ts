/** A server with a key in a token, in a process of its own: a process that has lost its key has lost it for good. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { type KeyLimits, keyHealth, keysReturn, pkcs11Key } from '../../src/keys/index.js';

export interface ChildOrder {
  cert: string;
  uri: string;
  limits?: Partial<KeyLimits>;
}

export type ChildNews =
  | { type: 'listening'; port: number }
  | { type: 'failed'; code: string; message: string }
  | { type: 'lost'; code: string; message: string }
  | { type: 'handshake-failed'; ofTheKey: boolean }
  | { type: 'back' };

const tell = (news: ChildNews) => process.send?.(news);

process.once('message', ({ cert: file, uri, limits }: ChildOrder) => {
  const cert = readFileSync(file, 'utf8');
  try {
    const server = createServer({ cert, ...pkcs11Key(uri, { cert, limits }) }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    server.on('tlsClientError', (error) => tell({ type: 'handshake-failed', ofTheKey: keyHealth().report(error) }));
    server.listen(0, '127.0.0.1', () => tell({ type: 'listening', port: (server.address() as AddressInfo).port }));
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    tell({ type: 'failed', code, message });
  }
});
keyHealth().lost$.subscribe(({ code, message }) => {
  tell({ type: 'lost', code, message });
  void keysReturn().then(() => tell({ type: 'back' }));
});
process.on('disconnect', () => process.exit());
