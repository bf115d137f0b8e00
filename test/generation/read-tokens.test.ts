import { describe, expect, it } from 'vitest';
import { mediaIds } from '../../src/engine/media-ids.ts';
import { withReadTokens } from '../../src/generation/read-tokens.ts';

/** Tokens by their spelling; `<` begins a control token. */
const spellings: string[] = [];
const text = {
  bytes: (token: number) => new TextEncoder().encode(spellings[token]),
  isControl: (token: number) => spellings[token]?.startsWith('<') ?? false,
};
function token(spelling: string): number {
  const known = spellings.indexOf(spelling);
  return known < 0 ? spellings.push(spelling) - 1 : known;
}
const tokens = (...pieces: string[]) => pieces.map(token);
const spell = (prompt: readonly number[]) => prompt.map((each) => spellings[each] ?? '?');
const withRead = (prompt: number[], read: number[]) => spell(withReadTokens(prompt, read, text));

describe('a prompt behind what was read', () => {
  it('begins with the tokens that were read, where a tokenizer would cut the same text otherwise', () => {
    expect(withRead(tokens('<s>', 'hello', ' world', '<e>', 'x'), tokens('<s>', 'he', 'llo', ' wor', 'ld'))).toEqual([
      '<s>',
      'he',
      'llo',
      ' wor',
      'ld',
      '<e>',
      'x',
    ]);
    expect(withRead(tokens('a', 'b', 'c', 'd'), tokens('abc'))).toEqual(['abc', 'd']);
  });

  it('goes back to the last seam that both have where the text behind it is joined', () => {
    expect(withRead(tokens('a', 'b>\n', 'c'), tokens('a', 'b', '>'))).toEqual(['a', 'b>\n', 'c']);
    expect(withRead(tokens('ab', '>\n', 'c'), tokens('a', 'b', '>'))).toEqual(['a', 'b', '>\n', 'c']);
  });

  it('goes its own way from the first difference on', () => {
    expect(withRead(tokens('ab', 'cd', 'e'), tokens('a', 'b', 'x', 'e'))).toEqual(['a', 'b', 'cd', 'e']);
    expect(withRead(tokens('x'), tokens('a', 'b'))).toEqual(['x']);
    expect(withRead(tokens('a'), tokens('a', 'b'))).toEqual(['a']);
    expect(withRead(tokens('a'), [])).toEqual(['a']);
  });

  it('takes no control token for text that spells it, nor text for a control token', () => {
    expect(withRead(tokens('a', '<', 's>', 'b'), tokens('a', '<s>', 'b'))).toEqual(['a', '<', 's>', 'b']);
    expect(withRead(tokens('a', '<s>', 'b'), tokens('a', '<', 's>', 'b'))).toEqual(['a', '<s>', 'b']);
  });

  it('keeps images as they are', () => {
    const [row = 0] = mediaIds(1, new Uint8Array(4));
    expect(withReadTokens([row, ...tokens('ab')], [row, ...tokens('a', 'b')], text)).toEqual([
      row,
      ...tokens('a', 'b'),
    ]);
    expect(withReadTokens([row, ...tokens('a')], tokens('x'), text)).toEqual([row, ...tokens('a')]);
  });
});
