/**
 * An echo server over TurboTLS. It serves clients of plain TLS on the same port.
 *
 *   node dist/examples/certificate.js --folder certs
 *   node dist/examples/echo/server.js --cert certs/cert.pem --key certs/key.pem
 */
import type { TLSSocket } from 'node:tls';
import { createServer } from 'turbotls/experimental';
import { commandLine, fail, onInterrupt, portOption } from '../command-line.js';

const { cert, key, host, port } = commandLine('An echo server over TurboTLS: TCP and UDP ports of the same number.', {
  cert: { kind: 'file', value: 'FILE', required: true, about: 'certificate chain, PEM' },
  key: { kind: 'file', value: 'FILE', required: true, about: 'its private key, PEM' },
  host: { kind: 'text', value: 'ADDRESS', default: '::', about: 'address to listen on' },
  port: { ...portOption, about: 'port to listen on; 0: one that is free' },
});

const sockets = new Set<TLSSocket>();

const server = createServer({ cert, key }, (socket) => {
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  socket.on('error', (error) => console.error(`${socket.remoteAddress}: ${error.message}`));
  socket.pipe(socket);
});

server.on('error', fail);
server.on('listening', () => console.log('listening on', server.address()));
server.turbo?.events$.subscribe((event) => {
  if (event.type === 'bound' || event.type === 'plain') console.log('connection:', event.type);
});
server.listen({ host, port });

onInterrupt(() => {
  server.close();
  for (const socket of sockets) socket.destroySoon();
});
