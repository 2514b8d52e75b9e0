/** tls.connect's own: signatures, the order of events, and every way in which a connection does not come to be. */
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type LookupFunction, type Socket } from 'node:net';
import type * as tls from 'node:tls';
import { expect } from 'chai';
import { Engine } from '../../src/engine/engine.js';
import { bytes } from './bytes.js';
import { type ClientOptions, type Lab, onEach, sameAsNative, trace, turn, until } from './transports.js';

const ALL = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connect',
  'ready',
  'session',
  'secureConnect',
  'data',
  'end',
  'finish',
  'timeout',
  'error',
  'close',
];

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

/** A lookup that gives these addresses, whatever is asked. */
function lookupOf(...addresses: string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_name, options, callback) => {
    const [first] = all as [(typeof all)[0]];
    process.nextTick(() => {
      if (options.all) (callback as (error: null, all: unknown) => void)(null, all);
      else callback(null, first.address, first.family);
    });
  };
}

/** What is thrown, in short. */
function thrown(call: () => tls.TLSSocket): string {
  try {
    call()
      .on('error', () => {})
      .destroy();
    return 'nothing';
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    return `${name} ${code}`;
  }
}

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

/** A TCP server that knows nothing of TLS; its port. */
async function plainServer(lab: Lab, onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  lab.onClose(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => void server.close(resolve));
  });
  return portOf(server);
}

describe('compliance: signatures of connect', () => {
  const secure = (start: (done: () => void) => tls.TLSSocket) =>
    new Promise<string>((resolve) => {
      const client = start(() => resolve(`secure ${client.servername}`));
      client.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
    });

  /** The options without host and port. */
  const rest = (lab: Lab, server: tls.Server) => {
    const { host: _, port: __, ...options } = lab.clientOptions(server);
    return options;
  };

  sameAsNative('(options, listener)', async (lab) => {
    const server = await lab.serve();
    return secure((done) => lab.connectWith(lab.clientOptions(server), done));
  });

  sameAsNative('(port, host, options, listener)', async (lab) => {
    const server = await lab.serve();
    return secure((done) => lab.connectWith(portOf(server), '127.0.0.1', rest(lab, server), done));
  });

  sameAsNative('(port, options, listener), and the host in the options', async (lab) => {
    const server = await lab.serve();
    const options = { ...rest(lab, server), host: '127.0.0.1' };
    return secure((done) => lab.connectWith(portOf(server), options, done));
  });

  sameAsNative('(port as text, host, options, listener)', async (lab) => {
    const server = await lab.serve();
    return secure((done) => lab.connectWith(String(portOf(server)), '127.0.0.1', rest(lab, server), done));
  });

  sameAsNative('(options with the port as text)', async (lab) => {
    const server = await lab.serve();
    const options = { ...lab.clientOptions(server), port: String(portOf(server)) };
    return secure((done) => lab.connectWith(options).once('secureConnect', done));
  });

  sameAsNative('(port, listener): to localhost, with what the system trusts', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.resume());
    return secure((done) => lab.connectWith(portOf(server), done));
  });

  sameAsNative('(port, host, listener)', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.resume());
    return secure((done) => lab.connectWith(portOf(server), '127.0.0.1', done));
  });

  sameAsNative('the listener is called once, as the socket', async (lab) => {
    const server = await lab.serve();
    let calls = 0;
    const isSocket = await new Promise((resolve) => {
      const client = lab.connectWith(lab.clientOptions(server), function (this: unknown) {
        calls++;
        resolve(this === client);
      });
    });
    await turn();
    return { isSocket, calls };
  });

  sameAsNative('an existing TCP connection, by the option socket', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.end('hello'));
    const { connect } = await import('node:net');
    const tcp = connect({ host: '127.0.0.1', port: portOf(server) });
    const client = lab.keep(lab.connectWith({ ...lab.clientOptions(server), socket: tcp, turbo: undefined }));
    let said = '';
    for await (const chunk of client) said += chunk;
    lab.carriers.length = 0; // TCP was there before
    return said;
  });

  sameAsNative('bad arguments', async (lab) => [
    thrown(() => lab.connectWith({})),
    thrown(() => lab.connectWith()),
    thrown(() => lab.connectWith({ port: 65_536 })),
    thrown(() => lab.connectWith({ port: -1 })),
    thrown(() => lab.connectWith({ port: 'imaps' })),
    thrown(() => lab.connectWith({ port: {} })),
    thrown(() => lab.connectWith({ port: 1, host: '127.0.0.1', family: 9 })),
    thrown(() => lab.connectWith({ port: 1, lookup: 'no function' })),
    thrown(() => lab.connectWith({ port: 1, localAddress: 'not an address' })),
    thrown(() => lab.connectWith({ port: 1, host: '127.0.0.1', minVersion: 'TLSv9' })),
    thrown(() => lab.connectWith({ port: 1, host: '127.0.0.1', ca: 'nonsense' })),
    thrown(() => lab.connectWith({ port: 1, host: '127.0.0.1', ALPNProtocols: 7 })),
    thrown(() => lab.connectWith({ port: 1, host: '127.0.0.1', checkServerIdentity: 7 })),
    thrown(() => lab.connectWith({ port: 1, host: '127.0.0.1', signal: 'no signal' })),
    thrown(() => lab.connectWith({ port: 1, host: '127.0.0.1', timeout: 'soon' })),
  ]);
});

