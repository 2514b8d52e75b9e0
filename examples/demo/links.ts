/** The networks of the demo: the project's simulated link, the loopback interface, a server somewhere. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { type AddressInfo, isIP } from 'node:net';
import * as tls from 'node:tls';
import { connect, createServer, PathMemory, TurboListener } from 'turbotls/experimental';
import { VirtualNetwork } from '../../test/simulator/network.js';
import { makeCertificate } from '../../test/support/certificates.js';
import type { Contender, Link } from './contender.js';
import { preciseClock } from './precise-clock.js';

const NAME = 'demo.turbotls';
const PORT = 443;
const CLIENT = '10.0.0.1';
/** A client whose network lets no UDP through. */
const BLOCKED_CLIENT = '10.0.0.2';
const SERVER = '10.0.0.3';
/** One way, while the link is in a hurry. */
const HURRY_MS = 1;

/** Real TLS, client, engine and server, on virtual sockets joined by a link of this round trip, in real time. */
export async function simulatedLink(roundTripMs: number, loss: number): Promise<Link> {
  const net = new VirtualNetwork({ clock: preciseClock, link: { delayMs: roundTripMs / 2, loss } });
  net.setPath(BLOCKED_CLIENT, SERVER, { udp: 'drop' });
  const { key, cert, ca } = await makeCertificate({ names: [NAME] });

  const server = tls.createServer({ key, cert }, echo);
  server.on('tlsClientError', () => {});
  const listener = new TurboListener({ network: net.host(SERVER) });
  await listener.listen({ host: SERVER, port: PORT });
  void (async () => {
    for await (const { stream } of listener) server.emit('connection', stream);
  })();

  const peer = { host: SERVER, port: PORT, servername: NAME, ca };
  const turboFrom = (client: string, memory: PathMemory) => ({
    socket: connect({ ...peer, turbo: { network: net.host(client), memory } }),
  });
  let memory = new PathMemory();
  return {
    kind: 'simulated',
    title: `simulated link, ${roundTripMs} ms round trip${loss > 0 ? `, ${loss * 100} % of packets lost` : ''}`,
    roundTripMs,
    request: 'hello',
    answers: true,
    warmUps: 20,
    hurry: (isInHurry) => net.setLink(isInHurry ? { delayMs: HURRY_MS, loss: 0 } : { delayMs: roundTripMs / 2, loss }),
    close: () => net.close(),
    contenders: [
      {
        name: 'node:tls',
        detail: '',
        dial() {
          const tcp = net.host(CLIENT).connectTcp(peer);
          return { socket: tls.connect({ ...peer, socket: tcp }), tcp };
        },
      },
      { name: 'turbo', detail: 'first contact', dial: () => turboFrom(CLIENT, new PathMemory()) },
      {
        name: 'turbo, UDP blocked',
        detail: 'first contact',
        dial() {
          memory = new PathMemory();
          return turboFrom(BLOCKED_CLIENT, memory);
        },
      },
      { name: 'turbo, UDP blocked', detail: 'second contact', dial: () => turboFrom(BLOCKED_CLIENT, memory) },
    ],
  };
}

/** The kernel's sockets, within this machine. */
export async function loopbackLink(): Promise<Link> {
  const { key, cert, ca } = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
  const server = createServer({ key, cert }, echo);
  server.on('tlsClientError', () => {});
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    kind: 'loopback',
    title: 'loopback: real sockets, but no round trip to save',
    roundTripMs: undefined,
    request: 'hello',
    answers: true,
    warmUps: 25,
    close: () => server.close(),
    contenders: bothKinds({ host: address, port, ca }),
  };
}

export interface Remote {
  host: string;
  port: number;
  servername: string | undefined;
  ca: Buffer | undefined;
  insecure: boolean;
}

/** A server that runs somewhere. Its name is resolved once, so that the times are the connections' alone. */
export async function remoteLink({ host, port, servername, ca, insecure }: Remote): Promise<Link> {
  const { address } = await lookup(host);
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  return {
    kind: 'remote',
    title: `${host} (${address}), port ${port}`,
    roundTripMs: undefined,
    // An http server answers it, and so does an echo server.
    request: `HEAD / HTTP/1.1\r\nHost: ${name ?? host}\r\nConnection: close\r\n\r\n`,
    answers: false,
    warmUps: 1,
    close() {},
    contenders: bothKinds({
      host: address,
      port,
      rejectUnauthorized: !insecure,
      ...(name && { servername: name }),
      ...(ca && { ca }),
    }),
  };
}

function bothKinds(options: tls.ConnectionOptions): Contender[] {
  let memory = new PathMemory();
  const turbo = () => ({ socket: connect({ ...options, turbo: { memory } }) });
  return [
    { name: 'node:tls', detail: '', dial: () => ({ socket: tls.connect(options) }) },
    {
      name: 'turbo',
      detail: 'first contact',
      dial() {
        memory = new PathMemory();
        return turbo();
      },
    },
    { name: 'turbo', detail: 'second contact', dial: turbo },
  ];
}

function echo(socket: tls.TLSSocket): void {
  socket.on('error', () => {}); // the demo's clients leave without a word
  socket.pipe(socket);
}
