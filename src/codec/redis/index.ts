/**
 * Redis's protocol (RESP2 and RESP3) in both directions, and a client. Nothing here knows what it runs on: bytes go in and
 * come out.
 *
 *     client   RequestEncoder ─► … ─► RequestDecoder   server
 *              ReplyDecoder   ◄─ … ◄─ ReplyEncoder
 */
export type { CallOptions } from './client/call.js';
export type { Command } from './client/exchange.js';
export type { LinkState } from './client/link.js';
export type { Password, RedisClientOptions, Speculation } from './client/options.js';
export { type ConnectOptions, RedisClient } from './client/redis-client.js';
export type { Message, SubscribeOptions } from './client/subscriptions.js';
export { RedisError, type RedisErrorCode, RedisServerError, redisErrorTexts } from './errors.js';
export { defaultRedisLimits, type RedisLimits } from './limits.js';
export { ReplyDecoder, type ReplyDecoderOptions } from './reply-decoder.js';
export { ReplyEncoder, type ReplyEncoderOptions } from './reply-encoder.js';
export { RequestDecoder, type RequestDecoderOptions } from './request-decoder.js';
export { type Argument, encodeCommand, RequestEncoder } from './request-encoder.js';
export { type Blobs, Push, type Reply } from './values.js';
