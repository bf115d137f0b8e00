import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksOf, createLexer, GrowingBlocks } from '../../src/ui/markdown/blocks.ts';

const samples: Readonly<Record<string, string>> = {
  'headings and paragraphs': '# One\n\ntext *a* **b**\nmore\n\nSetext\n===\n\nb\n---\n\n***\n',
  lists: '- a\n- b\n  - c\n\n    d\n\n- e\n1. x\n2. y\n\ntext\n\n* [x] done\n* [ ] not\n\n\n- other\n-\n- last',
  code: 'a\n\n```ts\nconst a = `x`;\n\n~~~\n``\n```\nafter\n\n~~~~\n~~~\n```\n~~~~\n\n    indented\n\n    more\n\n  ```\n   two\n  ```',
  'open code': 'see:\n```python\ndef f():\n  return """\n```text\n\n\nmore',
  tables: 'x\n\n| a | b |\n|:--|--:|\n| 1 | `2|` |\n| 3 |\n\nafter | it\n\n|a|\n|-|\nno',
  quotes: '> a\nlazy\n> - b\n>\n> c\n\nd\n\n> e\n\n> f',
  html: '<div>\n<b>x</b>\n\n</div>\n\n<!-- open\n\nstill -->\n\n<script>\nlet a;\n\n</script>\ntext <i>y</i>\n\n<br>',
  definitions: 'see [a] and [b][c]\n\nmore\n\n[a]: /url "title"\n[c]:\n  <x y>\n\nthe end [a]',
  'line ends': 'a\r\nb\r\n\r\n- c\r\n- d\r\r```\r\ne\r\n```\r\n',
  formulas:
    'so\n$$\na\n=\nb\n+ c\n$$\nand $x_1$ or \\(y\\)\n\n\\[\n- z\n\\]\n- $$\n  q\n  $$\n- r\n\n$$ open\n# no heading\n\n$$ one $$ two\n> $$\n> s\n$$ lazy\n\nt\n===',
  empty: '\n\n\n',
  spaces: '   \n\n \t\n a\n\n\n\n   b   \n',
};

const whole = (text: string) =>
  createLexer()
    .lex(text.replace(/\r\n?/g, '\n'))
    .filter(({ type }) => type !== 'space');

function inPieces(text: string, cuts: readonly number[]): GrowingBlocks {
  const blocks = new GrowingBlocks();
  for (const cut of [...cuts, text.length]) blocks.update(text.slice(0, cut));
  return blocks;
}

/** What is shown: `raw` is not. */
function shown(tokens: unknown): unknown {
  return JSON.parse(JSON.stringify(tokens, (name, value) => (name === 'raw' ? undefined : value)));
}

describe('a text that grows', () => {
  it.each(Object.entries(samples))('has the same blocks at every cut: %s', (_, text) => {
    for (let cut = 0; cut <= text.length; cut++) {
      const blocks = inPieces(text, [cut]);
      expect(shown(blocks.blocks), `cut at ${cut}`).toEqual(shown(whole(text)));
    }
    const letters = inPieces(
      text,
      Array.from({ length: text.length }, (_, index) => index),
    );
    expect(shown(letters.blocks)).toEqual(shown(whole(text)));
  });

  it('has the same blocks however it is cut and put together', () => {
    const part = fc.constantFrom(
      ...Object.values(samples),
      '- ',
      '\n',
      '\n\n',
      '```\n',
      '> ',
      '  ',
      '1. a\n',
      '|a|\n|-|\n',
      'x',
      '$$\n',
      '$$',
      '$',
      '\\[',
      '\\]\n',
      'a\n=\n',
    );
    const texts = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(texts, fc.array(fc.nat(400), { maxLength: 6 }), (text, places) => {
        const cuts = places.map((place) => Math.min(place, text.length)).sort((left, right) => left - right);
        expect(shown(inPieces(text, cuts).blocks)).toEqual(shown(whole(text)));
      }),
      { numRuns: 300 },
    );
  });

  it('never looks at a closed block again', () => {
    const paragraph = `${'word '.repeat(20)}\n\n`;
    const text = paragraph.repeat(100);
    const blocks = new GrowingBlocks();
    for (let end = 1; end <= text.length; end++) blocks.update(text.slice(0, end));
    // Each piece costs two looks at an open block of a hundred characters.
    expect(blocks.lexed / text.length).toBeLessThan(250);
    expect(blocks.blocks.length).toBe(100);
  });

  it('looks at each line of open code once', () => {
    const text = `\`\`\`js\n${'let answer = 42;\n'.repeat(2000)}`;
    const blocks = new GrowingBlocks();
    for (let end = 0; end <= text.length; end += 5) blocks.update(text.slice(0, end));
    blocks.update(text);
    expect(shown(blocks.blocks)).toEqual(shown(whole(text)));
    expect(blocks.lexed).toBeLessThan(text.length * 2);
  });

  it('keeps closed blocks as the very same objects', () => {
    const blocks = new GrowingBlocks();
    blocks.update('one\n\ntwo\n\nthree\nfo');
    const [first, second] = blocks.blocks;
    blocks.update('one\n\ntwo\n\nthree\nfour');
    expect([blocks.blocks[0] === first, blocks.blocks[1] === second, blocks.closedCount]).toEqual([true, true, 2]);
  });

  it('begins anew with a text that does not go on from the last', () => {
    const blocks = new GrowingBlocks();
    blocks.update('# a\n\nb');
    blocks.update('c');
    expect(shown(blocks.blocks)).toEqual(shown(blocksOf('c')));
  });
});
