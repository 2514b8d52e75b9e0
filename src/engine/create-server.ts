/** `tls.createServer`, with a TurboTLS port. */
import { createServer as createTlsServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { inspect } from 'node:util';
import { TurboError } from '../errors.js';
import { type AttachOptions, attach, type TurboPort } from './attach.js';

export interface ServerTurboOptions extends AttachOptions {
  /** `off`: plain TLS only, as if turbo were not there. Default 'prefer'. */
  mode?: 'prefer' | 'off' | undefined;
}

export interface ServerOptions extends TlsOptions {
  turbo?: ServerTurboOptions;
}

export type SecureConnectionListener = (socket: TLSSocket) => void;

/** A tls.Server; `turbo` is its TurboTLS port, undefined with mode 'off'. */
export type TurboServer = Server & { readonly turbo: TurboPort | undefined };

export interface CreateServer {
  (listener?: SecureConnectionListener): TurboServer;
  (options: ServerOptions, listener?: SecureConnectionListener): TurboServer;
}

/**
 * As tls.createServer: the same options, events and methods, and clients of both kinds on one port.
 * @throws TurboError ERR_TURBO_BAD_OPTION, and what tls.createServer throws
 */
export const createServer: CreateServer = createServerWith(attach);

/** `createServer` whose servers get their TurboTLS port from another `attach`. */
export function createServerWith(attachTo: typeof attach): CreateServer {
  return function createServer(
    first: ServerOptions | SecureConnectionListener = {},
    second?: SecureConnectionListener,
  ) {
    const [options, listener] = typeof first === 'function' ? [{}, first] : [first, second];
    if (typeof options !== 'object' || options === null) createTlsServer(options); // refuses it in its own words
    const { turbo = {}, ...tlsOptions }: ServerOptions = options;
    if (typeof turbo !== 'object' || turbo === null) {
      throw new TurboError('ERR_TURBO_BAD_OPTION', `turbo is an object of options, got ${inspect(turbo)}`);
    }
    const { mode = 'prefer', ...attachOptions } = turbo;
    if (mode !== 'prefer' && mode !== 'off') {
      throw new TurboError('ERR_TURBO_BAD_OPTION', `turbo.mode of a server is 'prefer' or 'off', got ${inspect(mode)}`);
    }
    const server = createTlsServer(tlsOptions, listener);
    return Object.assign(server, { turbo: mode === 'off' ? undefined : attachTo(server, attachOptions) });
  };
}
