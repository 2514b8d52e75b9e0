/**
 * A TLSSocket over a Duplex forwards nothing of what belongs to TCP: addresses are undefined, setNoDelay and ref do
 * nothing. This puts it back, by a prototype below TLSSocket's own, so that `instanceof` holds and each socket costs one
 * call.
 */
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { TcpSocket } from './network.js';

/** Where a TLSSocket finds the TCP connection under it; a server's has none before its tombstone. */
export interface TcpOwner {
  readonly tcp: TcpSocket | undefined;
  /** Where a connection that is being made may become another one: changes that one too. */
  changeTcp?(name: string, setting: (tcp: TcpSocket) => void): void;
}

const owners = new WeakMap<TLSSocket, TcpOwner>();

function tcpOf(socket: object): TcpSocket | undefined {
  return owners.get(socket as TLSSocket)?.tcp;
}

/** What is changed again under the same name counts last. */
function change(socket: object, name: string, setting: (tcp: TcpSocket) => void): void {
  const owner = owners.get(socket as TLSSocket);
  if (owner?.changeTcp) owner.changeTcp(name, setting);
  else if (owner?.tcp) setting(owner.tcp);
}

/** A property of net.Socket, read from the TCP connection. */
function forwarded(name: keyof TcpSocket): PropertyDescriptor {
  return {
    configurable: true,
    get(this: TLSSocket) {
      return tcpOf(this)?.[name];
    },
  };
}

const surface = Object.create(TLSSocket.prototype, {
  remoteAddress: forwarded('remoteAddress'),
  remotePort: forwarded('remotePort'),
  remoteFamily: forwarded('remoteFamily'),
  localAddress: forwarded('localAddress'),
  localPort: forwarded('localPort'),
  localFamily: forwarded('localFamily'),
}) as TLSSocket;

Object.assign(surface, {
  address(this: TLSSocket): AddressInfo | Record<string, never> {
    return tcpOf(this)?.address() ?? {};
  },
  setNoDelay(this: TLSSocket, noDelay?: boolean): TLSSocket {
    change(this, 'noDelay', (tcp) => tcp.setNoDelay(noDelay));
    return this;
  },
  setKeepAlive(this: TLSSocket, enable?: boolean, initialDelay?: number): TLSSocket {
    change(this, 'keepAlive', (tcp) => tcp.setKeepAlive(enable, initialDelay));
    return this;
  },
  ref(this: TLSSocket): TLSSocket {
    change(this, 'ref', (tcp) => tcp.ref());
    return this;
  },
  unref(this: TLSSocket): TLSSocket {
    change(this, 'ref', (tcp) => tcp.unref());
    return this;
  },
});

/** Gives a TLSSocket the surface of the TCP connection under its IO. */
export function giveTcpSurface(socket: TLSSocket, owner: TcpOwner): void {
  owners.set(socket, owner);
  Object.setPrototypeOf(socket, surface);
}
