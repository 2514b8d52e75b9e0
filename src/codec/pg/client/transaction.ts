/** Transactions and savepoints: scopes of their own, begun together with their first query. */
import { PgError } from '../errors.js';
import type { BackendMessage, FrontendMessage, NoticeFields } from '../messages.js';
import type { Exchange, ExchangeLine } from './exchange.js';
import type { PgResult } from './result.js';
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

/**
 * `fresh`: no query was made. `beginning`: BEGIN is under way with the first one, and the others wait for it. `begun`.
 * `failed`: BEGIN was not executed, for it stood in one text with a query that cannot be parsed.
 */
type State = 'fresh' | 'beginning' | 'begun' | 'failed';

/** What `work` queries inside a transaction. Not usable any more when it has ended. */
export class Transaction extends QueryScope {
  #state: State = 'fresh';
  /** Whether COMMIT or ROLLBACK has been asked for. */
  #over = false;
  #held: Exchange[] = [];
  readonly #submit: Submit;
  readonly #bounds: Bounds;
  /** 0: the transaction itself. */
  readonly #depth: number;

  constructor(context: ScopeContext, submit: Submit, bounds: Bounds, depth: number) {
    super(context);
    this.#submit = submit;
    this.#bounds = bounds;
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
    if (!this.#over) this.#send(exchange);
    else exchange.fail(new PgError('ERR_PG_TRANSACTION_OVER', 'queries belong inside the function that it is for'));
  }

  #send(exchange: Exchange): void {
    switch (this.#state) {
      case 'fresh':
        this.#begin(exchange);
        return;
      case 'beginning':
        this.#held.push(exchange);
        return;
      case 'begun':
        this.#submit(exchange);
        return;
      case 'failed':
        exchange.fail(new PgError('ERR_PG_ROLLED_BACK', 'its first query failed before it had begun'));
    }
  }

  /** BEGIN goes with the first query. */
  #begin(first: Exchange): void {
    if (this.#depth > 0) {
      // Where SAVEPOINT fails the whole transaction has failed, and so does what is sent behind it.
      this.#state = 'begun';
      this.execute(this.#bounds.begin).catch(() => {});
      this.#submit(first);
      return;
    }
    this.#state = 'beginning';
    this.#submit(new BegunWith(this.#bounds.begin, first, (begun) => this.#onBegun(begun)));
  }

  #onBegun(begun: boolean): void {
    this.#state = begun ? 'begun' : 'failed';
    for (const exchange of this.#held.splice(0)) this.#send(exchange);
  }

  /** COMMIT, if there is anything to commit. */
  async commit(): Promise<void> {
    const [result] = await this.#end(this.#bounds.commit);
    // COMMIT of a transaction that has failed is answered, without an error, by ROLLBACK.
    if (this.#depth === 0 && result?.command === 'ROLLBACK') {
      throw new PgError('ERR_PG_ROLLED_BACK', 'a query in it had failed');
    }
  }

  async rollback(): Promise<void> {
    await this.#end(this.#bounds.rollback);
  }

  async #end(query: string): Promise<PgResult[]> {
    const ended = this.#state === 'fresh' ? [] : this.execute(query);
    this.#over = true;
    return ended;
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
  const transaction = new Transaction(context, submit, bounds, depth);
  let value: T;
  try {
    value = await work(transaction);
  } catch (error) {
    // If that fails too the connection is lost, and the server rolls back by itself.
    await transaction.rollback().catch(() => {});
    throw error;
  }
  await transaction.commit();
  return value;
}

const beginning: ReadonlySet<BackendMessage['name']> = new Set(['ParseComplete', 'BindComplete', 'CommandComplete']);

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
  /** A text of nothing but BEGIN is not empty: the server does not say that there was nothing behind it. */
  #onEmpty: (() => void) | undefined;
  /** Called when it is over, with whether BEGIN was executed. */
  readonly #onOver: (begun: boolean) => void;

  constructor(begin: string, inner: Exchange, onOver: (begun: boolean) => void) {
    this.#begin = begin;
    this.#inner = inner;
    this.#onOver = onOver;
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
    this.#onEmpty = undefined;
    if (message.name === 'ErrorResponse') {
      this.#inner.on({ name: 'ErrorResponse', fields: this.#shifted(message.fields) }, line);
    } else if (this.#begun) {
      this.#inner.on(message, line);
    } else if (beginning.has(message.name)) {
      this.#begun = message.name === 'CommandComplete';
      if (this.#begun) this.#onEmpty = () => this.#inner.on({ name: 'EmptyQueryResponse' }, line);
    } else {
      throw new PgError('ERR_PG_PROTOCOL', `${message.name} in the answer to BEGIN`);
    }
  }

  /** A position in a simple query counts the prefix too. */
  #shifted(fields: NoticeFields): NoticeFields {
    const position = Number(fields.P) - this.#prefix.length;
    return this.#simple && position > 0 ? { ...fields, P: String(position) } : fields;
  }

  end(): void {
    this.#onEmpty?.();
    this.#inner.end();
    this.#onOver(this.#begun);
  }

  fail(error: Error): void {
    this.#inner.fail(error);
    this.#onOver(this.#begun);
  }
}
