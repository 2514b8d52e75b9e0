/**
 * An https request over TurboTLS: `createConnection` is the only option that differs from one without.
 *
 *   node dist/examples/https/client.js --ca certs/ca.pem --path /hello
 */
import { request } from 'node:https';
import { isIP } from 'node:net';
import { connect, type TurboSocket } from 'turbotls/experimental';
import { commandLine, fail, onInterrupt, portOption } from '../command-line.js';

const { host, port, path, ca } = commandLine('An https request over TurboTLS.', {
  host: { kind: 'text', value: 'HOST', default: 'localhost', about: 'name or address of the server' },
  port: { ...portOption, about: 'its port' },
  path: { kind: 'text', value: 'PATH', default: '/', about: 'what to ask for' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

const servername = isIP(host) === 0 ? host : '';
const createConnection = () => connect({ host, port, servername, ...(ca && { ca }) });

const get = request({ host, port, path, createConnection }, (response) => {
  console.error(`HTTP ${response.statusCode}, handshake over ${(response.socket as TurboSocket).turbo?.carrier}`);
  response.pipe(process.stdout);
});
get.on('error', fail);
get.end();

onInterrupt(() => get.destroy());
