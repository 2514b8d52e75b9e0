/** Transactions and savepoints: scopes of their own, begun together with their first query. */
import { PgError } from '../errors.js';
import type { BackendMessage, FrontendMessage, NoticeFields } from '../messages.js';
import type { Exchange, ExchangeLine } from './exchange.js';
import { QueryScope, type ScopeContext } from './scope.js';

export interface TransactionOptions {
  isolation?: 'read committed' | 'repeatable read' | 'serializable' | undefined;
  readOnly?: boolean | undefined;
  deferrable?: boolean | undefined;
}

type Submit = (exchange: Exchange) => void;

/** How a transaction, or a savepoint inside one, begins and ends. */
interface Bounds {
  begin: string;
  commit: string;
  rollback: string;
}

/** What `work` queries inside a transaction. Not usable any more when it has ended. */
export class Transaction extends QueryScope {
  readonly #submit: Submit;
  readonly #begin: string;
  readonly #depth: number;
  #state: 'fresh' | 'begun' | 'over' = 'fresh';

  constructor(context: ScopeContext, submit: Submit, begin: string, depth: number) {
    super(context);
    this.#submit = submit;
    this.#begin = begin;
    this.#depth = depth;
  }

  /** A transaction inside this one: a savepoint, rolled back to where `work` fails. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const depth = this.#depth + 1;
    const name = `turbotls_${depth}`;
    const bounds = {
      begin: `SAVEPOINT ${name}`,
      commit: `RELEASE SAVEPOINT ${name}`,
      rollback: `ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`,
    };
    return this.turns.exclusive(() =>
      inTransaction(this.context, (exchange) => this.enqueue(exchange), bounds, depth, work),
    );
  }

  protected override enqueue(exchange: Exchange): void {
    switch (this.#state) {
      case 'fresh':
        this.#state = 'begun';
        this.#submit(new BegunWith(this.#begin, exchange));
        return;
      case 'begun':
        this.#submit(exchange);
        return;
      case 'over':
        exchange.fail(
          new PgError('ERR_PG_TRANSACTION_OVER', 'its queries belong inside the function that it was made for'),
        );
    }
  }

  /** COMMIT or ROLLBACK, if there is anything to end. */
  async finish(query: string): Promise<void> {
    const begun = this.#state === 'begun';
    if (!begun) {
      this.#state = 'over';
      return;
    }
    const ended = this.execute(query);
    this.#state = 'over';
    const results = await ended;
    // COMMIT of a transaction that has failed is answered, without an error, by ROLLBACK.
    if (query === 'COMMIT' && results.at(-1)?.command === 'ROLLBACK') {
      throw new PgError('ERR_PG_ROLLED_BACK', 'a query in it had failed');
    }
  }
}

export function beginStatement({ isolation, readOnly, deferrable }: TransactionOptions): string {
  const levels = ['read committed', 'repeatable read', 'serializable'];
  if (isolation !== undefined && !levels.includes(isolation)) {
    throw new PgError('ERR_PG_BAD_OPTION', `isolation is one of '${levels.join("', '")}'`);
  }
  const modes = [
    isolation && `ISOLATION LEVEL ${isolation.toUpperCase()}`,
    readOnly !== undefined && `READ ${readOnly ? 'ONLY' : 'WRITE'}`,
    deferrable !== undefined && `${deferrable ? '' : 'NOT '}DEFERRABLE`,
  ];
  return ['BEGIN', ...modes.filter(Boolean)].join(' ');
}

/** Runs `work` between BEGIN and COMMIT, or ROLLBACK where it fails; its error is what the caller gets. */
export async function inTransaction<T>(
  context: ScopeContext,
  submit: Submit,
  bounds: Bounds,
  depth: number,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const transaction = new Transaction(context, submit, bounds.begin, depth);
  let value: T;
  try {
    value = await work(transaction);
  } catch (error) {
    // If that fails too the connection is lost, and the server rolls back by itself.
    await transaction.finish(bounds.rollback).catch(() => {});
    throw error;
  }
  await transaction.finish(bounds.commit);
  return value;
}

/**
 * An exchange with BEGIN in front of it: in one flight, and so that the server skips the exchange where BEGIN fails. In
 * a simple query both are in one text; in an extended one both stand before the same Sync. Nothing is sent behind it:
 * what follows must not run without the transaction either.
 */
class BegunWith implements Exchange {
  readonly alone = true;
  readonly #begin: string;
  readonly #inner: Exchange;
  #simple = false;
  #begun = false;

  constructor(begin: string, inner: Exchange) {
    this.#begin = begin;
    this.#inner = inner;
  }

  messages(line: ExchangeLine): FrontendMessage[] {
    const [first, ...rest] = this.#inner.messages(line);
    this.#simple = first?.name === 'Query';
    if (first?.name === 'Query') return [{ name: 'Query', query: this.#prefix + first.query }, ...rest];
    return [
      { name: 'Parse', statement: '', query: this.#begin, typeOids: [] },
      { name: 'Bind', portal: '', statement: '', parameterFormats: [], values: [], resultFormats: [] },
      { name: 'Execute', portal: '', maxRows: 0 },
      ...(first ? [first] : []),
      ...rest,
    ];
  }

  get #prefix(): string {
    return `${this.#begin}; `;
  }

  started(line: ExchangeLine): void {
    this.#inner.started?.(line);
  }

  on(message: BackendMessage, line: ExchangeLine): void {
    if (message.name === 'ErrorResponse') {
      this.#inner.on({ name: 'ErrorResponse', fields: this.#shifted(message.fields) }, line);
    } else if (this.#begun) {
      this.#inner.on(message, line);
    } else {
      this.#begun = message.name === 'CommandComplete';
    }
  }

  /** A position in a simple query counts the prefix too. */
  #shifted(fields: NoticeFields): NoticeFields {
    const position = Number(fields.P) - this.#prefix.length;
    return this.#simple && position > 0 ? { ...fields, P: String(position) } : fields;
  }

  end(): void {
    this.#inner.end();
  }

  fail(error: Error): void {
    this.#inner.fail(error);
  }
}
