/** A tls.Server: what it counts, limits, reports and how it closes. */

import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { expect } from 'chai';
import * as turbo from '../../src/experimental.js';
import { makeCertificate } from '../support/certificates.js';
import { type ClientOptions, onClientError, onEach, sameAsNative, trace, turn, until } from './transports.js';

function connections(server: tls.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

describe('compliance: servers', () => {
  sameAsNative('createServer(listener), without options', async (lab) => {
    const server = (lab.transport.isTurbo ? turbo.createServer : tls.createServer)(() => {});
    const seen = [server instanceof tls.Server, server.listenerCount('secureConnection') > 0, server.listening];
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    await new Promise((resolve) => void server.close(resolve));
    return seen;
  });

  sameAsNative('bad options are refused', async (lab) => {
    const codes = [];
    for (const options of [{ ALPNProtocols: 7 }, { SNICallback: 7 }, { handshakeTimeout: 'x' }, { cert: 'x' }, 7]) {
      try {
        const server = (lab.transport.isTurbo ? turbo.createServer : tls.createServer)(options as tls.TlsOptions);
        codes.push(server.listening);
      } catch (error) {
        codes.push((error as NodeJS.ErrnoException).code);
      }
    }
    return codes;
  });

  sameAsNative('address(), listening and the events of listening and closing', async (lab) => {
    const server = lab.createServer({});
    const seen: unknown[] = [server.address(), server.listening];
    for (const event of ['listening', 'close']) server.on(event, () => seen.push(event));
    await lab.listen(server);
    const { address, family } = server.address() as AddressInfo;
    seen.push(address, family, server.listening);
    await new Promise((resolve) => void server.close(resolve));
    seen.push(server.address(), server.listening);
    return seen;
  });

  sameAsNative('it listens again after it was closed', async (lab) => {
    const server = lab.createServer({});
    const names = [];
    for (let round = 0; round < 3; round++) {
      await lab.listen(server);
      const { client, peer } = await lab.join(server);
      names.push(peer.servername);
      const closed = new Promise((resolve) => void server.close(resolve));
      client.destroy();
      await closed;
    }
    return names;
  });

  sameAsNative('close() when it is not open', async (lab) => {
    const server = lab.createServer({});
    return new Promise((resolve) => {
      server.close((error) => resolve((error as NodeJS.ErrnoException | undefined)?.code));
    });
  });

  sameAsNative('a port that is in use', async (lab) => {
    const first = await lab.serve();
    const second = lab.createServer({});
    const { port } = first.address() as AddressInfo;
    return new Promise((resolve) => {
      second.once('error', (error: NodeJS.ErrnoException) => resolve([error.code, error.syscall, second.listening]));
      second.listen(port, '127.0.0.1');
    });
  });

  sameAsNative('a unix socket: there is no UDP beside it', async (lab) => {
    const directory = await mkdtemp(join(tmpdir(), 'turbotls-'));
    lab.onClose(() => rm(directory, { recursive: true }));
    const path = join(directory, 'socket');
    const server = lab.createServer({}, (socket) => socket.pipe(socket));
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    const { host: _, port: __, ...options } = { ...lab.clientOptions(server), path };
    const client = lab.connectWith(options);
    client.end('by path');
    let said = '';
    for await (const chunk of client) said += chunk;
    lab.carriers.length = 0; // by neither
    return said;
  });

  sameAsNative('pauseOnConnect: whether TLS begins all the same', async (lab) => {
    const server = await lab.serve({ pauseOnConnect: true }, (socket) => socket.pipe(socket));
    const client = lab.connect(server);
    const seen = trace(client, ['connect', 'secureConnect', 'end', 'close']);
    client.resume().end('hello');
    await lab.closing(client);
    return seen;
  });

  sameAsNative('getConnections counts connections, once each', async (lab) => {
    const server = await lab.serve();
    const counts = [await connections(server)];
    const first = await lab.join(server);
    const second = await lab.join(server);
    counts.push(await connections(server));
    first.client.destroy();
    await lab.closing(first.client, first.peer);
    await turn();
    counts.push(await connections(server));
    second.peer.destroy();
    await lab.closing(second.client, second.peer);
    await turn();
    counts.push(await connections(server));
    return counts;
  });

  sameAsNative("'connection' gives the TCP connection, 'secureConnection' the TLSSocket", async (lab) => {
    const server = await lab.serve();
    const seen: string[] = [];
    let raw: Socket | undefined;
    server.on('connection', (socket: Socket) => {
      raw = socket;
      seen.push(`connection ${socket instanceof tls.TLSSocket}`);
    });
    server.on('secureConnection', (socket) => {
      seen.push(`secureConnection ${socket.remotePort === raw?.remotePort}`);
    });
    await lab.join(server);
    return seen.sort();
  });

  sameAsNative('maxConnections: who is too many is dropped', async (lab) => {
    const server = await lab.serve();
    server.maxConnections = 1;
    let drops = 0;
    server.on('drop', () => drops++);
    await lab.join(server);
    const client = lab.connect(server);
    const seen = trace(client, ['connect', 'secureConnect']);
    await lab.closing(client);
    return { drops, seen: seen.filter((event) => event !== 'secureConnect'), errored: client.errored !== null };
  });

  sameAsNative('handshakeTimeout: who says nothing is told of', async (lab) => {
    const server = await lab.serve({ handshakeTimeout: 60 });
    const failure = new Promise((resolve) => {
      onClientError(server, (code, socket) => resolve([code, socket.remoteAddress]));
    });
    const { port } = server.address() as AddressInfo;
    const tcp = connectTcp(port, '127.0.0.1');
    lab.onClose(() => tcp.destroy());
    // The record's header, and nothing of the ClientHello that it announces.
    tcp.on('error', () => {}).write(Buffer.from([0x16, 3, 1, 1, 0]));
    return failure;
  });

  sameAsNative("'tlsClientError' for what is no ClientHello", async (lab) => {
    const server = await lab.serve();
    const failure = new Promise((resolve) => {
      onClientError(server, (code, socket) => resolve([code, socket.remoteAddress, socket instanceof tls.TLSSocket]));
    });
    const { port } = server.address() as AddressInfo;
    const tcp = connectTcp(port, '127.0.0.1');
    lab.onClose(() => tcp.destroy());
    tcp.on('error', () => {}).write(Buffer.from([0x16, 3, 1, 0, 5, 9, 9, 9, 9, 9]));
    return failure;
  });

  sameAsNative("'tlsClientError' after the TCP connection knows its address", async (lab) => {
    const server = await lab.serve({ requestCert: true, ca: lab.certificate.ca });
    const failure = new Promise((resolve) => {
      onClientError(server, (code, socket) => resolve([code, socket.remoteAddress, socket.remoteFamily]));
    });
    const client = lab.connect(server);
    await lab.closing(client.resume());
    return failure;
  });

  sameAsNative("'keylog' gives the secrets of each connection", async (lab) => {
    const server = await lab.serve();
    const lines = new Map<tls.TLSSocket, string[]>();
    server.on('keylog', (line: Buffer, socket: tls.TLSSocket) => {
      const label = line.toString().split(' ')[0] as string;
      lines.set(socket, [...(lines.get(socket) ?? []), label]);
    });
    const { port } = server.address() as AddressInfo;
    expect(port).to.be.above(0);
    const pair = lab.join(server);
    const { peer, client } = await pair;
    const own: string[] = [];
    client.on('keylog', (line: Buffer) => own.push(String(line)));
    return lines.get(peer);
  });

  sameAsNative("'keylog' of a client", async (lab) => {
    const server = await lab.serve();
    const client = lab.connect(server);
    const labels: unknown[] = [];
    client.on('keylog', (line: Buffer) => labels.push(String(line).split(' ')[0]));
    await new Promise((resolve) => void client.once('secureConnect', resolve));
    return labels;
  });

  sameAsNative('OCSP: asked for, answered, refused', async (lab) => {
    const answers: unknown[] = [];
    const server = await lab.serve();
    server.on('OCSPRequest', (certificate: Buffer, _issuer: Buffer, answer: (error: null, data: Buffer) => void) => {
      answers[0] = certificate.length > 100;
      answer(null, Buffer.from('it is good'));
    });
    const client = lab.connect(server, { requestOCSP: true } as ClientOptions);
    const response = await new Promise((resolve) => void client.once('OCSPResponse', resolve));
    return [...answers, String(response)];
  });

  sameAsNative('addContext, getTicketKeys and setTicketKeys', async (lab) => {
    const server = await lab.serve();
    const keys = server.getTicketKeys();
    server.setTicketKeys(keys);
    const { key, cert } = await makeCertificate({ names: ['added.test'] });
    server.addContext('added.test', { key, cert });
    const { client } = await lab.join(server, { servername: 'added.test' });
    return [keys.length, client.getPeerCertificate().subject.CN];
  });

  sameAsNative('pauseOnConnect and a listener that is added later', async (lab) => {
    const server = await lab.serve();
    const { client, peer } = await lab.join(server);
    client.write('kept');
    await until(() => peer.readableLength === 4, 'it is kept');
    let said = '';
    peer.on('data', (chunk) => (said += chunk));
    await until(() => said === 'kept', 'it is read');
    return said;
  });
});

describe('compliance: servers that close', () => {
  sameAsNative('with a connection open: it closes when that has ended', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.pipe(socket));
    const { client } = await lab.join(server);
    const seen: string[] = [];
    client.on('data', (chunk) => seen.push(String(chunk)));
    client.on('close', () => seen.push('client closed'));
    const closed = new Promise<void>((resolve) => {
      server.close(() => {
        seen.push('server closed');
        resolve();
      });
    });
    client.write('still here');
    await until(() => seen.length === 1, 'the echo came');
    client.end();
    await closed;
    await lab.closing(client);
    return seen.sort();
  });

  sameAsNative('new connections are refused meanwhile', async (lab) => {
    const server = await lab.serve();
    const { client: open } = await lab.join(server);
    const options = lab.clientOptions(server);
    server.close();
    await lab.portsLeft();
    const client = lab.connectWith(options);
    const seen = trace(client, ['connect', 'secureConnect', 'error', 'close']);
    await lab.closing(client);
    open.destroy();
    return seen;
  });

  onEach('with handshakes in flight: every client is told, and nothing is left', async (lab) => {
    for (const wait of [0, 1, 2, 3]) {
      const server = await lab.serve();
      onClientError(server, () => {});
      const clients = Array.from({ length: 20 }, () => lab.connect(server));
      const outcomes = clients.map(
        (client) =>
          new Promise<string>((resolve) => {
            client.once('secureConnect', () => resolve('secure'));
            client.once('close', () => resolve('closed'));
          }),
      );
      for (let i = 0; i < wait; i++) await turn();
      let closed = false;
      server.close(() => {
        closed = true;
      });
      await Promise.all(outcomes);
      for (const client of clients) client.destroy();
      await until(() => closed, 'the server is closed');
      expect(await connections(server)).to.equal(0);
    }
  });

  onEach('with a handshake that waits for an SNICallback: its answer comes too late', async (lab) => {
    let answer: (() => void) | undefined;
    const server = await lab.serve({
      SNICallback: (_name, callback) => {
        answer = () => callback(null);
      },
    });
    onClientError(server, () => {});
    const client = lab.connect(server, { turbo: { limits: { graceMinMs: 20 } } });
    await until(() => answer !== undefined, 'the server is asked');
    client.destroy();
    const closed = new Promise((resolve) => void server.close(resolve));
    answer?.();
    await closed;
    await lab.closing(client);
  });

  onEach('a listener that destroys its connections', async (lab) => {
    const server = await lab.serve({}, (socket) => {
      socket.destroy(new Error('this one'));
    });
    for (let round = 0; round < 3; round++) {
      const client = lab.connect(server);
      client.resume();
      await lab.closing(client);
    }
    expect(await connections(server)).to.be.at.most(1);
  });
});
