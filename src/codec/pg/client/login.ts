/** From StartupMessage to the first ReadyForQuery ("Message Flow", "Start-up"). */
import type { Authenticator } from '../auth/authenticator.js';
import type { LoginGuess, LoginMethod } from '../auth/rules.js';
import { PgError, PgServerError } from '../errors.js';
import type { AuthenticationMessage, BackendMessage, NoticeFields, TransactionStatus } from '../messages.js';
import type { Line } from './line.js';

export interface LoginInput {
  line: Line;
  authenticator: Authenticator;
  /** Parameters of StartupMessage. */
  parameters: ReadonlyMap<string, string>;
  /** Protocol version to ask for, and the oldest to accept, whole Int32s. */
  version: number;
  minVersion: number;
  guess: LoginGuess | undefined;
  /** Called once when queries may be sent, right behind what has just been written. */
  onPipeline: () => void;
  onParameter: (parameter: string, value: string) => void;
  onNotice: (fields: NoticeFields) => void;
  /** AuthenticationOk came. */
  onAuthenticated: () => void;
}

export interface BackendKey {
  processId: number;
  secretKey: Buffer;
}

export type LoginOutcome =
  | { type: 'ready'; method: LoginMethod; status: TransactionStatus; key: BackendKey | undefined }
  /** The server wants something else than was sent ahead. It has executed nothing. */
  | { type: 'wrong-guess'; method: LoginMethod | undefined };

/** SQLSTATE protocol_violation: how servers and poolers refuse a message that they did not expect. */
const protocolViolation = '08P01';

/**
 * @throws PgServerError where the server refuses, PgError where this side does or the connection is lost, what the
 *   password function throws
 */
export async function logIn(input: LoginInput): Promise<LoginOutcome> {
  const method = await authenticate(input).catch((error: unknown) => {
    if (mayHaveDroppedTheGuess(input, error)) return wrongGuess;
    throw error;
  });
  if (typeof method === 'object') return method;
  input.line.loginDone();
  input.onAuthenticated();
  return untilReady(input, method);
}

export type WrongGuess = Extract<LoginOutcome, { type: 'wrong-guess' }>;

/** What it wants instead was not said. */
const wrongGuess: WrongGuess = { type: 'wrong-guess', method: undefined };

async function authenticate(input: LoginInput): Promise<LoginMethod | WrongGuess> {
  const { line, authenticator, parameters, version, guess } = input;
  const ahead = await line.whileOpen(authenticator.first(guess));
  line.write({ name: 'StartupMessage', version, parameters }, ...(ahead ? [ahead] : []));
  pipelineIfSafe(input);
  for (;;) {
    const message = await line.receive();
    if (message.name === 'ErrorResponse') return refused(authenticator, message.fields);
    if (!isAuthentication(message)) {
      takeAside(input, message);
      continue;
    }
    const step = await line.whileOpen(authenticator.on(message));
    if (step.step === 'wrong-guess') return { type: 'wrong-guess', method: step.method };
    if (step.step === 'send') line.write(step.message);
    pipelineIfSafe(input);
    if (step.step === 'done') return authenticator.method as LoginMethod;
  }
}

function pipelineIfSafe({ authenticator, onPipeline }: LoginInput): void {
  if (authenticator.mayPipelineQueries) onPipeline();
}

/** Where something was sent ahead, the server may have dropped us for that; with no query there is nothing to repeat. */
function mayHaveDroppedTheGuess({ authenticator }: LoginInput, error: unknown): boolean {
  if (authenticator.guessConfirmed || authenticator.mayPipelineQueries) return false;
  return error instanceof PgError && error.code === 'ERR_PG_CONNECTION_LOST';
}

/** Where something was sent ahead, the server may complain of that rather than of the user. */
function refused(authenticator: Authenticator, fields: NoticeFields): WrongGuess {
  const error = new PgServerError(fields);
  if (authenticator.guessConfirmed || error.code !== protocolViolation) throw error;
  return wrongGuess;
}

/** After AuthenticationOk: what the server tells of itself, and then that it is ready. */
async function untilReady(input: LoginInput, method: LoginMethod): Promise<LoginOutcome> {
  let key: BackendKey | undefined;
  for (;;) {
    const message = await input.line.receive();
    switch (message.name) {
      case 'ReadyForQuery':
        return { type: 'ready', method, status: message.status, key };
      case 'BackendKeyData':
        key = { processId: message.processId, secretKey: Buffer.from(message.secretKey) };
        break;
      case 'ErrorResponse':
        throw new PgServerError(message.fields);
      default:
        takeAside(input, message);
    }
  }
}

function takeAside(input: LoginInput, message: BackendMessage): void {
  switch (message.name) {
    case 'ParameterStatus':
      input.onParameter(message.parameter, message.value);
      return;
    case 'NoticeResponse':
      input.onNotice(message.fields);
      return;
    case 'NegotiateProtocolVersion':
      acceptVersion(input, message.version);
      return;
    case 'Unknown':
      return;
    default:
      throw new PgError('ERR_PG_PROTOCOL', `${message.name} during login`);
  }
}

/** The server is older than what was asked for. */
function acceptVersion({ version, minVersion }: LoginInput, offered: number): void {
  if (offered > version) throw new PgError('ERR_PG_PROTOCOL', 'the server negotiates a protocol newer than asked for');
  if (offered >= minVersion) return;
  const name = `${offered >>> 16}.${offered & 0xffff}`;
  throw new PgError('ERR_PG_PROTOCOL', `the server speaks protocol ${name} at most; see min_protocol_version`);
}

function isAuthentication(message: BackendMessage): message is AuthenticationMessage {
  return message.name.startsWith('Authentication');
}
