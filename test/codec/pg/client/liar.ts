/** A server that answers as PostgreSQL does, but for one lie at one place in what it says after the login. */
import type { BackendMessage, FrontendMessage } from '../../../../src/codec/pg/index.js';
import { DataRow, PgClient, type PgClientOptions, PgMemory } from '../../../../src/codec/pg/index.js';
import { encoded, type Peer, ScriptedServer } from './scripted-server.js';

/**
 * `at`: before which of its messages after the login, from 0; where it has no more, the lie comes last.
 * `insert`: bytes that are no part of the answer. `cut`: only so many bytes of the message, and then no more.
 */
export type Lie =
  | { type: 'insert'; at: number; bytes: Buffer }
  | { type: 'drop'; at: number }
  | { type: 'repeat'; at: number }
  | { type: 'cut'; at: number; length: number; followedBy: 'end' | 'silence' };

export const INT4 = { tableOid: 0, column: 0, typeOid: 23, typeSize: 4, typeModifier: -1, format: 0 } as const;
export const ROWS: BackendMessage = { name: 'RowDescription', fields: [{ name: 'n', ...INT4 }] };
export const ROW: BackendMessage = DataRow.of(['1']);
export const COPY: { format: 0; columnFormats: 0[] } = { format: 0, columnFormats: [0] };

/** What it answers, message by message: every query gives one row, of one column. */
class Answers {
  #status: 'I' | 'T' = 'I';
  #copying = false;
  #statement = '';

  to(message: FrontendMessage): BackendMessage[] {
    switch (message.name) {
      case 'Query':
        return this.#toQuery(message.query);
      case 'Parse':
        this.#statement = message.query;
        return [{ name: 'ParseComplete' }];
      case 'Bind':
        return [{ name: 'BindComplete' }];
      case 'Describe':
        return [ROWS];
      case 'Execute':
        return this.#toStatement(this.#statement).filter(({ name }) => name !== 'RowDescription');
      case 'Close':
        return [{ name: 'CloseComplete' }];
      case 'Sync':
        return [this.#ready];
      case 'CopyDone':
        return this.#copying ? this.#endOfCopy : [];
      default:
        return [];
    }
  }

  get #ready(): BackendMessage {
    return { name: 'ReadyForQuery', status: this.#status };
  }

  get #endOfCopy(): BackendMessage[] {
    this.#copying = false;
    return [{ name: 'CommandComplete', tag: 'COPY 1' }, this.#ready];
  }

  #toQuery(text: string): BackendMessage[] {
    const answer = text.split('; ').flatMap((statement) => this.#toStatement(statement));
    return this.#copying ? answer : [...answer, this.#ready];
  }

  #toStatement(text: string): BackendMessage[] {
    const [command = ''] = text.split(' ');
    if (command === 'BEGIN') this.#status = 'T';
    if (command === 'COMMIT' || command === 'ROLLBACK') this.#status = 'I';
    if (text.endsWith('FROM STDIN')) {
      this.#copying = true;
      return [{ name: 'CopyInResponse', ...COPY }];
    }
    if (text.endsWith('TO STDOUT')) {
      const data: BackendMessage = { name: 'CopyData', data: Buffer.from('1\n') };
      const tag: BackendMessage = { name: 'CommandComplete', tag: 'COPY 1' };
      return [{ name: 'CopyOutResponse', ...COPY }, data, { name: 'CopyDone' }, tag];
    }
    if (command !== 'SELECT') return [{ name: 'CommandComplete', tag: command }];
    return [ROWS, ROW, { name: 'CommandComplete', tag: 'SELECT 1' }];
  }
}

/** Of one connection. */
class Teller {
  readonly #peer: Peer;
  readonly #lie: Lie | undefined;
  readonly #said: BackendMessage['name'][];
  #over = false;

  constructor(peer: Peer, lie: Lie | undefined, said: BackendMessage['name'][]) {
    this.#peer = peer;
    this.#lie = lie;
    this.#said = said;
    if (lie?.type === 'insert' && lie.at === 0) this.#peer.sendBytes(lie.bytes);
  }

  say(message: BackendMessage): void {
    const at = this.#said.push(message.name) - 1;
    if (this.#over) return;
    const lie = this.#lie;
    const bytes = encoded(message);
    if (lie?.type === 'insert' || lie?.at !== at) {
      this.#peer.sendBytes(bytes);
    } else if (lie.type === 'repeat') {
      this.#peer.sendBytes(Buffer.concat([bytes, bytes]));
    } else if (lie.type === 'cut') {
      this.#over = true;
      this.#peer.sendBytes(bytes.subarray(0, lie.length));
      if (lie.followedBy === 'end') this.#peer.end();
    }
    if (lie?.type === 'insert' && lie.at === at + 1) this.#peer.sendBytes(lie.bytes);
  }
}

/** One server for any number of lies: which it tells goes by the name of the database. */
export class Liar {
  readonly #server: ScriptedServer;
  readonly #lies = new Map<string, Lie | undefined>();
  readonly #said = new Map<string, BackendMessage['name'][]>();

  private constructor(server: ScriptedServer) {
    this.#server = server;
  }

  static async start(): Promise<Liar> {
    const liar: Liar = new Liar(await ScriptedServer.start((peer) => liar.#serve(peer)));
    return liar;
  }

  /** A client that is told `lie`; `said` grows by what the server says, or would have said. */
  open(lie: Lie | undefined, options: PgClientOptions = {}): { client: PgClient; said: BackendMessage['name'][] } {
    const dbname = `d${this.#lies.size}`;
    const said: BackendMessage['name'][] = [];
    this.#lies.set(dbname, lie);
    this.#said.set(dbname, said);
    const target = { host: '127.0.0.1', port: this.#server.port, user: 'u', dbname, sslmode: 'disable' as const };
    return { client: PgClient.open(target, { env: {}, memory: new PgMemory(), ...options }), said };
  }

  /** Resolves once the clients have ended all connections. */
  allClosed(): Promise<void> {
    return this.#server.allClosed();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #serve(peer: Peer): Promise<void> {
    const startup = await peer.receive();
    if (startup.name !== 'StartupMessage') return; // CancelRequest: never answered
    const dbname = startup.parameters.get('database') ?? '';
    const key: BackendMessage = { name: 'BackendKeyData', processId: 1, secretKey: Buffer.alloc(4) };
    peer.send({ name: 'AuthenticationOk' }, key, { name: 'ReadyForQuery', status: 'I' });
    const teller = new Teller(peer, this.#lies.get(dbname), this.#said.get(dbname) ?? []);
    const answers = new Answers();
    for (;;) {
      for (const message of answers.to(await peer.receive())) teller.say(message);
    }
  }
}
