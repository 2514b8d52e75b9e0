/** What tests of gateway and proxy do with a client's connection. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';

export async function secured<S extends TLSSocket>(client: S): Promise<S> {
  await once(client, 'secureConnect');
  return client;
}

/** Says it; what comes back first. */
export async function answerTo(client: Socket, text: string): Promise<string> {
  client.write(text);
  const [bytes] = await once(client, 'data');
  return String(bytes);
}

export async function echoes(client: Socket): Promise<void> {
  expect(await answerTo(client, 'to be echoed')).to.equal('to be echoed');
}

/** What the client sees where it is not served: the code of its error, or an end that comes too early. */
export async function failure(client: Socket): Promise<string> {
  let code = 'an end';
  client.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message;
  });
  client.resume();
  if (!client.closed) await new Promise((resolve) => client.once('close', resolve));
  return code;
}
