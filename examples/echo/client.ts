/**
 * Sends its standard input over TurboTLS and prints what comes back; where TurboTLS does not work, over plain TLS.
 *
 *   echo hello | node dist/examples/echo/client.js --ca certs/ca.pem
 */
import { connect } from 'turbotls/experimental';
import { commandLine, fail, onInterrupt, portOption } from '../command-line.js';

const { host, port, ca } = commandLine('Sends its standard input over TurboTLS and prints what comes back.', {
  host: { kind: 'text', value: 'HOST', default: 'localhost', about: 'name or address of the server' },
  port: { ...portOption, about: 'its port' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

const socket = connect({ host, port, ...(ca && { ca }) }, () => {
  console.error(`${socket.getProtocol()}, handshake over ${socket.turbo?.carrier}`);
});

process.stdin.pipe(socket).pipe(process.stdout);
socket.on('error', fail);
socket.on('close', () => process.stdin.destroy());

onInterrupt(() => socket.destroySoon());
