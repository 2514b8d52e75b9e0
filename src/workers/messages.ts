/**
 * What front and worker say to each other: bytes to value and back (proto: ToWorker, ToFront). Both ends are of one
 * version, so that every field has its value; a message in a message may be missing.
 */
import { turbotls } from '#proto/worker.js';

export interface PortDatagram {
  portId: number;
  payload: Uint8Array;
  address: string;
  port: number;
}

export interface Failure {
  code: string;
  message: string;
  syscall: string;
  errno: number;
  address: string;
  port: number;
}

export interface Listen {
  request: number;
  host: string;
  port: number;
  ipv6Only: boolean;
  backlog: number;
  index: number;
}

export interface Listening {
  request: number;
  portId: number;
  address: string;
  family: string;
  port: number;
  failure: Failure | null;
  udpFailure: Failure | null;
}

export interface Serving {
  portId: number;
  tcp: boolean;
  udp: boolean;
}

export interface ToWorker {
  datagrams: PortDatagram[];
  connection: { portId: number; head: Uint8Array } | null;
  listening: Listening | null;
  drain: { deadlineMs: number } | null;
  welcome: boolean;
  /** 0: none. */
  served: number;
  told: Uint8Array | null;
}

export interface ToFront {
  received: number;
  closed: number;
  datagrams: PortDatagram[];
  hello: boolean;
  listen: Listen | null;
  serving: Serving | null;
  told: Uint8Array | null;
}

/** What is not there has its default. */
type Partly<T> = {
  [K in keyof T]?: T[K] extends unknown[] | Uint8Array | null ? T[K] : T[K] | Partial<NonNullable<T[K]>>;
};

export function encodeToWorker(fields: Partly<ToWorker>): Uint8Array {
  return turbotls.worker.v1.ToWorker.encode(fields).finish();
}

export function encodeToFront(fields: Partly<ToFront>): Uint8Array {
  return turbotls.worker.v1.ToFront.encode(fields).finish();
}

/** @throws where the bytes are no message */
export function decodeToWorker(bytes: Uint8Array): ToWorker {
  return turbotls.worker.v1.ToWorker.decode(bytes) as unknown as ToWorker;
}

/** @throws where the bytes are no message */
export function decodeToFront(bytes: Uint8Array): ToFront {
  return turbotls.worker.v1.ToFront.decode(bytes) as unknown as ToFront;
}

/** A system error, to be made again by `errorOf` in another process. */
export function failureOf(error: Error): Failure {
  const { code = '', syscall = '', errno = 0, address = '', port = 0 } = error as Partial<Failure>;
  return { code, message: error.message, syscall, errno, address, port };
}

export function errorOf({ message, ...fields }: Failure): NodeJS.ErrnoException {
  const present = Object.entries(fields).filter(([, value]) => value !== '' && value !== 0);
  return Object.assign(new Error(message), Object.fromEntries(present));
}

/** The same bytes: in a process with Buffers, protobuf gives Buffers, though its types do not say so. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
