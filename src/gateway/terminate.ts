/** TLS that ends at the gateway: the handshake on a stream, whichever carries it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import { createServer, type SecureContext, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { onAbort } from '../abort.js';
import { keyHealth } from '../keys/index.js';
import { giveTcpSurface } from '../platform/tls-surface.js';
import { ServerIO } from '../server/server-io.js';
import type { ClientTls } from './backend/index.js';
import { GatewayError } from './errors.js';
import { closeSoon } from './last-words.js';
import { readAuthorities, readPair } from './ops/certificate-files.js';
import { type CertificateNews, CertificateStore } from './ops/certificate-store.js';
import type { RoutePlan, TerminateMode } from './plan.js';
import { type TicketScope, ticketOptions } from './tickets.js';

/** Who waits for a handshake. */
interface Waiting {
  stream: Duplex;
  resolve: (socket: TLSSocket) => void;
  reject: (error: Error) => void;
}

/** node:tls does not tell which stream a TLSSocket runs on: its events come in the context in which it was made. */
const handshakes = new AsyncLocalStorage<Waiting>();

export interface TerminatorOptions {
  onNews?: ((news: CertificateNews) => void) | undefined;
  /** See GatewayOptions. */
  ticketSeed?: Buffer | undefined;
}

/** Of TicketScope, what is not of the whole route. */
type OneServer = Pick<TicketScope, 'clients' | 'cert' | 'authorities'>;

export class Terminator {
  readonly #mode: TerminateMode;
  readonly #ticketsOf: (server: OneServer) => TlsOptions;
  readonly #certificates: CertificateStore;
  /** What is the same for all certificates. */
  readonly #options: TlsOptions;
  /**
   * One for each certificate. They never listen. Each has session tickets of its own, so that a session is resumed under
   * no other name, and under no other route's policy (CVE-2025-23419).
   */
  readonly #servers = new WeakMap<SecureContext, Server>();
  /** For clients that send no server name. */
  #nameless: Server;

