/** An error in one line, with what caused it: for logs, terminals and clients. */

/** As deep as causes are told. */
const CAUSES_MAX = 4;

export function messageOf(error: unknown): string {
  const parts: string[] = [];
  for (let next = error; next instanceof Error && parts.length < CAUSES_MAX; next = next.cause) {
    const text = ownMessage(next);
    if (!parts.some((part) => part.includes(text))) parts.push(text);
  }
  return (parts.length > 0 ? parts.join(': ') : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}

/** Of several addresses that failed, Node makes an AggregateError without a message. */
function ownMessage(error: Error): string {
  const { errors } = error as { errors?: unknown };
  if (error.message === '' && Array.isArray(errors)) return errors.map(messageOf).join('; ');
  return error.message || error.name;
}
