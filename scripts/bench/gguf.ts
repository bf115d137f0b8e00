import { closeSync, openSync, writeSync } from 'node:fs';

/**
 * As much of the GGUF format (version 3, little endian) as it takes to write a model and to carry metadata over from
 * another file. Layout: header, metadata entries, tensor descriptions, then the tensors' data, aligned to 32 bytes.
 */
const alignment = 32;

/** Tensor types by their number in ggml. */
const tensorTypes = { F32: 0, F16: 1, Q4_0: 2, Q8_0: 8 } as const;
export type TensorType = keyof typeof tensorTypes;

/** Bytes and values of a quantized block. */
export const blocks = {
  F32: { bytes: 4, values: 1 },
  F16: { bytes: 2, values: 1 },
  Q4_0: { bytes: 18, values: 32 },
  Q8_0: { bytes: 34, values: 32 },
} as const satisfies Record<TensorType, { bytes: number; values: number }>;

export interface Tensor {
  readonly name: string;
  /** Fastest dimension first: [inputs, outputs] for a matrix. */
  readonly shape: readonly number[];
  readonly type: TensorType;
  /** Called once, when the tensor's turn to be written has come. */
  readonly data: () => Uint8Array;
}

/** One metadata entry as it stands in a file: key, type and value. */
export type RawEntry = Uint8Array;

const valueTypes = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9 } as const;

type ValueType = Exclude<keyof typeof valueTypes, 'array'>;
type Value = string | number | boolean;

export function entry(key: string, type: ValueType, value: Value): RawEntry {
  return Buffer.concat([text(key), uint32(valueTypes[type]), bytesOf(type, value)]);
}

export function listEntry(key: string, type: ValueType, values: readonly Value[]): RawEntry {
  const head = [text(key), uint32(valueTypes.array), uint32(valueTypes[type]), uint64(values.length)];
  return Buffer.concat([...head, ...values.map((value) => bytesOf(type, value))]);
}

/** The same list with more values at its end. */
export function extended(list: RawEntry, type: ValueType, values: readonly Value[]): RawEntry {
  const bytes = Buffer.from(list);
  const countAt = 8 + Number(bytes.readBigUInt64LE(0)) + 4 + 4;
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE(countAt) + BigInt(values.length), countAt);
  return Buffer.concat([bytes, ...values.map((value) => bytesOf(type, value))]);
}

function bytesOf(type: ValueType, value: Value): Buffer {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
  if (type === 'uint32') return uint32(value);
  const bytes = Buffer.alloc(4);
  if (type === 'int32') bytes.writeInt32LE(value);
  else bytes.writeFloatLE(value);
  return bytes;
}

/** Metadata of a GGUF file by key, each entry in the bytes that it takes there. */
export function readEntries(file: Buffer): Map<string, RawEntry> {
  if (file.toString('latin1', 0, 4) !== 'GGUF') throw new Error('Not a GGUF file.');
  const reader = new EntryReader(file, 8 + 8);
  const count = reader.uint64();
  const entries = new Map<string, RawEntry>();
  for (let read = 0; read < count; read += 1) {
    const start = reader.at;
    const key = reader.text();
    reader.skipValue(reader.uint32());
    entries.set(key, file.subarray(start, reader.at));
  }
  return entries;
}

const fixedSizes: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

class EntryReader {
  at: number;
  readonly #file: Buffer;

  constructor(file: Buffer, at: number) {
    this.#file = file;
    this.at = at;
  }

  uint32(): number {
    this.at += 4;
    return this.#file.readUInt32LE(this.at - 4);
  }

  uint64(): number {
    this.at += 8;
    return Number(this.#file.readBigUInt64LE(this.at - 8));
  }

  text(): string {
    const length = this.uint64();
    this.at += length;
    return this.#file.toString('utf8', this.at - length, this.at);
  }

  skipValue(type: number): void {
    if (type === 8) {
      this.text();
    } else if (type === 9) {
      const inner = this.uint32();
      const count = this.uint64();
      for (let index = 0; index < count; index += 1) this.skipValue(inner);
    } else {
      const size = fixedSizes[type];
      if (size === undefined) throw new Error(`Unknown metadata type ${type} at byte ${this.at}.`);
      this.at += size;
    }
  }
}

export function writeGguf(path: string, entries: readonly RawEntry[], tensors: readonly Tensor[]): void {
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(3),
    uint64(tensors.length),
    uint64(entries.length),
    ...entries,
    ...describe(tensors),
  ]);
  const file = openSync(path, 'w');
  try {
    writeSync(file, padded(head));
    for (const tensor of tensors) writeSync(file, padded(tensor.data()));
  } finally {
    closeSync(file);
  }
}

function describe(tensors: readonly Tensor[]): Buffer[] {
  let offset = 0;
  return tensors.map(({ name, shape, type }) => {
    const description = [
      text(name),
      uint32(shape.length),
      ...shape.map(uint64),
      uint32(tensorTypes[type]),
      uint64(offset),
    ];
    offset += Math.ceil(sizeOf(shape, type) / alignment) * alignment;
    return Buffer.concat(description);
  });
}

export function sizeOf(shape: readonly number[], type: TensorType): number {
  const values = shape.reduce((product, size) => product * size, 1);
  return (values / blocks[type].values) * blocks[type].bytes;
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % alignment;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(alignment - rest)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint64(bytes.length), bytes]);
}
