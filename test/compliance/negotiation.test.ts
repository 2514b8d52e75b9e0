/** What both ends agree on within the handshake: names, protocols, versions, groups; and how they fail to. */
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { bytes, digest, digestOf, send } from './bytes.js';
import {
  type ClientOptions,
  type Lab,
  onClientError,
  onEach,
  type ServerOptions,
  sameAsNative,
  trace,
  until,
} from './transports.js';

/**
 * A handshake that fails: what both ends are told. Where nothing of the server's answer comes over UDP, lost or `silent`,
 * the client goes on over TCP, and the server sees it fail a second time.
 */
async function failing(lab: Lab, serverOptions: ServerOptions, clientOptions: ClientOptions, silent = false) {
  const server = await lab.serve(serverOptions);
  const seen = { client: [] as string[], server: [] as (string | undefined)[], alert: '' };
  onClientError(server, (code) => seen.server.push(code));
  // Where nothing will come there is nothing to wait for long.
  const turbo = silent ? { limits: { graceMinMs: 100 } } : {};
  const client = lab.connect(server, { ...clientOptions, turbo });
  seen.client = trace(client);
  client.on('error', (error) => {
    seen.alert = /alert .*number \d+/.exec(error.message.trim())?.[0] ?? error.message;
  });
  client.resume();
  await lab.closing(client);
  await until(() => seen.server.length > 0, 'the server has seen the failure');
  if (silent || lab.transport.loss > 0) seen.server = [...new Set(seen.server)];
  return seen;
}

describe('compliance: ALPN', () => {
  sameAsNative(
    'the server chooses by its own order',
    async (lab) => {
      const { client, peer } = await lab.pair(
        { ALPNProtocols: ['h2', 'http/1.1'] },
        { ALPNProtocols: ['http/1.1', 'h2'] },
      );
      return [client.alpnProtocol, peer.alpnProtocol];
    },
    ['h2', 'h2'],
  );

  sameAsNative('only one end speaks it', async (lab) => {
    const server = await lab.join(await lab.serve({ ALPNProtocols: ['h2'] }));
    const client = await lab.join(await lab.serve(), { ALPNProtocols: ['h2'] });
    return [server, client].map((pair) => [pair.client.alpnProtocol, pair.peer.alpnProtocol]);
  });

  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    sameAsNative(`no protocol in common, ${maxVersion}`, (lab) =>
      failing(lab, { ALPNProtocols: ['h2'], maxVersion }, { ALPNProtocols: ['imap'] }),
    );
  }

  sameAsNative('ALPNCallback chooses, knowing the name', async (lab) => {
    const asked: unknown[] = [];
    const server = await lab.serve({
      ALPNCallback: (offer: { servername: string; protocols: string[] }) => {
        asked[0] = { ...offer };
        return offer.protocols[1];
      },
    });
    const { client } = await lab.join(server, { ALPNProtocols: ['first', 'second'], servername: 'localhost' });
    return { asked, chosen: client.alpnProtocol };
  });

  sameAsNative('ALPNCallback refuses', (lab) =>
    failing(lab, { ALPNCallback: () => undefined }, { ALPNProtocols: ['first'] }),
  );
});

