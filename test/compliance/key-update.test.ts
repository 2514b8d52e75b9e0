/**
 * KeyUpdate. Node has no call for it, so OpenSSL's own client asks for it; between it and the server the bytes run as
 * they are over TCP, or through a ClientIO: a client that brings its own TLS.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type * as tls from 'node:tls';
import { expect } from 'chai';
import { ClientIO } from '../../src/experimental.js';
import { requirePart } from '../servers/index.js';
import { type Lab, onEach, until } from './transports.js';

/** A TCP port on which a client of any kind reaches the server by the lab's transport. */
async function bridge(lab: Lab, server: tls.Server): Promise<{ port: number; ios: ClientIO[] }> {
  const { port } = server.address() as AddressInfo;
  const ios: ClientIO[] = [];
  const dial = (): Duplex => {
    const tcp = { host: '127.0.0.1', port, allowHalfOpen: true };
    if (!lab.transport.isTurbo) return connect(tcp);
    const { network, memory, limits } = lab.clientTurbo();
    const io = new ClientIO({ tcp, network, memory, limits });
    ios.push(io);
    return io;
  };
  const entrance = createServer({ allowHalfOpen: true }, (from) => {
    from.on('error', () => {});
    // With the ClientHello at hand, as TLS in this process has it: what comes after TCP is connected goes over TCP.
    from.once('readable', () => {
      const to = dial();
      to.on('error', () => from.destroy());
      from.on('close', () => to.destroy());
      to.on('close', () => from.destroy());
      from.pipe(to).pipe(from);
    });
  });
  await new Promise<void>((resolve) => {
    entrance.listen(0, '127.0.0.1', resolve);
  });
  lab.onClose(() => new Promise((resolve) => void entrance.close(resolve)));
  return { port: (entrance.address() as AddressInfo).port, ios };
}

function start(lab: Lab, port: number): { child: ChildProcessWithoutNullStreams; said: () => string } {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_3', '-servername', 'localhost']);
  const exited = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  lab.onClose(() => {
    child.kill();
    return exited;
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return { child, said: () => said };
}

describe('compliance: KeyUpdate', () => {
  before(function () {
    requirePart(this, 'openssl');
  });

  onEach('that asks for one in return, ten times in a row', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.pipe(socket));
    const { port, ios } = await bridge(lab, server);
    const { child, said } = start(lab, port);
    await until(() => said().includes('Verify return code'), 'OpenSSL is connected');
    for (let round = 1; round <= 10; round++) {
      child.stdin.write('K\n');
      await until(() => said().split('KEYUPDATE').length > round, 'OpenSSL has sent its KeyUpdate');
      child.stdin.write(`round ${round}\n`);
      await until(() => said().includes(`round ${round}\n`), 'the echo came under the new keys');
    }
    if (lab.transport.carrier) expect(ios.map((io) => io.carrier)).to.deep.equal([lab.transport.carrier]);
  });
});
