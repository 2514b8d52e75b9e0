/**
 * An echo server in several processes that share one port, TCP and UDP. The primary needs one line for it: sharePorts.
 *
 *   node dist/examples/certificate.js --folder certs
 *   node dist/examples/cluster/server.js --cert certs/cert.pem --key certs/key.pem
 *   echo hello | node dist/examples/echo/client.js --ca certs/ca.pem
 */
import cluster from 'node:cluster';
import type { TLSSocket } from 'node:tls';
import { sharePorts } from 'turbotls/cluster';
import { createServer } from 'turbotls/experimental';
import { commandLine, fail, onInterrupt, portOption } from '../command-line.js';

const { cert, key, host, port, workers } = commandLine('An echo server over TurboTLS, in several processes.', {
  cert: { kind: 'file', value: 'FILE', required: true, about: 'certificate chain, PEM' },
  key: { kind: 'file', value: 'FILE', required: true, about: 'its private key, PEM' },
  host: { kind: 'text', value: 'ADDRESS', default: '::', about: 'address to listen on' },
  port: { ...portOption, about: 'port to listen on; 0: one that is free' },
  workers: { kind: 'number', value: 'COUNT', default: 2, from: 1, to: 64, about: 'how many processes serve' },
});

if (cluster.isPrimary) {
  sharePorts();
  for (let count = 0; count < workers; count++) cluster.fork();
  cluster.on('exit', (_worker, code, signal) => {
    if (signal) cluster.fork();
    else process.exitCode ||= code;
  });
  onInterrupt(() => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.send('end');
  });
} else {
  const sockets = new Set<TLSSocket>();
  const end = () => {
    for (const socket of sockets) socket.destroySoon();
    cluster.worker?.disconnect(); // closes the server first
  };

  const server = createServer({ cert, key }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', (error) => console.error(`${socket.remoteAddress}: ${error.message}`));
    console.log(`worker ${process.pid} serves ${socket.remoteAddress}`);
    socket.pipe(socket);
  });
  server.on('listening', () => console.log(`worker ${process.pid} listening on`, server.address()));
  server.on('error', (error) => {
    fail(error);
    end();
  });
  server.listen({ host, port });

  // The channel has messages of turbotls too.
  process.on('message', (message) => message === 'end' && end());
  onInterrupt(() => {}); // the primary says when
}
