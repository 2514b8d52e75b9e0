/** What a TLSSocket can be asked and told: before it is connected, while it is secure, when it is closed. */
import { spawn } from 'node:child_process';
import type { AddressInfo, Socket } from 'node:net';
import * as tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type * as turbo from '../../src/experimental.js';
import type { TcpSocket } from '../../src/platform/network.js';
import { type Lab, onEach, sameAsNative, trace, turn, until } from './transports.js';

/** What does not differ from run to run; ports are compared apart. */
function state(socket: tls.TLSSocket) {
  return {
    connecting: socket.connecting,
    pending: socket.pending,
    readyState: socket.readyState,
    destroyed: socket.destroyed,
    closed: socket.closed,
    writable: socket.writable,
    readable: socket.readable,
    encrypted: socket.encrypted,
    authorized: socket.authorized,
    authorizationError: socket.authorizationError,
    alpnProtocol: socket.alpnProtocol,
    allowHalfOpen: socket.allowHalfOpen,
    remoteAddress: socket.remoteAddress,
    remoteFamily: socket.remoteFamily,
    localAddress: socket.localAddress,
    localFamily: socket.localFamily,
    hasRemotePort: socket.remotePort !== undefined,
    hasLocalPort: socket.localPort !== undefined,
    address: Object.keys(socket.address()).sort(),
    timeout: socket.timeout,
    bytesRead: socket.bytesRead === 0,
    isTlsSocket: socket instanceof tls.TLSSocket,
  };
}

describe('compliance: the surface of a socket', () => {
  sameAsNative('a client from its making to its end', async (lab) => {
    const server = await lab.serve({}, (socket) => socket.end());
    const client = lab.connect(server);
    const seen = { made: state(client), connect: {}, secure: {}, end: {}, close: {} };
    client.once('connect', () => {
      seen.connect = state(client);
    });
    client.once('secureConnect', () => {
      seen.secure = state(client);
    });
    client.once('end', () => {
      seen.end = { readyState: client.readyState, destroyed: client.destroyed };
    });
    client.once('close', () => {
      const { bytesRead: _, ...rest } = state(client);
      seen.close = rest;
    });
    client.resume();
    await lab.closing(client);
    return seen;
  });

  sameAsNative("a server's socket from secureConnection to its end", async (lab) => {
    const { client, peer } = await lab.quietPair();
    const seen = { secure: state(peer), close: {} };
    peer.once('close', () => {
      const { bytesRead: _, ...rest } = state(peer);
      seen.close = rest;
    });
    peer.resume();
    client.end();
    client.resume();
    await lab.closing(client, peer);
    return seen;
  });

  sameAsNative('addresses and ports agree at both ends', async (lab) => {
    const { server, client, peer } = await lab.pair();
    const { port } = server.address() as AddressInfo;
    expect(client.remotePort).to.equal(port);
    expect(peer.localPort).to.equal(port);
    expect(peer.remotePort).to.equal(client.localPort);
    expect((client.address() as AddressInfo).port).to.equal(client.localPort);
    expect((peer.address() as AddressInfo).port).to.equal(port);
    return [client, peer].map((socket) => [socket.remoteAddress, socket.localAddress, socket.remoteFamily]);
  });

  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    sameAsNative(`what TLS knows of itself, ${maxVersion}`, async (lab) => {
      const { client, peer } = await lab.pair({ maxVersion }, { ALPNProtocols: ['one'] });
      const label = 'EXPORTER-test';
      const keys = [client, peer].map((socket) => socket.exportKeyingMaterial(32, label, Buffer.from('context')));
      expect(keys[0]?.equals(keys[1] as Buffer)).to.equal(true);
      expect(client.getFinished()?.equals(peer.getPeerFinished() as Buffer)).to.equal(true);
      expect(peer.getFinished()?.equals(client.getPeerFinished() as Buffer)).to.equal(true);
      return [client, peer].map((socket) => ({
        protocol: socket.getProtocol(),
        cipher: socket.getCipher(),
        group: socket.getEphemeralKeyInfo(),
        servername: socket.servername,
        signatures: socket.getSharedSigalgs().length > 0,
        reused: socket.isSessionReused(),
        peer: socket.getPeerCertificate().subjectaltname,
        own: (socket.getCertificate() as tls.PeerCertificate | null)?.subjectaltname,
        x509: socket.getPeerX509Certificate()?.subjectAltName,
      }));
    });
  }

  sameAsNative('setNoDelay, setKeepAlive, ref, unref and setTimeout return the socket, at any time', async (lab) => {
    const all = (socket: tls.TLSSocket) => [
      socket.setNoDelay(true) === socket,
      socket.setKeepAlive(true, 1000) === socket,
      socket.unref() === socket,
      socket.ref() === socket,
      socket.setTimeout(0) === socket,
    ];
    const server = await lab.serve();
    const client = lab.connect(server);
    const made = all(client);
    const peer = await new Promise<tls.TLSSocket>((resolve) => {
      server.once('secureConnection', resolve);
    });
    const secure = [...all(client), ...all(peer)];
    client.destroy();
    await lab.closing(client);
    return { made, secure, closed: all(client) };
  });

  sameAsNative('bytesRead and bytesWritten count what was written to the sockets', async (lab) => {
    const { client, peer } = await lab.quietPair();
    client.resume();
    const before = [client.bytesWritten, peer.bytesRead];
    await new Promise<void>((resolve) => {
      client.write('a'.repeat(1000), () => resolve());
    });
    let length = 0;
    peer.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    await until(() => length === 1000, 'the server has read it');
    return [client.bytesWritten - (before[0] as number), peer.bytesRead - (before[1] as number)];
  });

  sameAsNative('maxSendFragment and disableRenegotiation', async (lab) => {
    const { client, peer } = await lab.pair();
    client.disableRenegotiation();
    const accepted = [client.setMaxSendFragment(1024), client.setMaxSendFragment(10)];
    client.end('x'.repeat(5000));
    client.resume();
    let length = 0;
    for await (const chunk of peer) length += chunk.length;
    return { accepted, length };
  });

  sameAsNative('resetAndDestroy is no call of a TLSSocket', async (lab) => {
    const { client } = await lab.pair();
    try {
      client.resetAndDestroy();
      return 'reset';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  });

  onEach('a proxy of the TCP connection under it: setNoDelay reaches the raw socket', async (lab) => {
    const { client } = await lab.pair();
    if (!lab.transport.isTurbo) return;
    const tcp = (client as unknown as { turbo: turbo.ClientIO }).turbo.tcp as TcpSocket;
    const told: unknown[] = [];
    tcp.setNoDelay = (on) => {
      told.push(['setNoDelay', on]);
      return tcp;
    };
    tcp.setKeepAlive = (on, delay) => {
      told.push(['setKeepAlive', on, delay]);
      return tcp;
    };
    client.setNoDelay(false);
    client.setKeepAlive(true, 5000);
    expect(told).to.deep.equal([
      ['setNoDelay', false],
      ['setKeepAlive', true, 5000],
    ]);
  });
});

