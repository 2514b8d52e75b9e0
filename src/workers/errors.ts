/** Every error that the front and its workers raise themselves, one stable code per failure. */
import { CodedError, type CodedErrorOptions } from '../coded-error.js';

/** What happened, by code. The text is the start of the message; details follow it. */
export const workersErrorTexts = {
  ERR_WORKERS_BAD_OPTION: 'An option is not usable',
  ERR_WORKERS_STATE: 'The workers are not in a state that allows this call',
  ERR_WORKERS_NO_FRONT: 'This process has no front that owns its ports',
  ERR_WORKERS_ADDRESS: 'The front does not serve this address for this worker',
  ERR_WORKERS_CLOSED: 'The front or the worker is closed',
  ERR_WORKERS_START: 'A worker did not come to serve',
} as const;

export type WorkersErrorCode = keyof typeof workersErrorTexts;

export class WorkersError extends CodedError<WorkersErrorCode> {
  override readonly name = 'WorkersError';

  /** @param detail what is particular to this case, and what to do; no secrets. */
  constructor(code: WorkersErrorCode, detail?: string, options?: CodedErrorOptions) {
    super(code, workersErrorTexts[code], detail, options);
  }
}
