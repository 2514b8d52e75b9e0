/**
 * How a connection is logged in to: what is said first, and what the answers lead to. It sends and takes replies through
 * its session, and touches nothing else.
 *
 *     first flight   HELLO 3 AUTH …, [SUBSCRIBE guard], CLIENT SETINFO, [SELECT]      commands may follow at once
 *       HELLO is not known, or not with 3 ─► second flight   [UNSUBSCRIBE guard], AUTH …, [SELECT]
 *     first flight with protocol 2   AUTH …, CLIENT SETINFO, [SELECT]
 *
 * See `Speculation` in `options.ts` for when commands follow at once, and why.
 */
import { randomUUID } from 'node:crypto';
import { RedisServerError } from '../errors.js';
import type { Push, Reply } from '../values.js';
import type { Command, Exchange } from './exchange.js';
import { DEFAULT_USER, type RedisConfig } from './options.js';

export const LIBRARY_NAME = 'turbotls';
/** As in package.json; a test compares them. */
export const LIBRARY_VERSION = '0.1.0';

export type LoginResult =
  | { readonly kind: 'accepted'; readonly protocol: 2 | 3 }
  /** The server does not let this client in. */
  | { readonly kind: 'refused'; readonly error: RedisServerError }
  /** It lets nobody in now, and has read nothing. */
  | { readonly kind: 'turned away'; readonly error: RedisServerError };

export interface LoginHost {
  send(exchange: Exchange): void;
  /** Commands that followed at once have surely not been executed: all of them, or those answered with NOAUTH. */
  onSecondFlight(notExecuted: 'all' | 'NOAUTH'): void;
  onResult(result: LoginResult): void;
}

/** A user and its password for this connection. */
export interface Secret {
  username: string;
  password: string;
}

type LoginConfig = Pick<RedisConfig, 'protocol' | 'db' | 'clientName' | 'speculate'>;

export class Login {
  readonly #config: LoginConfig;
  readonly #secret: Secret | undefined;
  readonly #host: LoginHost;
  /** The channel that is subscribed to ahead of commands; see `Speculation`. Nobody else knows it. */
  readonly #guard: string | undefined;
  #guarded = false;
  #hello: Reply = null;
  #auth: Reply = null;
  #select: Reply = null;
  #over = false;

  constructor(config: LoginConfig, secret: Secret | undefined, host: LoginHost) {
    this.#config = config;
    this.#secret = secret;
    this.#host = host;
    const needsGuard = config.protocol === 3 && this.#speculates && this.#isNamed;
    this.#guard = needsGuard ? `turbotls:login:${randomUUID()}` : undefined;
  }

  /**
   * Sends the first flight.
   * @returns whether commands may follow at once
   */
  start(): boolean {
    const { protocol } = this.#config;
    if (protocol === 3) {
      this.#fly([this.#helloStep(), ...this.#guardSteps(), ...this.#setInfo(), ...this.#selectStep()], () =>
        this.#onFirstFlight(),
      );
    } else {
      const steps = [...this.#authStep(), ...this.#selectStep()];
      this.#fly([...steps, ...this.#setInfo(), ...this.#setName()], () => this.#onAuthenticated());
    }
    return this.#speculates;
  }

