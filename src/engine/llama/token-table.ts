import type { TokenTable } from '../token-table.ts';
import type { NativeModel } from './native.ts';
import { tokenReader } from './token-text.ts';

/** Milliseconds for the largest vocabularies: 2.5 µs a token. */
export function readTokenTable(model: NativeModel, vocabularySize: number): TokenTable {
  const { bytes, isControl } = tokenReader(model);
  const tokens = [...Array(vocabularySize).keys()];
  const each = tokens.map(bytes);
  let end = 0;
  return {
    bytes: Buffer.concat(each),
    ends: Uint32Array.from(each, ({ length }) => {
      end += length;
      return end;
    }),
    control: tokens.filter(isControl),
    endsGeneration: tokens.filter((token) => model.isEogToken(token)),
  };
}
