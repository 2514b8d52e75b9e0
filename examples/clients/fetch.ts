/**
 * fetch over TurboTLS, with undici's Agent for dispatcher:
 *
 *   node dist/examples/clients/fetch.js --url https://api.example/ --ca ca.pem
 */
import { undiciConnector } from 'turbotls/experimental';
import { Agent, fetch, setGlobalDispatcher } from 'undici';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Gets what is at a URL, by fetch.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'what to get' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

async function run(): Promise<void> {
  setGlobalDispatcher(new Agent({ connect: undiciConnector({ ca }) }));
  const answer = await fetch(url);
  console.log((await answer.text()).trimEnd());
}

// What went wrong stands in the cause: fetch itself says only that it failed.
run().catch((error: Error) => fail((error.cause as Error | undefined) ?? error));
