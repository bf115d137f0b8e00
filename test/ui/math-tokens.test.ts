import { describe, expect, it } from 'vitest';
import { createLexer } from '../../src/ui/markdown/blocks.ts';

/** Formulas as `[…]`, those that are not closed as `{…}`, on lines of their own doubled; all else as it is shown. */
function seen(tokens: readonly object[] | undefined): string {
  return (tokens ?? [])
    .map((token) => {
      const { type, text = '', tokens: inner, items, display, closed } = token as Record<string, never>;
      if (type === 'math') return closed ? (display ? `[[${text}]]` : `[${text}]`) : `{${text}}`;
      return items ? seen(items) : inner ? seen(inner) : String(text);
    })
    .join('|');
}
const see = (text: string) => seen(createLexer().lex(text));

describe('formulas in a text', () => {
  it.each([
    ['a $x_1 y_2$ b', 'a |[x_1 y_2]| b'],
    ['\\(a*b*c\\) and \\[d\\]', '[a*b*c]| and |[[d]]'],
    ['text $$x$$ text', 'text |[[x]]| text'],
    ['$$\na = b\n+ c\n$$', '[[a = b\n+ c]]'],
    ['so\n\\[\n- a\n\\]\nthen', 'so|[[- a]]|then'],
    ['- one $a$\n- $$b$$', 'one |[a]|[[b]]'],
    ['| $a$ | b |\n|-|-|\n| c | $d$ |', ''],
    ['**bold $a$**', 'bold |[a]'],
  ])('are found: %s', (text, found) => {
    if (found !== '') expect(see(text)).toBe(found);
    else expect(JSON.stringify(createLexer().lex(text)).match(/"type":"math"/g)).toHaveLength(2);
  });

  it.each([
    ['it costs $5 and $10', 'it costs $5 and $10'],
    ['a $ b $ c', 'a $ b $ c'],
    ['US$ 5, $ 6', 'US$ 5, $ 6'],
    ['`$a$` and \\$a\\$', '$a$| and |$|a|$'],
    ['```\n$$a$$\n```', '$$a$$'],
    ['$ and $', '$ and $'],
    ['$$ $$', '[[]]'],
  ])('are not seen in %s', (text, shown) => {
    expect(see(text)).toBe(shown);
  });

  it('are shown as written until they are closed, and end with an empty line', () => {
    expect(see('$$\na')).toBe('{$$\na}');
    expect(see('$$\na\n\nb\n\n$$c$$')).toBe('{$$\na}|b||[[c]]');
    expect(see('$$a$$ b')).toBe('[[a]]|b');
  });
});
