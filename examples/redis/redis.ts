/**
 * Sends one command to a Redis server, prints the reply as redis-cli does, and where the time went.
 *
 *   node dist/examples/redis/redis.js SET greeting hello
 *   node dist/examples/redis/redis.js --url rediss://cache.example --transport turbo GET greeting
 */
import { secureTransport, type Transport, tcpTransport, tlsTransport } from 'turbotls';
import { type TurboSocket, turboTransport } from 'turbotls/experimental';
import { RedisClient, RedisServerError } from 'turbotls/redis';
import { commandLine, fail, onInterrupt } from '../command-line.js';
import { formatReply } from './format-reply.js';

const { url, transport, ca, cert, key, rest } = commandLine(
  'Sends one command to a Redis server, prints the reply as redis-cli does, and where the time went.',
  {
    url: {
      kind: 'text',
      value: 'URL',
      default: 'redis://localhost',
      about: 'redis:// or rediss://, with user:password@ and /database; the password may be in REDISCLI_AUTH instead',
    },
    transport: { kind: 'text', value: 'tcp|tls|turbo', about: 'default: tls for rediss://, else tcp' },
    ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
    cert: { kind: 'file', value: 'FILE', about: 'certificate of this client, PEM' },
    key: { kind: 'file', value: 'FILE', about: 'its private key, PEM' },
  },
  { value: 'COMMAND [ARGUMENT …]', about: 'what to send; default PING' },
);

const started = performance.now();
const steps: [at: number, what: string][] = [];

function note(what: string, at = performance.now() - started): void {
  steps.push([at, what]);
}

/** Notes when the connection is there. */
function noted(dial: Transport, what: string): Transport {
  const dialNoted: Transport = async (address, options) => {
    const stream = await dial(address, options);
    note(what);
    return stream;
  };
  return dial.secure ? secureTransport(dialNoted) : dialNoted;
}

/** Notes what it learns of the two carriers too. */
function notedTurbo(): Transport {
  const dial = turboTransport();
  return secureTransport(async (address, options) => {
    const dialledAt = performance.now() - started;
    const stream: TurboSocket = await dial(address, options);
    const { udpAnswered, tcpConnected } = stream.turbo?.timeline ?? {};
    if (udpAnswered !== undefined) note('the server has answered the TLS handshake over UDP', dialledAt + udpAnswered);
    if (tcpConnected !== undefined) note('TCP is connected', dialledAt + tcpConnected);
    note(`TLS is ready, its handshake went over ${stream.turbo?.carrier}`);
    return stream;
  });
}

const transports: Record<string, () => Transport> = {
  tcp: () => noted(tcpTransport(), 'TCP is connected'),
  tls: () => noted(tlsTransport(), 'TCP is connected, and TLS is ready'),
  turbo: notedTurbo,
};

async function run(): Promise<void> {
  const name = transport ?? (url.startsWith('rediss:') ? 'tls' : 'tcp');
  const make = transports[name];
  if (!make) throw new Error(`--transport is tcp, tls or turbo, got '${name}'`);
  const password = process.env.REDISCLI_AUTH;
  const tls = url.startsWith('rediss:') ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : undefined;
  const client = RedisClient.open(url, { transport: make(), tls, ...(password && { password }) });
  onInterrupt(() => client.destroy());
  client.state$.subscribe((state) => {
    if (state.name === 'ready') note(`logged in, over RESP${state.protocol}`);
  });
  const [command = 'PING', ...args] = rest;
  const reply = await client.command(command, ...args).catch(errorOfServer);
  note('the reply is there');
  console.log(formatReply(reply));
  await client.close();
  for (const [at, what] of steps.toSorted(([a], [b]) => a - b))
    console.error(`${at.toFixed(1).padStart(9)} ms  ${what}`);
}

/** What the server says to the command is its reply, be it an error. */
function errorOfServer(error: Error): RedisServerError {
  if (error instanceof RedisServerError) return error;
  throw error;
}

run().catch(fail);
