/**
 * Authentication from StartupMessage to AuthenticationOk as a state machine: the server's messages in, the answers out,
 * no socket. (PostgreSQL, "Message Flow", "Start-up"; libpq's `pg_fe_sendauth` and `check_expected_areq`.)
 *
 *                     first()                        on()
 *     StartupMessage  (the answer to a guess)  ->
 *                                              <-    AuthenticationSASL, ...CleartextPassword, ...MD5Password
 *     the answer, unless it has been sent      ->
 *                                              <-    AuthenticationSASLContinue
 *     SASLResponse    (first queries)          ->
 *                                              <-    AuthenticationSASLFinal, AuthenticationOk
 */
import { PgError } from '../errors.js';
import type { AuthenticationMessage, PasswordPhaseMessage } from '../messages.js';
import { md5Response } from './md5.js';
import {
  isScram,
  isVerified,
  type LoginGuess,
  type LoginMethod,
  type LoginRules,
  mayGuess,
  requestedMethod,
  requiredEndPointData,
  type ScramMethod,
} from './rules.js';
import type { SaltedPasswords } from './salted-passwords.js';
import { type ChannelBindingFlag, ScramClient } from './scram.js';
import type { ScramLimits } from './scram-messages.js';

/** A function is called at most once for a connection, and only if a password is needed: for tokens that expire. */
export type PgPassword = string | (() => string | Promise<string>);

export interface AuthenticatorOptions extends LoginRules {
  user: string;
  password: PgPassword | undefined;
  /** Whether a password may go in clear over a connection that is not encrypted. Over a Unix socket it may anyway. */
  allowCleartext: boolean;
  /** The server as the caller names it, "host:port": whose salted passwords these are. */
  serverKey: string;
  salted: SaltedPasswords;
  limits: ScramLimits;
}

/** What follows from a message of the server. */
export type AuthStep =
  /** The server expects this. */
  | { step: 'send'; message: PasswordPhaseMessage }
  /** Nothing is to be sent: the server has what it needs, and will say more. */
  | { step: 'wait' }
  /** The user is logged in, and the server has proved itself where the method has it do so. */
  | { step: 'done' }
  /**
   * Something else was sent ahead than the server asks for, so that it will end the connection: connect again, without
   * a guess. `method` is one that the rules allow.
   */
  | { step: 'wrong-guess'; method: LoginMethod };

type State =
  | { name: 'start'; ahead: Ahead | undefined }
  | { name: 'scram-first'; client: ScramClient }
  | { name: 'scram-final'; client: ScramClient }
  /** The password has been sent, and nothing but AuthenticationOk may follow. */
  | { name: 'answered' }
  | { name: 'server-proven' }
  | { name: 'done' }
  /** Under way to the next state, or failed on the way: no message may come. */
  | { name: 'between'; from: Exclude<State['name'], 'between'> };

/** The beginning of a method, and the state that it leads to once the server has asked for it. */
interface Beginning {
  message: PasswordPhaseMessage | undefined;
  next: State;
}

/** A method that was begun before the server asked. */
interface Ahead {
  guess: LoginGuess;
  next: State;
}

export class Authenticator {
  readonly #options: AuthenticatorOptions;
  #state: State = { name: 'start', ahead: undefined };
  #isGuessOpen = false;
  #method: LoginMethod | undefined;
  #password: Promise<string> | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** What the server has asked for, once it has: the habit to learn when the login has succeeded. */
  get method(): LoginMethod | undefined {
    return this.#method;
  }

  /**
   * Whether an ErrorResponse is the login's own: nothing was sent ahead, or the server's request has matched it.
   * Otherwise the guess may be what the server complains of.
   */
  get guessConfirmed(): boolean {
    return !this.#isGuessOpen;
  }