describe('compliance: SNI', () => {
  let first: Certificate;
  let second: Certificate;

  before(async () => {
    first = await makeCertificate({ names: ['first.test'] });
    second = await makeCertificate({ names: ['second.test'] });
  });

  const nameOf = async (lab: Lab, server: tls.Server, servername: string) => {
    const { client, peer } = await lab.join(server, { servername, checkServerIdentity: () => undefined });
    return [client.getPeerCertificate().subject.CN, peer.servername];
  };

  sameAsNative('two certificates by addContext', async (lab) => {
    const server = await lab.serve({ key: first.key, cert: first.cert });
    server.addContext('second.test', { key: second.key, cert: second.cert });
    server.addContext('*.many.test', { key: second.key, cert: second.cert });
    const seen = [];
    for (const name of ['first.test', 'second.test', 'one.many.test', 'unknown.test']) {
      seen.push(await nameOf(lab, server, name));
    }
    return seen;
  });

  for (const how of ['at once', 'after 30 ms'] as const) {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      sameAsNative(`two certificates by an SNICallback that answers ${how}, ${maxVersion}`, async (lab) => {
        const server = await lab.serve({
          maxVersion,
          key: first.key,
          cert: first.cert,
          SNICallback: async (name, callback) => {
            if (how === 'after 30 ms') await delay(30);
            const { key, cert } = name === 'second.test' ? second : first;
            callback(null, tls.createSecureContext({ key, cert }));
          },
        });
        return [await nameOf(lab, server, 'first.test'), await nameOf(lab, server, 'second.test')];
      });
    }
  }

  sameAsNative('an SNICallback that refuses', (lab) =>
    failing(lab, { SNICallback: (_name, callback) => callback(new Error('no such name')) }, {}, true),
  );

  sameAsNative('an SNICallback that refuses after 30 ms', (lab) => {
    const SNICallback = async (_name: string, callback: (error: Error) => void) => {
      await delay(30);
      callback(new Error('no such name'));
    };
    return failing(lab, { SNICallback }, {}, true);
  });

  sameAsNative('the name that is sent without the option, and what an address gives', async (lab) => {
    const server = await lab.serve();
    const seen = [];
    for (const host of ['localhost', '127.0.0.1']) {
      const { peer } = await lab.join(server, { host, servername: undefined });
      seen.push(peer.servername);
    }
    return seen;
  });
});

describe('compliance: versions, ciphers and groups', () => {
  for (const side of ['server', 'client'] as const) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      sameAsNative(`the ${side} speaks at most ${maxVersion}`, async (lab) => {
        const options = { maxVersion };
        const pair = await lab.pair(side === 'server' ? options : {}, side === 'client' ? options : {});
        const received = digest(pair.peer);
        pair.client.resume();
        await send(pair.client, 'some', 100_000);
        expect(await received).to.deep.equal(digestOf('some', 100_000));
        return [pair.client.getProtocol(), pair.peer.getProtocol(), pair.client.getCipher().standardName];
      });
    }
  }

  sameAsNative('the server wants more than the client speaks', (lab) =>
    failing(lab, { minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }),
  );

  sameAsNative('the client wants more than the server speaks', (lab) =>
    failing(lab, { maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }),
  );

  sameAsNative('no cipher in common', (lab) =>
    failing(
      lab,
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' },
    ),
  );

  sameAsNative('HelloRetryRequest: the server takes P-384 alone', async (lab) => {
    const { client, peer } = await lab.pair({ ecdhCurve: 'P-384' });
    const received = digest(client);
    await send(peer, 'after a second hello', 100_000);
    expect(await received).to.deep.equal(digestOf('after a second hello', 100_000));
    return client.getEphemeralKeyInfo();
  });

  sameAsNative('HelloRetryRequest, a client certificate and a slow SNICallback together', async (lab) => {
    const { key, cert } = await makeCertificate({ names: ['a client'], usage: 'client' });
    const { client, peer } = await lab.pair(
      {
        ecdhCurve: 'P-384',
        requestCert: true,
        ca: lab.certificate.ca,
        SNICallback: (_name, callback) => void setTimeout(callback, 20, null, undefined),
      },
      { key, cert },
    );
    return [peer.getPeerCertificate().subject.CN, peer.authorized, client.authorized];
  });

  sameAsNative('no group in common', (lab) => failing(lab, { ecdhCurve: 'P-384' }, { ecdhCurve: 'P-521' }));

  sameAsNative('PSK', async (lab) => {
    const psk = Buffer.alloc(32, 7);
    const options = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' as const };
    const { client, peer } = await lab.pair(
      {
        ...options,
        key: undefined,
        cert: undefined,
        pskCallback: (_socket, identity) => (identity === 'me' ? psk : null),
      },
      { ...options, pskCallback: () => ({ psk, identity: 'me' }), checkServerIdentity: () => undefined },
    );
    return [client.getCipher().name, peer.getCipher().name];
  });

  onEach('renegotiation, where TLS has it', async (lab) => {
    const { client, peer } = await lab.pair({ maxVersion: 'TLSv1.2' });
    client.resume();
    peer.resume();
    const renegotiated = await new Promise((resolve) => {
      client.renegotiate({ rejectUnauthorized: true }, resolve);
    });
    expect(renegotiated).to.equal(null);
    const received = digest(peer);
    client.end(bytes('and on', 50_000));
    expect((await received).bytes).to.equal(50_000);
  });
});
