/** Limits of the gateway that are not for setting, each with its unit and its reason. */

const SECOND = 1000;

/** How long the last words to a client (an alert, an ErrorResponse) have to arrive, ms. */
export const LINGER_MS = 1 * SECOND;

/** Silence after which TCP asks whether the client is still there, ms. */
export const KEEP_ALIVE_MS = 30 * SECOND;

/**
 * The part of a route's connections that sessions over UDP may hold at its backend before TCP claims them: their
 * addresses can be forged, and a flood of them must leave the backend to those who are there. The others wait for TCP.
 */
export const EARLY_SHARE = 1 / 4;

/** Cancel keys remembered: more than there are connections would be of no use. */
export const CANCEL_KEYS = 65_536;
/** CancelRequests that are on their way to backends at once. */
export const CANCELS_AT_ONCE = 64;
/** CancelRequests passed on per second, by all workers; as many at once after a quiet second. A key of 32 bits must not be guessed. */
export const CANCELS_PER_SECOND = 100;
/** Backends that are asked about a key that the gateway has not seen. */
export const CANCEL_TARGETS = 64;
/** How long a backend may take for a CancelRequest, ms. */
export const CANCEL_TIMEOUT_MS = 10 * SECOND;
