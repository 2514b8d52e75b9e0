/** Bytes arrive whole, in order and once: both ways, at once, in any amount, and over plain TLS on the same port. */
import { once } from 'node:events';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { bytes, digest, digestOf, send } from './bytes.js';
import { isLong, type Lab, onEach } from './transports.js';

const KiB = 1024;
const MiB = 1024 * KiB;

describe('compliance: echo', () => {
  for (const length of [0, 1, 64 * KiB, MiB]) {
    onEach(`of ${length} bytes`, async (lab) => {
      const server = await lab.serve({}, (socket) => socket.pipe(socket));
      const client = lab.connect(server);
      const echoed = digest(client);
      await send(client, 'echo', length);
      expect(await echoed).to.deep.equal(digestOf('echo', length));
    });
  }

  const much = isLong ? 100 * MiB : 8 * MiB;
  onEach(`of ${much / MiB} MiB each way at once`, async (lab) => {
    const { client, peer } = await lab.pair({ allowHalfOpen: true }, { allowHalfOpen: true });
    const [toServer, toClient] = await Promise.all([
      digest(peer),
      digest(client),
      send(client, 'to the server', much),
      send(peer, 'to the client', much),
    ]);
    expect(toServer).to.deep.equal(digestOf('to the server', much));
    expect(toClient).to.deep.equal(digestOf('to the client', much));
    // bytesRead and bytesWritten count what the application wrote and read, or TLS's records: at least as much.
    expect(client.bytesWritten).to.be.at.least(much);
    expect(client.bytesRead).to.be.at.least(much);
  });

  onEach('of many small writes, all from before the connection', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.pipe(socket));
    const client = lab.connect(server);
    const echoed = digest(client);
    let expected = '';
    for (let i = 0; i < 500; i++) {
      expected += `line ${i}\n`;
      client.write(`line ${i}\n`);
    }
    client.end();
    expect((await echoed).bytes).to.equal(expected.length);
  });

  onEach('of what the server says first, before the client says anything', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.end('220 ready\r\n'));
    const client = lab.connect(server);
    let said = '';
    client.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await once(client, 'end');
    expect(said).to.equal('220 ready\r\n');
  });

  onEach('for a plain TLS client on the same port', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.pipe(socket));
    const { turbo: _, ...options } = lab.clientOptions(server);
    const client = lab.keep(tls.connect(options));
    const echoed = digest(client);
    await send(client, 'plain', 64 * KiB);
    expect(await echoed).to.deep.equal(digestOf('plain', 64 * KiB));
  });

  const many = 1000;
  const wave = 250;
  const echoOfMany = async (lab: Lab) => {
    // One process makes the handshakes of a whole wave before it looks at UDP again.
    const limits = lab.transport.carrier === 'udp' ? { graceMinMs: 60_000 } : {};
    const server = await lab.serve({}, (socket) => socket.pipe(socket));
    const clients: tls.TLSSocket[] = [];
    while (clients.length < many) {
      const started = Array.from({ length: wave }, () => lab.connect(server, { turbo: { limits } }));
      await Promise.all(started.map((client) => once(client, 'secureConnect')));
      clients.push(...started);
    }
    const echoed = clients.map((client) => digest(client));
    for (const [number, client] of clients.entries()) client.end(bytes(`connection ${number}`, 100 + number));
    for (const [number, seen] of (await Promise.all(echoed)).entries()) {
      expect(seen).to.deep.equal(digestOf(`connection ${number}`, 100 + number));
    }
    expect(lab.ports.get(server)?.engine?.unrouted ?? 0).to.equal(0);
  };
  onEach(`of ${many} connections that are open at once, made ${wave} at a time`, echoOfMany, 300_000);
});
