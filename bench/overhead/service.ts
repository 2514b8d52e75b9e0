/** What the server does for a client, and how it is told. */

/**
 * `answer`: to each stretch of so many bytes, as many. `sink`: swallows so many bytes, then says one.
 * `source`: sends so many bytes.
 */
export const services = ['answer', 'sink', 'source'] as const;
export type Service = (typeof services)[number];

/** The service, one byte, and its number of bytes, four. */
export const ORDER_BYTES = 5;
/** Of bulk data. */
export const WRITE_BYTES = 64 * 1024;

export interface Order {
  service: Service;
  bytes: number;
}

export function writeOrder({ service, bytes }: Order): Buffer {
  const order = Buffer.of(services.indexOf(service), 0, 0, 0, 0);
  order.writeUInt32BE(bytes, 1);
  return order;
}

export function readOrder(chunk: Buffer): Order {
  const service = services[chunk[0] as number];
  if (service === undefined || chunk.length < ORDER_BYTES) throw new Error(`no order: ${chunk.toString('hex')}`);
  return { service, bytes: chunk.readUInt32BE(1) };
}