  /**
   * Whether queries may be sent now, right behind what `first` or `on` has just returned (or behind StartupMessage,
   * where the guess is `none`). A server that could be anyone gets no query before it has shown the SCRAM proof, or,
   * with methods that have none, before AuthenticationOk, as without speculation.
   *
   * | link               | channel_binding | guess none, password | SASLResponse    | password or MD5 answered |
   * | ------------------ | --------------- | -------------------- | --------------- | ------------------------ |
   * | TLS, verified      | disable, prefer | at once              | at once         | at once                  |
   * | TLS, verified      | require         | not guessed          | after the proof | refused                  |
   * | TLS, not verified  | disable, prefer | not guessed          | after the proof | after AuthenticationOk   |
   * | TLS, not verified  | require         | not guessed          | after the proof | refused                  |
   * | plain, Unix socket | disable, prefer | not guessed          | after the proof | after AuthenticationOk   |
   *
   * Never behind SASLInitialResponse: the server's next message decides what follows.
   */
  get mayPipelineQueries(): boolean {
    const state = this.#state;
    if (state.name === 'server-proven' || state.name === 'done') return true;
    const { link, channelBinding } = this.#options;
    if (!isVerified(link) || channelBinding === 'require') return false;
    if (state.name === 'start') return state.ahead?.guess === 'none' || state.ahead?.guess === 'password';
    return state.name === 'scram-final' || state.name === 'answered';
  }

