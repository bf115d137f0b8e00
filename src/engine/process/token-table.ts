import type { Vocabulary } from '../../native/vocabulary.ts';

/** Every token of a vocabulary, in a form that goes to another process in one piece. */
export interface TokenTable {
  /** The bytes of all tokens, one after the other. */
  readonly bytes: Uint8Array;
  /** Where the bytes of each token end. */
  readonly ends: Uint32Array;
  readonly control: readonly number[];
}

/** The bytes of one token; none of a number that is no token. */
export function bytesInTable({ bytes, ends }: TokenTable, token: number): Uint8Array {
  return bytes.subarray(ends[token - 1] ?? 0, ends[token] ?? 0);
}

/** Milliseconds for the largest vocabularies. */
export function readTokenTable(vocabulary: Vocabulary): TokenTable {
  const tokens = Array.from({ length: vocabulary.size }, (_, token) => token);
  const each = tokens.map((token) => vocabulary.bytes(token));
  let end = 0;
  return {
    bytes: Buffer.concat(each),
    ends: Uint32Array.from(each, ({ length }) => {
      end += length;
      return end;
    }),
    control: tokens.filter((token) => vocabulary.isControl(token)),
  };
}