  /**
   * Reads the files, and again when they change.
   * @throws GatewayError ERR_GATEWAY_CERTIFICATE
   */
  constructor(
    mode: TerminateMode,
    { name: route, match }: Pick<RoutePlan, 'name' | 'match'>,
    { onNews = () => {}, ticketSeed }: TerminatorOptions = {},
  ) {
    this.#mode = mode;
    const alpn = mode.alpn.length > 0 ? mode.alpn : match.alpn;
    const { minVersion } = mode;
    const scope = { route, clientCertificate: mode.clientCertificate.mode, minVersion, alpn };
    this.#ticketsOf = (server) => (ticketSeed ? ticketOptions(ticketSeed, { ...scope, ...server }) : {});
    this.#options = {
      minVersion,
      requestCert: mode.clientCertificate.mode !== 'none',
      // Judged here, so that a client that shows none is told apart.
      rejectUnauthorized: false,
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    };
    this.#nameless = this.#makeNameless();
    this.#certificates = new CertificateStore(mode, {
      sessionIdContextOf: (cert, authorities) =>
        this.#ticketsOf({ clients: 'named', cert, authorities }).sessionIdContext,
      onNews: (news) => {
        onNews(news);
        this.#refresh();
      },
    });
  }

  /**
   * Makes TLS of a stream, whose ClientHello is still to be read; owns the stream from here on.
   * @param serverName what the ClientHello says, in lower case
   * @throws GatewayError ERR_GATEWAY_CLIENT_CERTIFICATE, ERR_GATEWAY_CLIENT_GONE, errors of TLS, the signal's reason
   */
  async handshake(stream: Duplex, serverName: string | undefined, signal: AbortSignal): Promise<TLSSocket> {
    signal.throwIfAborted();
    try {
      return this.#checked(await this.#begin(this.#serverFor(serverName), stream, signal));
    } catch (error) {
      // An alert may be on its way.
      if (signal.aborted) stream.destroy();
      else closeSoon(stream);
      throw error;
    }
  }

  close(): void {
    this.#certificates.close();
  }

  #serverFor(serverName: string | undefined): Server {
    if (serverName === undefined) return this.#nameless;
    const { context, cert, authorities } = this.#certificates.certificateFor(serverName);
    const known = this.#servers.get(context);
    if (known) return known;
    const server = this.#makeServer({
      SNICallback: (_name, done) => done(null, context),
      ...this.#ticketsOf({ clients: 'named', cert, authorities }),
    });
    this.#servers.set(context, server);
    return server;
  }

  /** What cannot be used the store reports, and tries again; what was there stays meanwhile. */
  #refresh(): void {
    try {
      this.#nameless = this.#makeNameless();
    } catch {}
  }

  #makeNameless(): Server {
    const credentials = credentialsOf(this.#mode);
    const { cert, ca: authorities } = credentials;
    return this.#makeServer({ ...credentials, ...this.#ticketsOf({ clients: 'nameless', cert, authorities }) });
  }

  #makeServer(credentials: TlsOptions): Server {
    const server = createServer({ ...this.#options, ...credentials });
    server.on('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    server.on('tlsClientError', (error: Error) => {
      keyHealth().report(error);
      handshakes.getStore()?.reject(error);
    });
    return server;
  }

  #begin(server: Server, stream: Duplex, signal: AbortSignal): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const onGone = () => waiting.reject(new GatewayError('ERR_GATEWAY_CLIENT_GONE'));
      const forget = onAbort(signal, () => waiting.reject(signal.reason));
      const leave = () => {
        forget();
        stream.off('close', onGone);
      };
      const waiting: Waiting = {
        stream,
        resolve: (socket) => {
          leave();
          resolve(socket);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      stream.once('close', onGone);
      handshakes.run(waiting, () => {
        // A TLSSocket takes this from its stream when it is made: a client that ends within the handshake ends it.
        stream.allowHalfOpen = false;
        server.emit('connection', stream);
        stream.allowHalfOpen = true;
      });
    });
  }

  #onSecure(socket: TLSSocket): void {
    const waiting = handshakes.getStore();
    if (!waiting) return;
    const { stream } = waiting;
    socket.on('error', ignore);
    // From here on: it may end before the relay has it, and be answered.
    socket.allowHalfOpen = true;
    if (stream instanceof ServerIO) {
      giveTcpSurface(socket, stream);
      stream.onFailure = (error) => socket.destroy(error);
    }
    waiting.resolve(socket);
  }

  /** Nobody's certificate, or one that is not trusted, where that is not enough. One that is shown is always judged. */
  #checked(socket: TLSSocket): TLSSocket {
    const { mode } = this.#mode.clientCertificate;
    if (mode === 'none' || socket.authorized) return socket;
    const shown = Object.keys(socket.getPeerCertificate()).length > 0;
    if (!shown && mode === 'request') return socket;
    const detail = shown ? String(socket.authorizationError) : 'it shows none';
    socket.destroy();
    throw new GatewayError('ERR_GATEWAY_CLIENT_CERTIFICATE', detail);
  }
}

/** What the backend is told of a client's TLS. */
export function describeTls(socket: TLSSocket): ClientTls {
  const [commonName] = [socket.getPeerCertificate().subject?.CN].flat();
  return {
    version: socket.getProtocol() ?? undefined,
    cipher: socket.getCipher().standardName,
    commonName,
    verified: socket.authorized,
  };
}

/** Of the first certificate: node:tls asks no one for clients that send no server name. */
function credentialsOf({
  certificates,
  clientCertificate,
}: TerminateMode): TlsOptions & { cert: string; ca: string | undefined } {
  const [first] = certificates;
  const { pair, errors } = first ? readPair(first) : { pair: undefined, errors: [{ message: 'the route has none' }] };
  if (!pair) throw new GatewayError('ERR_GATEWAY_CERTIFICATE', `${first?.cert ?? ''} ${errors[0]?.message ?? ''}`);
  const { cert, key } = pair;
  const ca = clientCertificate.mode === 'none' ? undefined : readAuthorities(clientCertificate.ca);
  return { cert, ...key, ca };
}

function ignore(): void {}
