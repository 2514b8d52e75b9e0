/** Every error that the gateway and the local proxy raise themselves, one stable code per failure. */
import { CodedError, type CodedErrorOptions } from '../coded-error.js';

/** What happened, by code. The text is the start of the message; details follow it. */
export const gatewayErrorTexts = {
  ERR_GATEWAY_CONFIG: 'The configuration cannot be used',
  ERR_GATEWAY_STATE: 'The gateway is not in a state that allows this call',
  ERR_GATEWAY_LISTEN: 'An address cannot be listened on',
  ERR_GATEWAY_CERTIFICATE: 'A certificate or its key cannot be used',
  ERR_GATEWAY_TICKET_SEED: 'There is no place for what session tickets of the workers are made of',
  ERR_GATEWAY_TLS_REQUIRED: 'The client spoke without TLS where TLS is mandatory',
  ERR_GATEWAY_LIMIT: 'As many connections are open as may be',
  ERR_GATEWAY_TIMEOUT: 'The client did not say in time what is needed',
  ERR_GATEWAY_CLIENT_CERTIFICATE: 'The client shows no certificate that is trusted here',
  ERR_GATEWAY_CLIENT_GONE: 'The client left before it was served',
  ERR_GATEWAY_CLOSED: 'The gateway is closed',
  ERR_GATEWAY_PROXY_PROTOCOL: 'The local proxy does not carry what the client speaks',
  ERR_GATEWAY_BACKEND: 'None of the backends could be connected to',
  ERR_GATEWAY_BACKEND_TIMEOUT: 'The backend was not ready within its connect timeout',
  ERR_GATEWAY_UNREACHABLE: 'No remote could be connected to',
  ERR_GATEWAY_REMOTE: 'The remote did not go on after it was connected to',
} as const;

export type GatewayErrorCode = keyof typeof gatewayErrorTexts;

export class GatewayError extends CodedError<GatewayErrorCode> {
  override readonly name: string = 'GatewayError';

  /** @param detail what is particular to this case, and what to do; no secrets. */
  constructor(code: GatewayErrorCode, detail?: string, options?: CodedErrorOptions) {
    super(code, gatewayErrorTexts[code], detail, options);
  }
}
