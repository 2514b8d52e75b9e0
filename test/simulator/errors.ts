/** Errors that look like those of Node's sockets. */
import { constants } from 'node:os';
import { type Endpoint, formatEndpoint } from './address.js';

type SystemCode = keyof typeof constants.errno;

/** As Node makes them: `connect ECONNREFUSED 10.0.0.1:443`, with errno, code, syscall, address and port. */
export function systemError(code: SystemCode, syscall: string, endpoint?: Endpoint): NodeJS.ErrnoException {
  const place = endpoint === undefined ? '' : ` ${formatEndpoint(endpoint.address, endpoint.port)}`;
  const error = new Error(`${syscall} ${code}${place}`);
  return Object.assign(error, { errno: -constants.errno[code], code, syscall }, endpoint ?? {});
}

/** An error of Node itself, such as ERR_SERVER_NOT_RUNNING. */
export function nodeError(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
