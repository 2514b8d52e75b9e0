/**
 * A network with real round trips on one machine: two hosts, each a network namespace of its own, so that the kernel's
 * own TCP does its real handshakes over what is between them.
 *
 *     client, 10.88.0.1                                                server, 10.88.0.2
 *       link0 ──▶ reader ──▶ Schedule (when, how often, at all) ──▶ DueQueue ──▶ link0        TUN devices (tun/)
 *       link0 ──▶ tc netem ───────────────────────────────────────────────────▶ link0        a veth pair (netem/)
 *
 * and the same the other way round. Nothing of it outlives the process that opened it (host.ts).
 */
export { DEVICE as CLIENT_DEVICE } from './host.js';
export type { LinkKind, Recorder } from './joint.js';
export { Link, type LinkOptions } from './link.js';
export { monotonicMs } from './monotonic.js';
export { LinkUnavailable, linkMissing, linkMissingInUserNamespace, runInUserNamespace } from './requirements.js';
export { packetsOf, type TracedPacket } from './trace.js';
