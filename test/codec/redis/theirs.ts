/** The parsers inside @redis/client and ioredis. They are no public API of theirs: their files are loaded by path. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

interface TheirDecoder {
  write(chunk: Buffer): void;
}

interface TheirModule {
  Decoder: new (options: {
    onReply: (reply: unknown) => void;
    onErrorReply: (error: unknown) => void;
    onPush: (push: unknown) => void;
    getTypeMapping: () => object;
  }) => TheirDecoder;
  RESP_TYPES: Readonly<Record<string, number>>;
}

const modules = {
  '@redis/client': require('@redis/client/dist/lib/RESP/decoder.js') as TheirModule,
  ioredis: require('ioredis/built/resp/decoder.js') as TheirModule,
};

export type TheirName = keyof typeof modules;
export const theirNames = Object.keys(modules) as TheirName[];

/** Decodes with types as near to ours as they have them: Map, Set, and text for big numbers. */
export function decodeTheirs(name: TheirName, chunks: readonly Buffer[]): unknown[] {
  const { Decoder, RESP_TYPES } = modules[name];
  const replies: unknown[] = [];
  const take = (reply: unknown) => replies.push(reply);
  const mapping = { [RESP_TYPES.MAP as number]: Map, [RESP_TYPES.SET as number]: Set };
  const decoder = new Decoder({ onReply: take, onErrorReply: take, onPush: take, getTypeMapping: () => mapping });
  for (const chunk of chunks) decoder.write(chunk);
  return replies;
}
