/**
 * ClientHellos by hand, independent of the shipped reader, able to write what no TLS library would: extensions twice,
 * lengths that lie, records of one byte. (RFC 8446, sections 4.1.2 and 5.1.)
 */

export function uint8(value: number): Buffer {
  return Buffer.from([value]);
}

export function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function uint24(value: number): Buffer {
  return Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
}

/** Bytes behind their length, which may be told wrong. */
export function vector8(bytes: Buffer, length = bytes.length): Buffer {
  return Buffer.concat([uint8(length), bytes]);
}

export function vector16(bytes: Buffer, length = bytes.length): Buffer {
  return Buffer.concat([uint16(length), bytes]);
}

export function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint16(type), vector16(body)]);
}

export function serverName(name: string | Buffer, type = 0): Buffer {
  return extension(0, vector16(Buffer.concat([uint8(type), vector16(Buffer.from(name))])));
}

export function alpn(...names: string[]): Buffer {
  return extension(16, vector16(Buffer.concat(names.map((name) => vector8(Buffer.from(name, 'latin1'))))));
}

export function supportedVersions(...versions: number[]): Buffer {
  return extension(43, vector8(Buffer.concat(versions.map(uint16))));
}

export interface HelloFields {
  legacyVersion?: number;
  sessionId?: Buffer;
  cipherSuites?: Buffer;
  compressionMethods?: Buffer;
  /** Undefined: not even their length. */
  extensions?: Buffer[] | undefined;
  /** Behind the extensions. */
  rest?: Buffer;
}

/** The handshake message, with its header. */
export function helloMessage(fields: HelloFields = {}): Buffer {
  const {
    legacyVersion = 0x0303,
    sessionId = Buffer.alloc(32, 7),
    cipherSuites = Buffer.from('13011302', 'hex'),
  } = fields;
  const { compressionMethods = uint8(0), rest = Buffer.alloc(0) } = fields;
  const extensions = 'extensions' in fields ? fields.extensions : [];
  return handshake(
    1,
    Buffer.concat([
      uint16(legacyVersion),
      Buffer.alloc(32, 0xaa),
      vector8(sessionId),
      vector16(cipherSuites),
      vector8(compressionMethods),
      ...(extensions ? [vector16(Buffer.concat(extensions))] : []),
      rest,
    ]),
  );
}

export function handshake(type: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([uint8(type), uint24(length), body]);
}

/** One record; its length may be told wrong. */
export function record(fragment: Buffer, { type = 22, version = 0x0301, length = fragment.length } = {}): Buffer {
  return Buffer.concat([uint8(type), uint16(version), uint16(length), fragment]);
}

/** The message in records, each of the next of these lengths, the last length for all that is left. */
export function records(message: Buffer, ...lengths: number[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, index = 0; at < message.length; index++) {
    const length = lengths[Math.min(index, lengths.length - 1)] ?? message.length;
    parts.push(record(message.subarray(at, at + length)));
    at += length;
  }
  return Buffer.concat(parts);
}

/** A ClientHello in one record. */
export function hello(...extensions: Buffer[]): Buffer {
  return record(helloMessage({ extensions }));
}
