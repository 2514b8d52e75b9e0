/**
 * https.get over TurboTLS, by an agent that keeps its connections. Clients that take an agent take this one too.
 *
 *   node dist/examples/clients/https-agent.js --url https://api.example/ --ca ca.pem
 */
import { get } from 'node:https';
import { turboAgent } from 'turbotls/experimental';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Gets what is at a URL, by https.get.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'what to get' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

const agent = turboAgent({ keepAlive: true, ...(ca && { ca }) });

const outgoing = get(url, { agent }, (answer) => answer.pipe(process.stdout));
outgoing.on('error', fail);
