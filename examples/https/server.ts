/**
 * An https server with a TurboTLS port: `attach` is the only line that differs from one without.
 *
 *   node dist/examples/certificate.js --folder certs
 *   node dist/examples/https/server.js --cert certs/cert.pem --key certs/key.pem
 */
import { createServer } from 'node:https';
import { attach } from 'turbotls/experimental';
import { commandLine, fail, onInterrupt, portOption } from '../command-line.js';

const { cert, key, host, port } = commandLine('An https server with a TurboTLS port. Browsers and curl work too.', {
  cert: { kind: 'file', value: 'FILE', required: true, about: 'certificate chain, PEM' },
  key: { kind: 'file', value: 'FILE', required: true, about: 'its private key, PEM' },
  host: { kind: 'text', value: 'ADDRESS', default: '::', about: 'address to listen on' },
  port: { ...portOption, about: 'port to listen on; 0: one that is free' },
});

const server = createServer({ cert, key }, (request, response) => {
  response.end(`${request.method} ${request.url} from ${request.socket.remoteAddress}\n`);
});
attach(server);

server.on('error', fail);
server.on('listening', () => console.log('listening on', server.address()));
server.listen({ host, port });

onInterrupt(() => {
  server.close();
  server.closeAllConnections();
});
