/** Frames of HTTP/2 as bytes, also such as no decent client sends. */

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 0x1;
export const endHeaders = 0x4;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** `length` may lie about the payload. */
export function frame(
  type: number,
  { flags = 0, stream = 0, payload = Buffer.alloc(0), length = payload.length }: FrameParts = {},
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export interface FrameParts {
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Buffer;
  readonly length?: number;
}

/** The first words of a good client; `windowBytes` is what the server may send on each stream before it hears more. */
export function greeting(windowBytes = 65_535): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(0x4, 0);
  setting.writeUInt32BE(windowBytes, 2);
  return Buffer.concat([preface, frame(frameTypes.settings, { payload: setting })]);
}

/** The headers of a gRPC call, as literals that need no table. */
export function callHeaders(path: string, more: Readonly<Record<string, string>> = {}): Buffer {
  const headers = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'localhost',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  };
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  );
}

/** A gRPC message with its five bytes in front, which may lie. */
export function grpcMessage(payload: Buffer, { length = payload.length, isCompressed = false } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(isCompressed ? 1 : 0, 0);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, payload]);
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([hpackInteger(bytes.length), bytes]);
}

/** With a prefix of seven bits (RFC 7541, 5.1). */
function hpackInteger(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
