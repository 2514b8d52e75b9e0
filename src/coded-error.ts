/** What all errors of this project have in common: a stable code, and whether trying again makes sense. */
export interface CodedErrorOptions {
  /** The error underneath, when there is one. */
  cause?: unknown;
  /** Whether the same call may succeed when it is simply made again. Default false. */
  retryable?: boolean;
}

export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;
  /** Whether the same call may succeed when it is simply made again. */
  readonly retryable: boolean;

  /**
   * @param text what this code means, the start of the message
   * @param detail what is particular to this case, and what to do; no secrets
   */
  constructor(code: Code, text: string, detail?: string, { cause, retryable = false }: CodedErrorOptions = {}) {
    super(detail ? `${text}: ${detail}` : text, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
  }
}
