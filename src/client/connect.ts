/** `tls.connect`, over TurboTLS. */
import type { OnReadOpts, TcpNetConnectOpts } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { filter } from 'rxjs/operators';
import { turbotls } from '#proto/turbotls.js';
import { TurboError } from '../errors.js';
import { groupAskedFor, withGroupFirst } from '../key-share.js';
import type { Limits } from '../limits.js';
import type { Clock } from '../platform/clock.js';
import { announceExperimental } from '../platform/experimental.js';
import type { Network } from '../platform/network.js';
import { giveTcpSurface } from '../platform/tls-surface.js';
import { ClientIO } from './client-io.js';
import type { TurboInfo } from './connection.js';
import { readInto } from './on-read.js';
import type { FirstContact, PathMemory } from './path-memory.js';

const { HandshakeState } = turbotls.v1;

export interface ClientTurboOptions {
  /**
   * `prefer` (default): TurboTLS where it works, TLS over TCP where not. `require`: fail with ERR_TURBO_REQUIRED where
   * it does not. `off`: tls.connect itself.
   */
  mode?: 'prefer' | 'require' | 'off' | undefined;
  /** On a path that is not known. Default 'fast'. */
  firstContact?: FirstContact | undefined;
  /** Default: one memory for the process. */
  memory?: PathMemory | undefined;
  limits?: Partial<Limits> | undefined;
  network?: Network | undefined;
  clock?: Clock | undefined;
}

export interface TurboConnectionOptions extends ConnectionOptions {
  // Of net.connect, which tls.connect hands on to it.
  family?: number | undefined;
  hints?: number | undefined;
  localAddress?: string | undefined;
  localPort?: number | undefined;
  noDelay?: boolean | undefined;
  keepAlive?: boolean | undefined;
  keepAliveInitialDelay?: number | undefined;
  autoSelectFamily?: boolean | undefined;
  autoSelectFamilyAttemptTimeout?: number | undefined;
  allowHalfOpen?: boolean | undefined;
  onread?: OnReadOpts | undefined;
  highWaterMark?: number | undefined;
  signal?: AbortSignal | undefined;
  turbo?: ClientTurboOptions | undefined;
}

/** A TLSSocket; `turbo` is undefined with mode 'off'. */
export type TurboSocket = TLSSocket & { readonly turbo: TurboInfo | undefined };

type Listener = () => void;

/**
 * As tls.connect: the same signatures, options, events and errors.
 *
 * @throws TurboError ERR_TURBO_BAD_OPTION, and what tls.connect throws
 */
export function connect(options: TurboConnectionOptions, listener?: Listener): TurboSocket;
export function connect(
  port: number,
  host?: string,
  options?: TurboConnectionOptions,
  listener?: Listener,
): TurboSocket;
export function connect(port: number, options?: TurboConnectionOptions, listener?: Listener): TurboSocket;
export function connect(path: string, options?: TurboConnectionOptions, listener?: Listener): TurboSocket;
export function connect(...args: unknown[]): TurboSocket {
  const { options, listener } = normalized(args);
  const { turbo = {}, ...tlsOptions } = options;
  checkTurboOptions(turbo);
  const { mode = 'prefer' } = turbo;
  const notTcp = tlsOptions.socket ? 'socket' : tlsOptions.path ? 'path' : undefined;
  if (notTcp && mode === 'require') {
    throw new TurboError('ERR_TURBO_REQUIRED', `with the option '${notTcp}' there is no TCP connection to begin`);
  }
  // Without a port there is nothing to connect to, and node:tls says so.
  if (mode === 'off' || notTcp || tlsOptions.port === undefined) {
    return Object.assign(connectTls(tlsOptions, listener), { turbo: undefined });
  }
  announceExperimental();
  return overTurbo(tlsOptions, turbo, listener);
}

/**
 * A socket that dials when its `connect` is called, as that of `new net.Socket()`: for clients that are given a stream and
 * connect it themselves. What `connect` is called with is not looked at: TLS knows its server from the options.
 *
 * @throws TurboError ERR_TURBO_BAD_OPTION, also for mode 'off', and what tls.connect throws
 */
export function connectLater({ turbo = {}, ...options }: TurboConnectionOptions): TurboSocket {
  checkTurboOptions(turbo);
  if (turbo.mode === 'off') {
    throw new TurboError(
      'ERR_TURBO_BAD_OPTION',
      "with turbo.mode 'off' nothing can dial later: leave it to the client",
    );
  }
  announceExperimental();
  const { socket, io } = secured(options, turbo, { deferred: true });
  return Object.assign(socket, {
    connect(_port?: unknown, _host?: unknown, listener?: unknown): TurboSocket {
      if (socket.destroyed || io.tcp) return socket;
      if (typeof listener === 'function') socket.once('connect', listener as Listener);
      io.start();
      actAsTcp(socket, io, options);
      return socket;
    },
  });
}

