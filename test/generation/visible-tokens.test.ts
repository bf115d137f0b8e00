import { describe, expect, it } from 'vitest';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { allTokens, TokenDecoder, visibleToken, visibleTokens } from '../../src/generation/control-tokens.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { Random } from '../support/random.ts';

const broken = Buffer.of(0xff, 0x80, 0xf0, 0x9f);

describe('what tokens show', () => {
  it('is the same text however its bytes are cut into tokens, those that are no text too', () => {
    const random = new Random(1);
    for (let round = 0; round < 500; round++) {
      const text = Buffer.from(random.pick(['plain words', 'a€😀b', '\uFEFFmark', '']));
      const bytes = Buffer.concat([text, ...(random.chance(0.5) ? [broken, text] : []), broken]);
      const decoder = new TokenDecoder();
      let shown = '';
      for (let at = 0, length = 0; at < bytes.length; at += length) {
        length = random.between(0, 4);
        shown += decoder.push(visibleToken(bytes.subarray(at, at + length)));
      }
      expect(shown + decoder.end()).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
    }
  });

  it('is nothing of control tokens, but of those that mean something, or where all are asked for', () => {
    const engine = createFakeEngine();
    const format = { ...detectChatFormat(undefined, 'hermes'), visibleTokens: ['<think>'] };
    const tokens = engine.text.encode('a<|im_start|><think>');
    const shown = (show: ReturnType<typeof visibleTokens>) => tokens.map((token) => show(token).text);
    const visible = visibleTokens({ engine, format });
    expect(shown(visible)).toEqual(['a', '', '<think>']);
    expect(shown(visible)).toEqual(['a', '', '<think>']);
    expect(shown(allTokens({ engine, format }))).toEqual(['a', '<|im_start|>', '<think>']);
  });
});