describe('compliance: events of connect', () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    sameAsNative(`in order, to ${host}`, async (lab) => {
      const server = await lab.serve({ maxVersion: 'TLSv1.2' }, (socket) => socket.end('hello'));
      const client = lab.connect(server, { host, lookup: lookupOf('127.0.0.1') });
      const seen = trace(client, ALL);
      await lab.closing(client);
      return seen;
    });
  }

  sameAsNative("'lookup' and 'connectionAttempt' say what they say natively", async (lab) => {
    const server = await lab.serve();
    const client = lab.connect(server, { host: 'some.test', lookup: lookupOf('127.0.0.1') });
    const said: unknown[] = [];
    client.on('lookup', (...args) => said.push(args));
    client.on('connectionAttempt', (ip, port, family) => said.push([ip, port === portOf(server), family]));
    await new Promise((resolve) => void client.once('secureConnect', resolve));
    return said;
  });

  sameAsNative('a name with two addresses, the first of which refuses', async (lab) => {
    const server = await lab.serve();
    const options = { host: 'two.test', servername: 'localhost', lookup: lookupOf('::1', '127.0.0.1') };
    const client = lab.connect(server, { ...options, autoSelectFamily: true });
    const seen = trace(client, ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connect', 'secureConnect']);
    await new Promise((resolve) => void client.once('secureConnect', resolve));
    return { seen, address: client.remoteAddress };
  });

  sameAsNative('IPv6', async (lab) => {
    const server = await lab.listen(lab.createServer({}), { host: '::1' });
    const { client, peer } = await lab.join(server, { host: '::1' });
    return [client.remoteAddress, client.remoteFamily, peer.remoteAddress, peer.localAddress];
  });

  sameAsNative('a server on both families', async (lab) => {
    const server = await lab.listen(lab.createServer({}), { host: '::' });
    const seen = [];
    for (const host of ['::1', '127.0.0.1']) {
      const { client, peer } = await lab.join(server, { host });
      seen.push([client.remoteAddress, peer.remoteAddress, peer.localAddress]);
    }
    return seen;
  });

  sameAsNative('localAddress and localPort', async (lab) => {
    const server = await lab.serve();
    const localPort = await freePort();
    const { client, peer } = await lab.join(server, { localAddress: '127.0.0.3', localPort });
    expect(client.localPort).to.equal(localPort);
    expect(peer.remotePort).to.equal(localPort);
    return [client.localAddress, peer.remoteAddress];
  });

  sameAsNative('a slow lookup: what is written meanwhile waits', async (lab) => {
    let said = '';
    const server = await lab.serve({}, (socket) => socket.on('data', (chunk) => (said += chunk)));
    const quick = lookupOf('127.0.0.1');
    const lookup: LookupFunction = (...args) => void setTimeout(() => quick(...args), 50);
    const client = lab.connect(server, { host: 'slow.test', lookup });
    const seen = trace(client, ['lookup', 'connect', 'secureConnect']);
    const accepted = client.write('early');
    await until(() => said === 'early', 'the server has read it');
    return { seen, accepted };
  });

  sameAsNative('the server is slow to choose its certificate: what is written meanwhile waits', async (lab) => {
    let said = '';
    const server = await lab.serve(
      { SNICallback: (_name, callback) => void setTimeout(callback, 30, null, undefined) },
      (socket) => socket.on('data', (chunk) => (said += chunk)),
    );
    const client = lab.connect(server);
    const seen = trace(client, ['connect', 'ready', 'secureConnect']);
    const written = new Promise((resolve) => void client.write('early', () => resolve([...seen])));
    await until(() => said === 'early', 'the server has read it');
    return { seen, written: await written };
  });

  sameAsNative('onread: bytes come into the buffer of the caller', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.end(bytes('onread', 100_000)));
    let length = 0;
    const onread = {
      buffer: Buffer.alloc(4096),
      callback: (size: number) => {
        length += size;
        return true;
      },
    };
    const client = lab.connect(server, { onread } as ClientOptions);
    await lab.closing(client);
    return length;
  });
});

