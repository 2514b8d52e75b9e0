/** What to do about errors of the system that users meet. */

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this address; end it, or choose another one',
  EADDRNOTAVAIL: 'this machine does not have this address',
  EACCES: 'this user may not; for ports below 1024 see "Ports below 1024" in docs/cli.md',
  ENOTFOUND: 'no such host name; is it spelt as it should be?',
  EAI_AGAIN: 'the name server does not answer',
  ECONNREFUSED: 'nothing listens there, or a firewall refuses',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this network',
};

/** Behind a message: ' (…)', or nothing. */
export function errnoAdvice(error: unknown): string {
  for (let next = error; next instanceof Error; next = next.cause) {
    const { code } = next as NodeJS.ErrnoException;
    const advice = code === undefined ? undefined : ADVICE[code];
    if (advice !== undefined) return ` (${advice})`;
  }
  return '';
}
