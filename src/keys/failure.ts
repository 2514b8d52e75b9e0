/** An error as it is told by one process to another. */
export interface CheckFailure {
  code: string | undefined;
  message: string;
  /** OpenSSL's. */
  stack: readonly string[];
}

export function failureOf(error: Error & { code?: string; opensslErrorStack?: string[] }): CheckFailure {
  const { code, message, opensslErrorStack: stack = [] } = error;
  return { code, message, stack };
}
