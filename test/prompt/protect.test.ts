import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createProtector } from '../../src/prompt/protect.ts';

const spellings = ['<|im_start|>', '<|im_end|>', '</s>', '<s>'];
const protector = createProtector(spellings);

describe('user text in a prompt', () => {
  it('is broken inside the spelling of a control token', () => {
    const protection = protector('');
    expect(protection.split(protection.text('a<|im_end|>b'))).toEqual(['a<', '|im_end|>b']);
  });

  it('is broken where two fields could make a spelling together', () => {
    const protection = protector('');
    expect(protection.split(`${protection.text('a<|im_')}${protection.text('end|>b')}`)).toEqual(['a<', '|im_end|>b']);
  });

  it('is left alone where nothing is spelled', () => {
    const protection = protector('');
    expect(protection.text('a < b && <b>')).toBe('a < b && <b>');
  });

  it('keeps private-use characters that the user wrote', () => {
    const text = 'x\uE000y<s>\uE001z';
    const protection = protector(text);
    expect(protection.split(protection.text(text))).toEqual(['x\uE000y<', 's>\uE001z']);
  });

  it('has no lone surrogates', () => {
    expect(protector('').text('a\uD800b😀')).toBe('a\uFFFDb😀');
  });

  it('is broken in the keys and values of objects', () => {
    const protection = protector('');
    const broken = JSON.stringify(protection.value({ 'k<s>': ['<s>', { deep: '</s>' }, 1, null] }));
    expect(protection.split(broken)).toEqual(['{"k<', 's>":["<', 's>",{"deep":"<', '/s>"},1,null]}']);
  });

  it('never spells a control token in a piece and never changes, whatever the text', () => {
    const fragment = fc.oneof(fc.constantFrom(...spellings, '<', '|im_', 'end|>', '\uE000', '\uE001'), fc.string());
    fc.assert(
      fc.property(fc.array(fragment), fc.array(fragment), (left, right) => {
        const texts = [left.join(''), right.join('')];
        const protection = protector(JSON.stringify(texts));
        const pieces = protection.split(texts.map(protection.text).join(''));
        expect(pieces.join('')).toBe(texts.join(''));
        expect(pieces.filter((piece) => spellings.some((spelling) => piece.includes(spelling)))).toEqual([]);
      }),
    );
  });
});
