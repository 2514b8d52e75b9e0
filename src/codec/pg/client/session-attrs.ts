/** target_session_attrs: whether a server is of the kind that the caller asks for. (libpq, "Connection Strings") */
import type { TargetSessionAttrs } from '../conninfo/target.js';
import { TypeRegistry } from '../types/registry.js';
import { SimpleQuery } from './query.js';
import type { Session } from './session.js';

interface SessionAttrs {
  /** Whether its transactions are read-only by default: default_transaction_read_only, or a standby. */
  readOnly: boolean;
  standby: boolean;
}

/** `prefer-standby` is `standby`, and where no host is one, `any`. */
export type WantedAttrs = Exclude<TargetSessionAttrs, 'prefer-standby'>;

/** The passes over the hosts that target_session_attrs takes. */
export function passesOf(attrs: TargetSessionAttrs): WantedAttrs[] {
  return attrs === 'prefer-standby' ? ['standby', 'any'] : [attrs];
}

export async function satisfies(session: Session, wanted: WantedAttrs): Promise<boolean> {
  if (wanted === 'any') return true;
  const { readOnly, standby } = reported(session) ?? (await asked(session));
  switch (wanted) {
    case 'read-write':
      return !readOnly;
    case 'read-only':
      return readOnly;
    case 'primary':
      return !standby;
    case 'standby':
      return standby;
  }
}

/** From PostgreSQL 14 on the server reports both. */
function reported({ parameters }: Session): SessionAttrs | undefined {
  const readOnly = parameters.get('default_transaction_read_only');
  const standby = parameters.get('in_hot_standby');
  if (readOnly === undefined || standby === undefined) return undefined;
  return { readOnly: readOnly === 'on' || standby === 'on', standby: standby === 'on' };
}

/** Older servers, and poolers that do not pass it on. */
async function asked(session: Session): Promise<SessionAttrs> {
  const text =
    "SELECT current_setting('transaction_read_only') AS read_only, pg_catalog.pg_is_in_recovery() AS standby";
  const results = await new Promise<{ rows: { read_only?: string; standby?: boolean }[] }[]>((resolve, reject) => {
    const settings = { types: new TypeRegistry(), rowMode: 'object', cancellable: false } as const;
    session.ask(new SimpleQuery(text, settings, { resolve, reject }));
  });
  const row = results.at(-1)?.rows[0];
  return { readOnly: row?.read_only === 'on', standby: row?.standby === true };
}
