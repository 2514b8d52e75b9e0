/** Replies as redis-cli writes them on a terminal; only that strings other than OK are quoted, of whichever kind they are. */
import { RedisServerError, type Reply } from 'turbotls/redis';

export function formatReply(reply: Reply): string {
  if (reply === null) return '(nil)';
  if (reply === 'OK') return reply;
  if (typeof reply === 'string') return JSON.stringify(reply);
  if (typeof reply === 'boolean') return `(${reply})`;
  if (typeof reply === 'bigint') return `(integer) ${reply}`;
  if (typeof reply === 'number') return `(${Number.isInteger(reply) ? 'integer' : 'double'}) ${reply}`;
  if (reply instanceof RedisServerError) return `(error) ${reply.message}`;
  if (reply instanceof Map) return lines([...reply].map(pairText), '#', '(empty hash)');
  if (reply instanceof Set) return lines([...reply].map(formatReply), '~', '(empty set)');
  if (Array.isArray(reply)) return lines(reply.map(formatReply), ')', '(empty array)');
  return JSON.stringify(reply.toString());
}

function pairText([key, value]: [Reply, Reply]): string {
  const name = `${formatReply(key)} => `;
  return name + indented(formatReply(value), name.length);
}

function lines(texts: readonly string[], mark: string, empty: string): string {
  const width = String(texts.length).length;
  const numbered = texts.map((text, at) => {
    const head = `${String(at + 1).padStart(width)}${mark} `;
    return head + indented(text, head.length);
  });
  return numbered.join('\n') || empty;
}

/** All lines but the first. */
function indented(text: string, by: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(by)}`);
}
