/** The other end of a channel: sends back each message of turbotls, and what a socket says that comes with one. */
import { once } from 'node:events';
import { Channel } from '../../src/workers/channel.js';

const channel = new Channel(process, {
  onMessage: async (bytes, socket) => {
    if (bytes.toString() === 'leave') process.disconnect();
    else if (bytes.toString() === 'block') while (true);
    else if (!socket) channel.send(bytes);
    else {
      const [said] = (await once(socket, 'data')) as [Buffer];
      channel.send(Buffer.concat([bytes, said]));
      socket.end('bye');
    }
  },
  onGone: () => {},
});
process.on('message', (message) => {
  if ((message as { other?: unknown }).other) process.send?.({ other: 'heard' });
});
channel.send(Buffer.from('ready'));
