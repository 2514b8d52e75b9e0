/** What a client's opening means in each mode: where its bytes go, and how; or why they go nowhere. */
import type { Socket } from 'node:net';
import type { ClientHello } from '../../wire/client-hello.js';
import { GatewayError } from '../errors.js';
import type { ProxyClient } from './events.js';
import { type Opening, readOpening } from './opening.js';
import type { OriginateMode, ProxyLimits, ProxyPlan } from './plan.js';
import { type DialRemote, originate, plain, type RemoteOptions, tunnel } from './remote.js';

/** What is to be done for a client. */
export interface Intent {
  protocol: 'tls' | 'postgresql' | 'other';
  dial: DialRemote;
  /** What was read of the client; `dial` has sent it, or it is to be sent once the remote is connected. */
  head: Buffer;
  headSent: boolean;
  /** What the client's ClientHello names, where it has one that can be read. */
  hello: Pick<ClientHello, 'serverName' | 'alpn'> | undefined;
  /** Whether a PostgreSQL login follows in plaintext: errors can be told, and channel binding is not to be offered. */
  login: boolean;
}

export interface IntentOptions {
  mode: ProxyPlan['mode'];
  limits: ProxyLimits;
  remote: RemoteOptions;
  client: ProxyClient;
}

const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Reads as much of the client as tells what it wants.
 * @throws GatewayError, the client's error, or the signal's reason
 */
export async function readIntent(client: Socket, options: IntentOptions, signal: AbortSignal): Promise<Intent> {
  const { mode, remote } = options;
  // The client may be one that waits for the server to speak first: nothing is read.
  if (mode.kind === 'originate' && !mode.postgres) {
    return { ...originating(mode, remote), protocol: 'other', head: EMPTY, login: false };
  }
  const ssl = mode.kind === 'transparent' ? 'S' : 'N';
  const { opening, negotiated } = await readOpening(client, { ssl, limit: options.limits.firstBytes, signal });
  if (mode.kind === 'originate') return postgresIntent(opening, mode, remote);
  return transparentIntent(opening, negotiated, options);
}

function transparentIntent(opening: Opening, negotiated: boolean, { remote, client }: IntentOptions): Intent {
  const { head } = opening;
  switch (opening.kind) {
    case 'tls':
      return {
        protocol: negotiated ? 'postgresql' : 'tls',
        dial: tunnel(head, remote),
        head,
        headSent: true,
        hello: opening.hello,
        login: false,
      };
    case 'cancel':
      // libpq before version 17 cancels in plaintext: there is no ClientHello that could go over UDP.
      return {
        protocol: 'postgresql',
        dial: plain(head, remote),
        head,
        headSent: true,
        hello: undefined,
        login: false,
      };
    case 'startup':
      throw new GatewayError('ERR_GATEWAY_TLS_REQUIRED', 'path' in client ? LOCAL_PLAINTEXT : PLAINTEXT);
    default:
      throw new GatewayError(
        'ERR_GATEWAY_PROXY_PROTOCOL',
        `it begins with ${firstBytes(head)}, which is no TLS; for clients without TLS start the proxy with --tls`,
      );
  }
}

const PLAINTEXT =
  'connect with sslmode=require or above, or start the proxy with --tls --postgres, which encrypts for the client';
const LOCAL_PLAINTEXT =
  'libpq uses no TLS over a Unix socket; start the proxy with --tls --postgres, which encrypts for the client';

function postgresIntent(opening: Opening, mode: OriginateMode, remote: RemoteOptions): Intent {
  const { head, kind } = opening;
  if (kind === 'startup' || kind === 'cancel') {
    return { ...originating(mode, remote), protocol: 'postgresql', head, login: kind === 'startup' };
  }
  const advice =
    kind === 'tls'
      ? 'it speaks TLS itself; start the proxy without --tls, or the client with sslmode=disable'
      : `it begins with ${firstBytes(head)}, which is no PostgreSQL; start the proxy without --postgres`;
  throw new GatewayError('ERR_GATEWAY_PROXY_PROTOCOL', advice);
}

function originating(mode: OriginateMode, remote: RemoteOptions): Pick<Intent, 'dial' | 'headSent' | 'hello'> {
  return { dial: originate(mode, remote), headSent: false, hello: undefined };
}

function firstBytes(head: Buffer): string {
  return `0x${head.toString('hex', 0, 8)}`;
}