  /**
   * What to send together with StartupMessage, if anything; called once, before `on`. A guess that the rules forbid
   * counts as none: see `mayGuess`. With `none` nothing is returned, and the caller sends its queries at once where
   * `mayPipelineQueries`; a caller that has none yet gives no guess.
   * @throws PgError ERR_PG_CHANNEL_BINDING where it is required and there is nothing to bind to;
   *   what `password` throws
   */
  async first(guess: LoginGuess | undefined): Promise<PasswordPhaseMessage | undefined> {
    if (this.#options.channelBinding === 'require') requiredEndPointData(this.#options);
    if (guess === undefined || !mayGuess(this.#options, guess, this.#hasPassword)) return undefined;
    const { message, next } = await this.#begin(guess);
    this.#isGuessOpen = true;
    this.#state = { name: 'start', ahead: { guess, next } };
    return message;
  }

  /**
   * Takes the server's next message; the one after it may come when this has resolved.
   * @throws PgError ERR_PG_AUTH_UNSUPPORTED, ERR_PG_CHANNEL_BINDING, ERR_PG_CLEARTEXT_REFUSED, ERR_PG_PASSWORD_REQUIRED,
   *   ERR_PG_PROTOCOL, ERR_PG_SCRAM, ERR_PG_SERVER_PROOF; what `password` throws. Then the connection must be closed.
   */
  async on(message: AuthenticationMessage): Promise<AuthStep> {
    const state = this.#state;
    if (state.name === 'between') throw unexpected(message, state.from);
    this.#state = { name: 'between', from: state.name };
    const [next, step] = await this.#transition(state, message);
    this.#state = next;
    return step;
  }

  async #transition(
    state: Exclude<State, { name: 'between' }>,
    message: AuthenticationMessage,
  ): Promise<[State, AuthStep]> {
    switch (state.name) {
      case 'start':
        return this.#requested(message, state.ahead);
      case 'scram-first': {
        if (message.name !== 'AuthenticationSASLContinue') break;
        const data = await state.client.continue(message.data);
        return [
          { name: 'scram-final', client: state.client },
          { step: 'send', message: { name: 'SASLResponse', data } },
        ];
      }
      case 'scram-final':
        if (message.name !== 'AuthenticationSASLFinal') break;
        state.client.verify(message.data);
        return [{ name: 'server-proven' }, { step: 'wait' }];
      case 'answered':
      case 'server-proven':
        if (message.name === 'AuthenticationOk') return [{ name: 'done' }, { step: 'done' }];
    }
    throw unexpected(message, state.name);
  }

  /** The server's first message says what it wants. */
  async #requested(message: AuthenticationMessage, ahead: Ahead | undefined): Promise<[State, AuthStep]> {
    const method = requestedMethod(this.#options, message);
    this.#method = method;
    this.#assertAnswerable(method);
    if (ahead && ahead.guess !== method) {
      // The server will end the connection: no message may follow.
      return [
        { name: 'between', from: 'start' },
        { step: 'wrong-guess', method },
      ];
    }
    this.#isGuessOpen = false;
    if (method === 'none') return [{ name: 'done' }, { step: 'done' }];
    if (ahead) return [ahead.next, { step: 'wait' }];
    const beginning = await this.#begin(method, message);
    return [beginning.next, beginning.message ? { step: 'send', message: beginning.message } : { step: 'wait' }];
  }

  /** What this side could not or must not answer, whatever the rules say of the method. */
  #assertAnswerable(method: LoginMethod): void {
    if (method === 'none') return;
    const { link, allowCleartext } = this.#options;
    if (method === 'password' && link.encryption === 'plain' && !allowCleartext) {
      throw new PgError('ERR_PG_CLEARTEXT_REFUSED', 'use sslmode=verify-full, or have the server ask for SCRAM');
    }
    if (!this.#hasPassword) throw new PgError('ERR_PG_PASSWORD_REQUIRED');
  }

  /** How `method` begins on this side. MD5 needs the salt of the server's request. */
  async #begin(method: LoginMethod, request?: AuthenticationMessage): Promise<Beginning> {
    if (method === 'none') return { message: undefined, next: { name: 'done' } };
    if (isScram(method)) return this.#beginScram(method);
    // A view of bytes that may be gone after the next await.
    const salt = request?.name === 'AuthenticationMD5Password' ? Buffer.from(request.salt) : undefined;
    const password = await this.#getPassword();
    const answer = salt ? md5Response({ user: this.#options.user, password, salt }) : password;
    return { message: { name: 'PasswordMessage', password: answer }, next: { name: 'answered' } };
  }

  #beginScram(method: ScramMethod): Beginning {
    const { user, serverKey, salted, limits } = this.#options;
    // A token is fetched while the server's salt is on its way; who needs it sees whether it failed.
    this.#getPassword().catch(() => {});
    const client = new ScramClient({
      password: () => this.#getPassword(),
      binding: this.#bindingFlag(method),
      account: { server: serverKey, user },
      salted,
      limits,
    });
    const { mechanism, clientFirst: data } = client;
    return { message: { name: 'SASLInitialResponse', mechanism, data }, next: { name: 'scram-first', client } };
  }

  /** libpq's `build_client_first_message`: 'y' on TLS even where the certificate has no hash. */
  #bindingFlag(method: ScramMethod): ChannelBindingFlag {
    if (method === 'scram-sha-256-plus') {
      return { type: 'tls-server-end-point', data: requiredEndPointData(this.#options) };
    }
    const { channelBinding, link } = this.#options;
    return { type: link.encryption === 'tls' && channelBinding !== 'disable' ? 'unused' : 'none' };
  }

  /** An empty one is none, as in libpq. */
  get #hasPassword(): boolean {
    return this.#options.password !== undefined && this.#options.password !== '';
  }

  #getPassword(): Promise<string> {
    this.#password ??= askPassword(this.#options.password);
    return this.#password;
  }
}

async function askPassword(password: PgPassword | undefined): Promise<string> {
  const text = typeof password === 'function' ? await password() : password;
  if (typeof text !== 'string' || text === '') throw new PgError('ERR_PG_PASSWORD_REQUIRED');
  if (text.includes('\0')) throw new PgError('ERR_PG_BAD_OPTION', 'the password contains a zero byte');
  return text;
}

function unexpected({ name }: AuthenticationMessage, state: State['name']): PgError {
  if (name === 'AuthenticationOk' && (state === 'scram-first' || state === 'scram-final')) {
    return new PgError('ERR_PG_SERVER_PROOF', 'AuthenticationOk came before its signature');
  }
  return new PgError('ERR_PG_PROTOCOL', `${name} at the wrong time`);
}
