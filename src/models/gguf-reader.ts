import { ServeError } from '../contract/errors.ts';

/** The header goes on behind the bytes at hand: read at least `until` bytes of the file and start again. */
export class MoreBytesNeeded extends Error {
  readonly until: number;
  constructor(until: number) {
    super(`the header needs ${until} bytes`);
    this.until = until;
  }
}

/**
 * Reads little-endian GGUF values from the beginning of a file. Every length is checked against the file's size before
 * anything is allocated or skipped, so no header can make it allocate or loop beyond that size.
 */
export class GgufReader {
  private readonly view: DataView;
  private readonly bytes: Uint8Array;
  private readonly fileSize: number;
  offset = 0;

  constructor(bytes: Uint8Array, fileSize: number) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.fileSize = fileSize;
  }

  /** Moves on by so many bytes and gives where they begin. */
  take(size: number): number {
    const start = this.offset;
    this.require(size);
    this.offset += size;
    return start;
  }

  /** Refuses a count of things that cannot fit the rest of the file. */
  countOf(what: string, count: number, bytesEach: number): number {
    if (count * bytesEach > this.fileSize - this.offset) {
      throw damaged(`it announces ${count} ${what}, more than fit its ${this.fileSize} bytes`);
    }
    return count;
  }

  uint32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  /** Exact up to 2^53; larger ones are only compared with limits, where rounding does not matter. */
  uint64(): number {
    const start = this.take(8);
    return this.view.getUint32(start, true) + this.view.getUint32(start + 4, true) * 2 ** 32;
  }

  string(): string {
    const length = this.stringLength();
    const start = this.take(length);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  /** Vocabularies have hundreds of thousands: no call for each of them. */
  skipStrings(count: number): void {
    const { view, bytes } = this;
    let left = count;
    for (let at = this.offset; left > 0 && at + 8 <= bytes.byteLength; left--) {
      at += 8 + view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
      if (at > bytes.byteLength) break;
      this.offset = at;
    }
    // Where the bytes at hand or the file end is said by the slow way.
    for (; left > 0; left--) this.take(this.stringLength());
  }

  scalar(type: number): number | boolean | string {
    const kind = scalarKinds[type];
    if (!kind) throw damaged(`it holds a value of the unknown type ${type}`);
    return kind.read(this.view, this.take(kind.bytes));
  }

  private stringLength(): number {
    return this.countOf('letters in one text', this.uint64(), 1);
  }

  private require(size: number): void {
    const end = this.offset + size;
    if (end > this.fileSize) throw damaged('it ends in the middle of its header');
    if (end > this.bytes.byteLength) throw new MoreBytesNeeded(end);
  }
}

export const stringType = 8;
export const arrayType = 9;

interface ScalarKind {
  readonly bytes: number;
  read(view: DataView, at: number): number | boolean | string;
}

/** 64-bit numbers beyond 2^53 become their decimal text, as JSON could not hold them. */
const whole = (value: bigint): number | string =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);

const scalarKinds: Readonly<Record<number, ScalarKind>> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, read: (view, at) => whole(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => whole(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** Bytes of one value of this type at least; undefined for what is no GGUF type. */
export function leastBytes(type: number): number | undefined {
  return type === stringType ? 8 : scalarKinds[type]?.bytes;
}

export function damaged(reason: string): ServeError {
  return new ServeError('invalid_request', `This GGUF file is damaged: ${reason}. Download it again.`);
}
