/** A UDP socket without a network: what is sent is kept, what arrives is said by the test. */
import type { RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { UdpSocket } from '../../src/platform/network.js';

export interface Sent {
  readonly bytes: Buffer;
  readonly port: number;
  readonly address: string;
}

type SendCallback = (error: Error | null) => void;

export class RecordingUdp extends EventEmitter implements UdpSocket {
  /** What was sent and not yet taken. */
  sent: Sent[] = [];
  closed = false;
  /** Called for each datagram sent, before it is kept; false: it is not kept. */
  onSend: (sent: Sent) => boolean = () => true;

  /** What was sent since the last call. */
  take(): Sent[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }

  receive(message: Buffer, { port, address }: { port: number; address: string }): void {
    const from: RemoteInfo = { address, port, family: 'IPv4', size: message.length };
    this.emit('message', message, from);
  }

  send(message: Uint8Array, port?: number | SendCallback, address?: string | SendCallback): void {
    if (this.closed) throw new Error('sent on a closed socket');
    if (typeof port !== 'number' || typeof address !== 'string') throw new Error('the socket is not connected');
    const sent = { bytes: Buffer.from(message), port, address };
    if (this.onSend(sent)) this.sent.push(sent);
  }

  bind(_options: object, callback?: () => void): this {
    if (callback) process.nextTick(callback);
    return this;
  }

  connect(): void {
    throw new Error('an engine has no use for a connected socket');
  }

  address(): AddressInfo {
    return { address: '192.0.2.1', port: 443, family: 'IPv4' };
  }

  close(callback?: () => void): this {
    this.closed = true;
    if (callback) process.nextTick(callback);
    process.nextTick(() => this.emit('close'));
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
