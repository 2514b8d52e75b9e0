/** Why a connection does not go on: thrown by the step that finds it, or the reason of its signal. */
import type { TlsAlert } from './alert.js';
import type { EndReason, RefusedReason } from './events.js';

interface StopOptions {
  /** What the client is told; undefined: nothing. */
  alert?: TlsAlert | undefined;
  cause?: unknown;
}

abstract class Stop<Reason extends string> extends Error {
  readonly reason: Reason;
  readonly alert: TlsAlert | undefined;

  constructor(reason: Reason, { alert, cause }: StopOptions = {}) {
    super(reason, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.alert = alert;
  }

  /** What is underneath, for logs. */
  get error(): Error | undefined {
    return this.cause instanceof Error ? this.cause : undefined;
  }
}

/** Before the connection has its route and room there. */
export class Refusal extends Stop<RefusedReason> {}

/** After that. */
export class Ending extends Stop<EndReason> {}
