/** A server whose key is somewhere, in a process of its own: its event loop is what the figures are about. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { createServer, type SecureContextOptions } from 'node:tls';
import { pkcs11Key } from '../../src/keys/index.js';

export interface KeyServerOrder {
  /** PEM. */
  cert: string;
  key:
    | { file: string }
    | { pkcs11: string }
    /** As OpenSSL's engine takes it, with nothing of ours between it and the key process. */
    | { engine: string };
}

/** In answer to any message but the first: since the one before, ms in which the event loop was busy. */
export interface KeyServerReading {
  activeMs: number;
}

process.once('message', ({ cert, key }: KeyServerOrder) => {
  const server = createServer({ cert, ...credentials(cert, key) }, (socket) => {
    socket.on('error', () => {}).end('x');
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1', () => {
    let before = performance.eventLoopUtilization();
    process.on('message', () => {
      const now = performance.eventLoopUtilization();
      process.send?.({ activeMs: performance.eventLoopUtilization(now, before).active } satisfies KeyServerReading);
      before = now;
    });
    process.send?.((server.address() as AddressInfo).port);
  });
});
process.on('disconnect', () => process.exit());

function credentials(cert: string, key: KeyServerOrder['key']): SecureContextOptions {
  if ('file' in key) return { key: readFileSync(key.file) };
  if ('pkcs11' in key) return pkcs11Key(key.pkcs11, { cert });
  return { privateKeyEngine: 'pkcs11', privateKeyIdentifier: key.engine };
}
