/** What a client can be told before TLS begins: an alert, in the clear (RFC 8446, section 6). */

/** RFC 8446, section 6.2. */
export type TlsAlert = 'decode_error' | 'internal_error' | 'unrecognized_name' | 'no_application_protocol';

const DESCRIPTION: Readonly<Record<TlsAlert, number>> = {
  decode_error: 50,
  internal_error: 80,
  unrecognized_name: 112,
  no_application_protocol: 120,
};

const RECORD_ALERT = 21;
const LEVEL_FATAL = 2;

/** The record; its version is that of TLS 1.2, as in all records of TLS 1.3. */
export function encodeAlert(alert: TlsAlert): Buffer {
  return Buffer.from([RECORD_ALERT, 3, 3, 0, 2, LEVEL_FATAL, DESCRIPTION[alert]]);
}
