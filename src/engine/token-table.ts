/** Every token of a vocabulary, in a form that goes to another process in one piece. */
export interface TokenTable {
  /** The bytes of all tokens, one after the other. */
  readonly bytes: Uint8Array;
  /** Where the bytes of each token end. */
  readonly ends: Uint32Array;
  readonly control: readonly number[];
  readonly endsGeneration: readonly number[];
}

/** The bytes of one token; none of a number that is no token. */
export function bytesInTable({ bytes, ends }: TokenTable, token: number): Uint8Array {
  return bytes.subarray(ends[token - 1] ?? 0, ends[token] ?? 0);
}