/** @throws TurboError ERR_TURBO_BAD_OPTION */
export function checkTurboOptions(turbo: unknown): asserts turbo is ClientTurboOptions {
  if (typeof turbo !== 'object' || turbo === null) {
    throw new TurboError('ERR_TURBO_BAD_OPTION', `turbo is an object of options, got ${inspect(turbo)}`);
  }
  const { mode = 'prefer', firstContact } = turbo as ClientTurboOptions;
  if (mode !== 'prefer' && mode !== 'require' && mode !== 'off') {
    throw new TurboError('ERR_TURBO_BAD_OPTION', `turbo.mode is 'prefer', 'require' or 'off', got ${inspect(mode)}`);
  }
  if (firstContact !== undefined && firstContact !== 'fast' && firstContact !== 'careful') {
    throw new TurboError(
      'ERR_TURBO_BAD_OPTION',
      `turbo.firstContact is 'fast' or 'careful', got ${inspect(firstContact)}`,
    );
  }
}

function overTurbo(
  options: Omit<TurboConnectionOptions, 'turbo'>,
  turbo: ClientTurboOptions,
  listener: Listener | undefined,
): TurboSocket {
  const { socket, io } = secured(options, turbo);
  if (listener) socket.once('secureConnect', listener);
  actAsTcp(socket, io, options);
  return socket;
}

/** TLS, and below it what TurboTLS is. */
function secured(
  options: Omit<TurboConnectionOptions, 'turbo'>,
  turbo: ClientTurboOptions,
  { deferred = false } = {},
): { socket: TurboSocket; io: ClientIO } {
  const { firstContact, memory, limits, network, clock, mode } = turbo;
  const { signal, onread, ...tlsOptions } = options;
  const io = new ClientIO({
    tcp: tcpOptions(options),
    deferred,
    firstContact,
    require: mode === 'require',
    memory,
    limits,
    network,
    clock,
  });
  try {
    const socket = connectTls({ ...withGroupFirst(tlsOptions, io.group), socket: io });
    // Not as an option: a TLSSocket that is aborted while it is made goes on to connect.
    if (signal !== undefined) addAbortSignal(signal, socket);
    giveTcpSurface(socket, io);
    if (onread) readInto(socket, onread);
    io.onFailure = (error) => socket.destroy(error);
    socket.once('secureConnect', () => io.handshakeDone(groupAskedFor(socket)));
    return { socket: Object.assign(socket, { turbo: io as TurboInfo }), io };
  } catch (error) {
    io.destroy(); // a bad key, say: tls.connect throws, and nothing may stay behind
    throw error;
  }
}

/** What a TLSSocket over a Duplex does not do by itself: the events and properties of connecting. */
function actAsTcp(socket: TLSSocket, io: ClientIO, { timeout, allowHalfOpen = false }: TurboConnectionOptions): void {
  const state = socket as { connecting: boolean };
  state.connecting = true;
  // A TLSSocket takes this from its stream, and knows no option for it.
  socket.allowHalfOpen = allowHalfOpen;
  for (const event of ['lookup', 'connectionAttempt', 'connectionAttemptFailed', 'connectionAttemptTimeout']) {
    io.tcp?.on(event, (...args: unknown[]) => {
      if (!socket.destroyed) socket.emit(event, ...args);
    });
  }
  const connected$ = io.state$.pipe(filter((state) => state === HandshakeState.GRACE));
  connected$.subscribe(() => {
    if (socket.destroyed) return;
    state.connecting = false;
    socket.emit('connect');
    socket.emit('ready');
  });
  try {
    if (timeout) socket.setTimeout(timeout);
  } catch (error) {
    io.destroy(); // it is no number, say: nothing may stay behind
    throw error;
  }
}

function tcpOptions(options: TurboConnectionOptions): TcpNetConnectOpts {
  const { port = 0 } = options;
  const names = [
    'host',
    'family',
    'hints',
    'lookup',
    'localAddress',
    'localPort',
    'noDelay',
    'keepAlive',
    'keepAliveInitialDelay',
    'autoSelectFamily',
    'autoSelectFamilyAttemptTimeout',
  ] as const;
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return { port, ...Object.fromEntries(given) };
}

/** tls.connect(options[, callback]), (path[, options][, callback]), (port[, host][, options][, callback]). */
function normalized(args: unknown[]): { options: TurboConnectionOptions; listener: Listener | undefined } {
  const rest = [...args];
  const last = rest.at(-1);
  const listener = typeof last === 'function' ? (rest.pop() as Listener) : undefined;
  const [first, ...more] = rest;
  if (first !== null && typeof first === 'object') return { options: { ...first }, listener };
  const options: TurboConnectionOptions = {};
  if (typeof first === 'number') options.port = first;
  // As net.connect tells them apart: what is no number is the path of a unix socket.
  if (typeof first === 'string') Object.assign(options, Number(first) >= 0 ? { port: Number(first) } : { path: first });
  for (const arg of more) {
    if (typeof arg === 'string') options.host = arg;
    else if (arg !== null && typeof arg === 'object') Object.assign(options, arg);
  }
  return { options, listener };
}
