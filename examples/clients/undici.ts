/**
 * undici over TurboTLS:
 *
 *   node dist/examples/clients/undici.js --url https://api.example/ --ca ca.pem
 */
import { undiciConnector } from 'turbotls/experimental';
import { Agent, request } from 'undici';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Gets what is at a URL, by undici.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'what to get' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  const dispatcher = new Agent({ allowH2: true, connect: undiciConnector({ ca }) });
  const { body } = await request(url, { dispatcher });
  console.log((await body.text()).trimEnd());
}

run().catch(fail);
