import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { Channel } from '../../src/workers/channel.js';
import { openDescriptors, until } from './rig.js';

const child = new URL('./channel-child.js', import.meta.url);

for (const serialization of ['advanced', 'json'] as const) {
  describe(`a channel over ${serialization} serialization`, () => {
    let process: ChildProcess;
    let channel: Channel;
    let heard: Buffer[];
    let gone: number;

    beforeEach(async () => {
      process = fork(child, [], { serialization });
      [heard, gone] = [[], 0];
      channel = new Channel(process, { onMessage: (bytes) => heard.push(bytes), onGone: () => gone++ });
      await until(() => heard.length === 1, 'the child is there');
      heard.pop();
    });

    afterEach(async () => {
      if (process.exitCode === null && process.signalCode === null) {
        process.kill('SIGKILL');
        await once(process, 'exit');
      }
    });

    it('carries bytes, and counts what the system has not taken', async () => {
      const messages = [Buffer.alloc(0), Buffer.from([0, 255, 10, 13]), randomBytes(300_000)];
      for (const message of messages) channel.send(message);
      expect(channel.waitingBytes).to.equal(300_004);
      await until(() => heard.length === 3, 'all are back');
      for (const [i, message] of messages.entries()) expect(heard[i]?.equals(message)).to.equal(true);
      expect(channel.waitingBytes).to.equal(0);
    });

    it('counts on while the other process does not read', async () => {
      channel.send(Buffer.from('block'));
      for (let i = 0; i < 50; i++) channel.send(Buffer.alloc(100_000));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(channel.waitingBytes).to.be.above(4_000_000);
    });

    it('leaves other messages alone, both ways', async () => {
      const other = once(process, 'message');
      process.send({ other: 1 });
      expect(await other).to.deep.include({ other: 'heard' });
      expect(heard).to.deep.equal([]);
    });

    it('tells once that the other process left, or was killed', async () => {
      const exit = once(process, 'exit');
      channel.send(Buffer.from('leave'));
      await until(() => gone > 0, 'it is gone');
      process.kill('SIGKILL');
      await exit;
      expect(gone).to.equal(1);
      expect(channel.isOpen).to.equal(false);
      channel.send(Buffer.from('nobody'));
    });

    describe('with sockets', () => {
      let server: Server;
      let client: Socket;
      let socket: Socket;

      beforeEach(async () => {
        server = createServer({ pauseOnConnect: true, highWaterMark: 0 }).listen(0, '127.0.0.1');
        await once(server, 'listening');
        client = connect((server.address() as AddressInfo).port, '127.0.0.1');
        [socket] = (await once(server, 'connection')) as [Socket];
      });

      afterEach(() => {
        client.destroy();
        server.close();
      });

      it('passes them on', async () => {
        channel.send(Buffer.from('said: '), socket);
        client.write('hello');
        const [answer] = (await once(client, 'data')) as [Buffer];
        expect(answer.toString()).to.equal('bye');
        socket.destroy();
        await until(() => heard.length === 1, 'it is said here too');
        expect(heard.toString()).to.equal('said: hello');
        if (!client.readableEnded) await once(client, 'end');
      });

      it('keeps them when the other process dies meanwhile, and tells of it', async () => {
        channel.send(Buffer.from('block'));
        const sent: number[] = [];
        channel.send(Buffer.from('first'), socket, () => sent.push(1));
        channel.send(Buffer.from('behind'), socket, () => sent.push(2));
        await new Promise((resolve) => setTimeout(resolve, 50));
        const before = openDescriptors();
        process.kill('SIGKILL');
        await until(() => gone === 1, 'it is gone');
        // The second waits in Node for the first to be acknowledged: it was never sent.
        expect(sent).to.deep.equal([1]);
        expect(socket.destroyed).to.equal(false);
        socket.destroy();
        await once(client.resume(), 'end');
        await until(() => openDescriptors() <= before - 2, 'the descriptors are closed');
      });
    });
  });
}
