/**
 * For a client that no adapter here is for, and for an application that dials for itself: the options of all its
 * connections in one place (verification, memory of paths, limits), and a connection in each form that clients ask for.
 *
 *     const dialer = new Dialer({ ca, turbo: { memory, limits } });
 *     await dialer.dial({ host, port });                           // a connected socket
 *     new SomeClient({ createConnection: dialer.connect });        // as net.createConnection and tls.connect
 *     new OtherClient({ stream: () => dialer.socket({ host, port }) }); // as new net.Socket(): its client connects it
 */
import { connect, connectLater, type TurboConnectionOptions, type TurboSocket } from '../client/connect.js';
import { turboTransport } from '../client/turbo-transport.js';
import { type Transport, withServerName } from '../transport.js';

export type DialerOptions = Omit<TurboConnectionOptions, 'host' | 'port'>;

export class Dialer {
  readonly #options: DialerOptions;

  /**
   * Resolves with a socket whose TLS is ready; rejects with its error. The clients of `turbotls/pg` and `turbotls/redis`
   * take it as their transport.
   */
  readonly dial: Transport<TurboSocket>;

  constructor(options: DialerOptions = {}) {
    this.#options = options;
    this.dial = turboTransport(options);
  }

  /**
   * As tls.connect with options, over those of the dialer; `listener` is called on 'secureConnect'. Bound, so that it can be
   * handed on.
   */
  readonly connect = (options: TurboConnectionOptions, listener?: () => void): TurboSocket =>
    connect(this.#with(options), listener);

  /** Dials when its `connect()` is called, wherever that says to: the address is this one. */
  socket(options: TurboConnectionOptions & { port: number }): TurboSocket {
    return connectLater(this.#with(options));
  }

  #with(options: TurboConnectionOptions): TurboConnectionOptions {
    return withServerName({ noDelay: true, ...this.#options, ...options });
  }
}
