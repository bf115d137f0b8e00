/** Writes small GGUF files byte by byte, so that tests can also write wrong ones. */
export interface GgufParts {
  readonly magic?: string;
  readonly version?: number;
  readonly entries?: readonly Uint8Array[];
  readonly tensors?: readonly Uint8Array[];
  /** Instead of the true numbers. */
  readonly tensorCount?: bigint;
  readonly entryCount?: bigint;
  /** Bytes of weights behind the header, which is padded to 32. */
  readonly weights?: number;
}

export function ggufBytes(parts: GgufParts = {}): Uint8Array {
  const { magic = 'GGUF', version = 3, entries = [], tensors = [], weights = 0 } = parts;
  const header = join([
    text(magic),
    uint32(version),
    uint64(parts.tensorCount ?? BigInt(tensors.length)),
    uint64(parts.entryCount ?? BigInt(entries.length)),
    ...entries,
    ...tensors,
  ]);
  return join([header, new Uint8Array(weights === 0 ? 0 : ((32 - (header.length % 32)) % 32) + weights)]);
}

export function entry(key: string, type: number, value: Uint8Array): Uint8Array {
  return join([string(key), uint32(type), value]);
}

export const stringEntry = (key: string, value: string) => entry(key, 8, string(value));
export const numberEntry = (key: string, value: number) => entry(key, 4, uint32(value));
export const floatEntry = (key: string, value: number) =>
  entry(key, 6, new Uint8Array(new Float32Array([value]).buffer));

export function array(type: number, values: readonly Uint8Array[], length = BigInt(values.length)): Uint8Array {
  return join([uint32(type), uint64(length), ...values]);
}

export function tensor(name: string, shape: readonly bigint[], type: number, offset: bigint): Uint8Array {
  return join([string(name), uint32(shape.length), ...shape.map(uint64), uint32(type), uint64(offset)]);
}

export function string(value: string, length?: bigint): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return join([uint64(length ?? BigInt(bytes.length)), bytes]);
}

export function uint32(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

export function uint64(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