describe('compliance: timeouts of a socket', () => {
  const events = ['connect', 'secureConnect', 'timeout', 'end', 'error', 'close'];

  sameAsNative('the option, while the server does not answer', async (lab) => {
    const server = await lab.serve({ SNICallback: () => {} });
    let seen: string[] = [];
    // On a busy machine the first may be over before TCP is connected.
    for (const timeout of [40, 400, 4_000]) {
      const client = lab.connect(server, { timeout });
      seen = trace(client, events);
      expect(client.timeout).to.equal(timeout);
      await new Promise((resolve) => void client.once('timeout', resolve));
      client.destroy();
      await lab.closing(client);
      if (seen[0] === 'connect') break;
    }
    return seen;
  });

  sameAsNative('setTimeout, when nothing moves any more', async (lab) => {
    const { client, peer } = await lab.quietPair();
    const seen = { client: trace(client, events), server: trace(peer, events) };
    // Once: what end() says is activity, after which nothing may move for as long again.
    client.setTimeout(40, () => client.setTimeout(0).end());
    peer.resume();
    client.resume();
    await lab.closing(client, peer);
    return seen;
  });

  sameAsNative("the server's socket, and server.setTimeout's absence", async (lab) => {
    const { client, peer } = await lab.quietPair();
    const seen = { client: trace(client, events), server: trace(peer, events) };
    client.resume();
    peer.setTimeout(40, () => peer.destroy());
    await lab.closing(client, peer);
    return seen;
  });

  onEach('what moves keeps it away', async (lab) => {
    const { client, peer } = await lab.quietPair();
    const seen = trace(client, ['timeout']);
    client.setTimeout(2000);
    client.resume();
    for (let i = 0; i < 5; i++) {
      peer.write('.');
      await turn();
    }
    expect(seen).to.deep.equal([]);
  });
});

describe('compliance: who keeps the process alive', () => {
  const script = fileURLToPath(new URL('./process.js', import.meta.url));

  /** Runs a process of its own to its end: what it says and its exit code. */
  async function runProcess(lab: Lab, ...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [
      '--no-warnings',
      script,
      lab.transport.isTurbo ? 'turbo' : 'native',
      ...args,
    ]);
    const exited = new Promise((resolve) => {
      child.once('close', resolve);
    });
    lab.onClose(() => {
      child.kill();
      return exited;
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    const code = await exited;
    return `${said.trim().replaceAll('\n', ', ')}, code ${code}`;
  }

  const certificateOf = (lab: Lab, server: tls.Server) => [
    String((server.address() as AddressInfo).port),
    Buffer.from(lab.certificate.ca).toString('base64'),
  ];

  sameAsNative(
    'an open connection does, and unref() lets it go',
    async (lab) => {
      const server = await lab.serve();
      const accepted: Socket[] = [];
      server.on('secureConnection', (socket) => accepted.push(socket));
      return runProcess(lab, 'unref', ...certificateOf(lab, server));
    },
    'secure, exit, code 0',
  );

  sameAsNative(
    'unref() before it is connected',
    async (lab) => {
      const server = await lab.serve({ SNICallback: () => {} });
      return runProcess(lab, 'unref-early', ...certificateOf(lab, server));
    },
    'exit, code 0',
  );

  sameAsNative(
    'a connection that is destroyed leaves nothing',
    async (lab) => {
      const server = await lab.serve();
      return runProcess(lab, 'destroy', ...certificateOf(lab, server));
    },
    'exit, code 0',
  );

  sameAsNative('unref() of a server', (lab) => runProcess(lab, 'server-unref', '0', ''), 'exit, code 0');

  sameAsNative(
    'a server that is closed leaves nothing',
    (lab) => runProcess(lab, 'server', '0', ''),
    'closing, closed, exit, code 0',
  );
});
