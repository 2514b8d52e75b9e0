/** What joins the two hosts: TUN devices and a process between them, or a pair of the kernel's with netem. */
import type { Conditions } from '../../../src/compare/model.js';
import { type Host, PREFIX_LENGTH } from './host.js';
import type { TracedPacket } from './trace.js';

export type LinkKind = 'netem' | 'tun';

export interface Hosts {
  client: Host;
  server: Host;
}

export interface Joint {
  readonly kind: LinkKind;
  /** Resolves when they hold. Packets under way keep their fate. */
  set(conditions: Conditions): Promise<void>;
  /** undefined where packets cannot be recorded. */
  readonly trace: Recorder | undefined;
  close(): Promise<void>;
}

export interface Recorder {
  /** Forgets what was recorded. */
  start(): Promise<void>;
  /** What was recorded; ends recording. */
  take(): Promise<TracedPacket[]>;
}

/** Of Ethernet. */
export const MTU = 1500;
/** Packets that wait for the link while it is late. */
export const DEVICE_QUEUE = 10_000;

/** For `ip -batch -`. */
export function addressBatch(device: string, address: string): string {
  return [
    'link set dev lo up',
    `address add ${address}/${PREFIX_LENGTH} dev ${device}`,
    `link set dev ${device} mtu ${MTU} txqueuelen ${DEVICE_QUEUE} up`,
    '',
  ].join('\n');
}