  /** Another user than `default`, whose rights a connection has until the login succeeds. */
  get #isNamed(): boolean {
    return this.#secret !== undefined && this.#secret.username !== DEFAULT_USER;
  }

  get #speculates(): boolean {
    const { speculate, db, protocol } = this.#config;
    if (speculate !== 'guarded') return speculate === 'always';
    return db === 0 && (protocol === 3 || !this.#isNamed);
  }

  // Steps

  #helloStep(): LoginStep {
    const { clientName } = this.#config;
    const auth = this.#secret ? ['AUTH', this.#secret.username, this.#secret.password] : [];
    const name = clientName === undefined ? [] : ['SETNAME', clientName];
    return new LoginStep(['HELLO', 3, ...auth, ...name], (reply) => {
      this.#hello = reply;
      if (reply instanceof RedisServerError) this.#onHelloError(reply);
    });
  }

  #guardSteps(): LoginStep[] {
    const guard = this.#guard;
    if (guard === undefined) return [];
    return [
      new LoginStep(
        ['SUBSCRIBE', guard],
        (reply) => {
          this.#guarded = !(reply instanceof RedisServerError);
        },
        'subscribe',
      ),
    ];
  }

  #endGuardSteps(): LoginStep[] {
    if (this.#guard === undefined || !this.#guarded) return [];
    return [new LoginStep(['UNSUBSCRIBE', this.#guard], () => {}, 'unsubscribe')];
  }

  #authStep(): LoginStep[] {
    if (!this.#secret) return [];
    const { username, password } = this.#secret;
    // The form with one argument is known to servers before Redis 6 too.
    const command = this.#isNamed ? ['AUTH', username, password] : ['AUTH', password];
    const onReply = (reply: Reply) => {
      this.#auth = reply;
    };
    return [new LoginStep(command, onReply)];
  }

  #selectStep(): LoginStep[] {
    const { db } = this.#config;
    if (db === 0) return [];
    const onReply = (reply: Reply) => {
      this.#select = reply;
    };
    return [new LoginStep(['SELECT', db], onReply)];
  }

  /** Known from Redis 7.2 on; whatever the answer, nothing depends on it. */
  #setInfo(): LoginStep[] {
    return [
      new LoginStep(['CLIENT', 'SETINFO', 'LIB-NAME', LIBRARY_NAME]),
      new LoginStep(['CLIENT', 'SETINFO', 'LIB-VER', LIBRARY_VERSION]),
    ];
  }

  #setName(): LoginStep[] {
    const { clientName } = this.#config;
    return clientName === undefined ? [] : [new LoginStep(['CLIENT', 'SETNAME', clientName])];
  }

  // Answers

  /** What needs no second flight to be known. */
  #onHelloError(error: RedisServerError): void {
    if (/^ERR max number of clients/.test(error.message)) this.#end({ kind: 'turned away', error });
    else if (!isNotSpoken(error)) this.#end({ kind: 'refused', error });
  }

  #onFirstFlight(): void {
    if (!(this.#hello instanceof RedisServerError)) {
      for (const step of this.#endGuardSteps()) this.#host.send(step);
      this.#onSelected(3);
    } else if (this.#secret) {
      this.#host.onSecondFlight(this.#guarded ? 'all' : 'NOAUTH');
      this.#fly([...this.#endGuardSteps(), ...this.#authStep(), ...this.#selectStep(), ...this.#setName()], () =>
        this.#onAuthenticated(),
      );
    } else {
      for (const step of this.#setName()) this.#host.send(step);
      this.#onSelected(2);
    }
  }

  #onAuthenticated(): void {
    const reply = this.#auth;
    if (reply instanceof RedisServerError && (this.#isNamed || !isNoPasswordNeeded(reply))) {
      this.#end({ kind: 'refused', error: reply });
    } else {
      this.#onSelected(2);
    }
  }

  #onSelected(protocol: 2 | 3): void {
    const reply = this.#select;
    if (reply instanceof RedisServerError) this.#end({ kind: 'refused', error: reply });
    else this.#end({ kind: 'accepted', protocol });
  }

  #fly(steps: readonly LoginStep[], onLanded: () => void): void {
    let due = steps.length;
    for (const step of steps) {
      step.onTaken = () => {
        if (--due === 0 && !this.#over) onLanded();
      };
      this.#host.send(step);
    }
  }

  #end(result: LoginResult): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.onResult(result);
  }
}

/** One command of a login. */
class LoginStep implements Exchange {
  readonly commands: readonly Command[];
  readonly blobs = 'string';
  onTaken: () => void = () => {};
  readonly #onReply: (reply: Reply) => void;
  readonly #answer: 'subscribe' | 'unsubscribe' | undefined;

  /** @param answer the push that is the reply to it, where one is */
  constructor(command: Command, onReply: (reply: Reply) => void = () => {}, answer?: 'subscribe' | 'unsubscribe') {
    this.commands = [command];
    this.#onReply = onReply;
    this.#answer = answer;
  }

  take(reply: Reply): void {
    this.#onReply(reply);
    this.onTaken();
  }

  isAnsweredBy({ kind, data }: Push): boolean {
    return kind === this.#answer && String(data[0]) === this.commands[0]?.[1];
  }

  fail(): void {}
}

/** HELLO, or its version 3, is not known: Redis before 6.0, proxies, HELLO renamed. */
function isNotSpoken({ code }: RedisServerError): boolean {
  return code === 'NOPROTO' || code === 'ERR';
}

/** The server has no password, so that there is nothing to log in to: redis-cli goes on too. */
function isNoPasswordNeeded({ message }: RedisServerError): boolean {
  return /no password is set|without any password configured/.test(message);
}
