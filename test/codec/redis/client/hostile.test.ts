/** Servers that lie, say nothing, or something else altogether: a coded error within the timeout, and nothing left behind. */
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import { RedisClient, RedisError } from '../../../../src/codec/redis/index.js';
import { closeAll, connect, open, rejection, serve } from './support.js';

const HELLO = '%1\r\n$5\r\nproto\r\n:3\r\n-ERR no\r\n-ERR no\r\n';
const TIMEOUT_MS = 200;

/** A server that lets clients in, and answers what comes then with `reply`. */
function answering(reply: string | Buffer): Promise<string> {
  return serve((socket: Socket) => {
    socket.once('data', () => {
      socket.write(HELLO);
      socket.once('data', () => socket.write(reply));
    });
  });
}

describe('codec/redis/client: hostile servers', () => {
  afterEach(closeAll);

  const greetings: [string, string | Buffer][] = [
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['TLS', Buffer.from([0x15, 3, 1, 0, 2, 2, 0x28])],
    ['zeros', Buffer.alloc(1000)],
    ['a push that is none', '>0\r\n'],
    ['an array without end', '*2147483647\r\n'.repeat(3)],
    ['a length without end', `$${'9'.repeat(100)}`],
    ['a string too long', '$99999999999\r\n'],
    ['depth', '*1\r\n'.repeat(10_000)],
  ];
  for (const [name, bytes] of greetings) {
    it(`${name} for a greeting`, async () => {
      const client = open(await serve((socket) => socket.write(bytes)), { connectTimeoutMs: TIMEOUT_MS });
      const command = rejection(client.command('PING'));
      const error = await rejection(client.ready);
      expect(error).to.be.instanceOf(RedisError).with.property('code', 'ERR_REDIS_CONNECTION_LOST');
      expect((error.cause as RedisError).code).to.match(/^ERR_REDIS_(PROTOCOL|TOO_LONG|TOO_DEEP)$/);
      expect((await command).code).to.equal('ERR_REDIS_CONNECTION_LOST');
    });

    it(`${name} for a reply`, async () => {
      const client = await connect(await answering(bytes), { reconnectAttempts: 1 });
      const error = await rejection(client.command('PING'));
      expect(error).to.include({ code: 'ERR_REDIS_CONNECTION_LOST', retryable: false });
      expect((error.cause as RedisError).code).to.match(/^ERR_REDIS_(PROTOCOL|TOO_LONG|TOO_DEEP)$/);
    });
  }

  for (const [name, onConnection] of [
    ['says nothing', () => {}],
    ['begins and never ends', (socket: Socket) => socket.write('%7\r\n$6\r\nserver')],
    ['drips', (socket: Socket) => drip(socket, '+'.padEnd(10_000, 'x'))],
  ] as [string, (socket: Socket) => void][]) {
    it(`a server that ${name}: the login times out`, async () => {
      const client = open(await serve(onConnection), { connectTimeoutMs: TIMEOUT_MS });
      const command = rejection(client.command('PING'));
      expect((await rejection(client.ready)).code).to.equal('ERR_REDIS_CONNECT_TIMEOUT');
      expect((await command).code).to.equal('ERR_REDIS_CONNECT_TIMEOUT');
    });
  }

  it('a reply that does not end: the command times out, and so does the close', async () => {
    const client = await connect(await answering('$100\r\nabc'), {
      commandTimeoutMs: TIMEOUT_MS,
      limits: { closeTimeoutMs: TIMEOUT_MS },
    });
    expect((await rejection(client.command('PING'))).code).to.equal('ERR_REDIS_COMMAND_TIMEOUT');
    await client.close();
  });

  it('a reply that nobody asked for ends the connection: it would be taken for that of the next command', async () => {
    const client = await connect(await answering('+ONE\r\n+TWO\r\n'));
    const lost = firstValueFrom(client.errors$);
    expect(await client.command('PING')).to.equal('ONE');
    expect((await lost).cause).to.have.property('code', 'ERR_REDIS_PROTOCOL');
  });

  it('an error that nobody asked for is why the connection ended', async () => {
    const url = await serve((socket) => {
      socket.once('data', () => socket.end(`${HELLO}+PONG\r\n-BYE for maintenance\r\n`));
    });
    const client = open(url, { reconnectAttempts: 1 });
    const errors: Error[] = [];
    client.errors$.subscribe((error) => errors.push(error));
    expect(await client.command('PING')).to.equal('PONG');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(errors[0]?.message).to.match(/BYE for maintenance/);
  });

  it('the end in the middle of the login, and in the middle of a reply', async () => {
    const early = open(await serve((socket) => socket.once('data', () => socket.end('%1\r\n'))));
    expect((await rejection(early.command('PING'))).code).to.equal('ERR_REDIS_CONNECTION_LOST');
    const url = await serve((socket) => {
      socket.once('data', () => {
        socket.write(HELLO);
        socket.once('data', () => socket.end('$5\r\nab'));
      });
    });
    const late = await connect(url, { reconnectAttempts: 1 });
    expect((await rejection(late.command('PING'))).code).to.equal('ERR_REDIS_CONNECTION_LOST');
  });

  it('messages of channels that nobody subscribed to are dropped', async () => {
    const pushes =
      '>3\r\n+message\r\n+x\r\n+y\r\n>3\r\n+subscribe\r\n+x\r\n:1\r\n>1\r\n+message\r\n>1\r\n+sunsubscribe\r\n';
    const client = await connect(await answering(`${pushes}+PONG\r\n`));
    expect(await client.command('PING')).to.equal('PONG');
  });

  it('a HELLO answered with anything but an error is a login; what no HELLO says is not looked at', async () => {
    const url = await serve((socket) => socket.once('data', () => socket.write('+OK\r\n-ERR no\r\n-ERR no\r\n:1\r\n')));
    expect(await open(url).command('INCR', 'x')).to.equal(1);
  });

  it('RedisClient.connect leaves nothing open', async () => {
    const closed: Promise<unknown>[] = [];
    const url = await serve((socket) => {
      closed.push(new Promise((resolve) => socket.resume().once('close', resolve)));
    });
    await rejection(RedisClient.connect(url, { connectTimeoutMs: 50 }));
    await Promise.all(closed);
    expect(closed).to.have.lengthOf(1);
  });
});

function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++] ?? 'x'), 5);
  socket.once('close', () => clearInterval(timer));
}
