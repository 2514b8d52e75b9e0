/**
 * http2.connect over TurboTLS:
 *
 *   node dist/examples/clients/http2.js --url https://api.example/ --ca ca.pem
 */
import { connect } from 'node:http2';
import { createHttp2Connection } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Gets what is at a URL, by http2.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'what to get' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

const session = connect(url, { createConnection: createHttp2Connection({ ca }) });
session.on('error', fail);

const { pathname, search } = new URL(url);
const stream = session.request({ ':path': `${pathname}${search}` });
stream.on('error', () => {}); // the session reports it
stream.on('close', () => session.close());
stream.pipe(process.stdout);