describe('compliance: connections that fail', () => {
  const detail = (error: unknown) => {
    const { code, syscall, address, message, name } = error as NodeJS.ErrnoException & { address?: string };
    return { code, syscall, address, message: message.replaceAll(/:\d{2,5}\b/g, ':port'), name };
  };

  const failure = async (lab: Lab, options: ClientOptions) => {
    const all = { ca: lab.certificate.ca, servername: 'localhost', ...options };
    const client = lab.connectWith(lab.transport.isTurbo ? { ...all, turbo: lab.clientTurbo() } : all);
    const seen = trace(client, ALL);
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(detail(error)));
    await lab.closing(client);
    return { seen, errors };
  };

  sameAsNative('refused', async (lab) => failure(lab, { host: '127.0.0.1', port: await freePort() }));

  sameAsNative('a name that has no address', (lab) => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND no.test'), { code: 'ENOTFOUND' });
    const lookup: LookupFunction = (_name, _options, callback) => process.nextTick(callback, error, '', 0);
    return failure(lab, { host: 'no.test', port: 1, lookup });
  });

  sameAsNative('both addresses refuse', async (lab) =>
    failure(lab, {
      host: 'two.test',
      port: await freePort(),
      autoSelectFamily: true,
      lookup: lookupOf('::1', '127.0.0.1'),
    }),
  );

  sameAsNative('a local address that is not here', (lab) =>
    failure(lab, { host: '127.0.0.1', port: 9, localAddress: '192.0.2.1' }),
  );

  onEach('TCP refused while UDP answers: the refusal counts, and nothing is left behind', async (lab) => {
    const tlsServer = lab.createServer({});
    const engine = new Engine({
      onSession: (io) => tlsServer.emit('connection', io),
      onProtocol: () => false,
    });
    const udp = createSocket('udp4');
    await new Promise<void>((resolve) => void udp.bind(0, '127.0.0.1', resolve));
    engine.serve(udp);
    lab.onClose(() => engine.close());
    tlsServer.on('tlsClientError', () => {});
    // TCP takes its time: what UDP brings is there first, and useless.
    const quick = lookupOf('127.0.0.1');
    const { seen, errors } = await failure(lab, { host: 'half.test', port: udp.address().port, lookup: quick });
    expect(seen.filter((event) => /error|close/.test(event))).to.deep.equal(['error ECONNREFUSED', 'close true']);
    expect(errors).to.have.lengthOf(1);
    expect(lab.network.udpSockets).to.equal(0);
  });

  sameAsNative('a server that accepts and closes', async (lab) => {
    const port = await plainServer(lab, (socket) => socket.resume().end());
    return failure(lab, { host: '127.0.0.1', port });
  });

  sameAsNative('a server that speaks something else', async (lab) => {
    const port = await plainServer(lab, (socket) => socket.resume().write('220 this is no TLS\r\n'));
    const { seen, errors } = await failure(lab, { host: '127.0.0.1', port });
    return { seen, code: (errors[0] as NodeJS.ErrnoException).code };
  });

  onEach('an AbortSignal that is aborted already', async (lab) => {
    // Node 20 goes on to connect the destroyed socket, and may end with an assertion: no reference.
    if (!lab.transport.isTurbo) return;
    const server = await lab.serve();
    const client = lab.connect(server, { signal: AbortSignal.abort() } as ClientOptions);
    const seen = trace(client, ALL);
    await lab.closing(client);
    await turn();
    expect(seen).to.deep.equal(['error ABORT_ERR', 'close true']);
    await until(() => lab.network.tcpSockets + lab.network.udpSockets === 1, "the server's UDP port alone is open");
  });

  for (const when of ['at once', 'connect', 'secureConnect', 'later'] as const) {
    sameAsNative(`an AbortSignal: ${when}`, async (lab) => {
      const server = await lab.serve({}, (socket) => socket.on('error', () => {}));
      const controller = new AbortController();
      const client = lab.connect(server, { signal: controller.signal } as ClientOptions);
      const seen = trace(client, ['connect', 'secureConnect', 'end', 'error', 'close']);
      let reason: unknown;
      client.on('error', (error) => {
        reason = detail(error);
      });
      if (when === 'at once') controller.abort();
      if (when === 'connect' || when === 'secureConnect') client.once(when, () => controller.abort());
      if (when === 'later') {
        await new Promise((resolve) => void client.once('secureConnect', resolve));
        await turn();
        controller.abort(new Error('enough'));
      }
      await lab.closing(client);
      return { seen, reason };
    });
  }

  for (const when of ['at once', 'lookup', 'connect', 'secureConnect'] as const) {
    sameAsNative(`destroy(): ${when}, with a write under way`, async (lab) => {
      const server = await lab.serve();
      const client = lab.connect(server, { host: 'localhost', lookup: lookupOf('127.0.0.1') });
      const seen = trace(client, ['lookup', 'connect', 'secureConnect', 'end', 'finish', 'error', 'close']);
      client.write('never', (error) => {
        const { code } = (error ?? {}) as NodeJS.ErrnoException;
        // Node names the cancellation by what became of the handle.
        seen.push(`write ${code === 'EBADF' ? 'ECANCELED' : code}`);
      });
      if (when === 'at once') client.destroy();
      else client.once(when, () => client.destroy());
      await lab.closing(client);
      await turn();
      return seen;
    });
  }

  sameAsNative('destroy(error) at once', async (lab) => {
    const server = await lab.serve();
    const client = lab.connect(server);
    const seen = trace(client);
    client.destroy(Object.assign(new Error('never mind'), { code: 'ENOTNOW' }));
    await lab.closing(client);
    return seen;
  });
});
