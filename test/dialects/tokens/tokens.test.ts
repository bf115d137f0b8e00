import { describe, expect, it } from 'vitest';
import { parseDetokenize, parseTokenize, writeDetokenized, writeTokens } from '../../../src/dialects/tokens/tokens.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('/tokenize and /detokenize', () => {
  it('reads a text, control tokens parsed and none added unless told otherwise', () => {
    expect(parseTokenize({ content: 'a' })).toEqual({
      type: 'text',
      model: undefined,
      text: 'a',
      addSpecial: false,
      parseSpecial: true,
      withPieces: false,
    });
    expect(parseTokenize({ content: '', add_special: true, parse_special: false, with_pieces: true })).toMatchObject({
      text: '',
      addSpecial: true,
      parseSpecial: false,
      withPieces: true,
    });
  });

  it('reads a chat with its tools', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    expect(parseTokenize({ messages: [{ role: 'user', content: 'Hi' }], tools })).toMatchObject({
      type: 'chat',
      call: {
        generations: [
          {
            prompt: {
              type: 'chat',
              messages: [{ role: 'user', content: 'Hi' }],
              tools: [{ name: 'f', definition: tools[0] }],
            },
          },
        ],
      },
    });
  });

  it.each([
    [{}, 'content'],
    [{ content: 3 }, 'content'],
    [{ messages: [] }, 'messages'],
    [{ content: 'a', with_pieces: 'yes' }, 'with_pieces'],
  ])('refuses %j', (body, param) => {
    expect(() => parseTokenize(body)).toThrow(expect.objectContaining({ details: { param } }));
  });

  it('writes numbers, or pieces with bytes where they are no whole text', () => {
    const pieces = [
      { id: 5, bytes: bytes('Hi') },
      { id: 6, bytes: Uint8Array.of(0xc3) },
      { id: 7, bytes: Uint8Array.of() },
    ];
    expect(writeTokens(parseTokenize({ content: 'x' }), pieces)).toEqual({ tokens: [5, 6, 7] });
    expect(writeTokens(parseTokenize({ content: 'x', with_pieces: true }), pieces)).toEqual({
      tokens: [
        { id: 5, piece: 'Hi' },
        { id: 6, piece: [0xc3] },
        { id: 7, piece: '' },
      ],
    });
  });

  it('joins the bytes of tokens before reading them as text', () => {
    expect(parseDetokenize({ tokens: [1, 2] })).toEqual({ model: undefined, tokens: [1, 2] });
    expect(writeDetokenized([bytes('H'), Uint8Array.of(0xc3), Uint8Array.of(0xa4)])).toEqual({ content: 'Hä' });
    expect(writeDetokenized([])).toEqual({ content: '' });
    expect(() => parseDetokenize({ tokens: [-1] })).toThrow('`tokens[0]` is -1, but must be at least 0.');
  });
});
