import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { createTokenText, cutAtWords } from '../../src/engine/token-text.ts';
import { loadDemoModel } from '../support/demo-engine.ts';
import { llamaSources } from '../support/llama-sources.ts';
import { loadVocabulary } from '../support/native.ts';

/** Sentences that no token joins when they stand one behind the other. */
const sentences = {
  english: ' A long account, written in the year of the flood: it is all that is left.',
  'a text without spaces': '，港口的主人看到了一场大洪水，以前没有人看过',
  code: 'function area(a, b) {\n  return a.width * b["height"]; // half of it\n}\n',
};
const copies = 600;
const texts = Object.entries(sentences).map(([name, sentence]) => [name, sentence.repeat(copies)] as const);

describe('cutting a long text', () => {
  it.each<readonly [string, string]>([
    ...texts,
    ['one letter', 'a'.repeat(9999)],
    ['nothing', ''],
    ['pairs', '😀'.repeat(4000)],
  ])('loses nothing and keeps every piece short: %s', (_, text) => {
    const pieces = [...cutAtWords(text, 1001)];
    expect(pieces.join('')).toBe(text);
    expect(Math.max(0, ...pieces.map(({ length }) => length))).toBeLessThanOrEqual(1001);
    expect(pieces.filter((piece) => /[\ud800-\udbff]$/.test(piece))).toEqual([]);
  });

  it.each([
    ['before a space between words', 'one two three', 9, ['one two', ' three']],
    ['never between spaces', 'one    two', 6, ['one   ', ' two']],
    ['never before a number', 'one 2three', 5, ['one 2', 'three']],
    ['before a mark of Chinese writing', '港口的主人，看到了', 8, ['港口的主人', '，看到了']],
    ['anywhere where there is no such place', 'aaaaaaa', 3, ['aaa', 'aaa', 'a']],
    ['never inside a surrogate pair', 'a😀😀', 2, ['a', '😀', '😀']],
  ])('cuts %s', (_, text, most, expected) => {
    expect([...cutAtWords(text, most)]).toEqual(expected);
  });
});

describe('tokenizing', () => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await loadDemoModel({ slots: 1, contextSize: 256 }));
  });
  afterAll(() => engine.dispose());

  it.each(Object.entries(sentences))(
    'gives a long text the tokens that its sentences have: %s',
    async (_, sentence) => {
      const tokenize = (text: string) => engine.text.tokenize([text], { special: false });
      const once = await tokenize(sentence);
      const again = (await tokenize(sentence.repeat(2))).slice(once.length);
      const all = [...once, ...Array.from({ length: copies - 1 }, () => again).flat()];
      expect(await tokenize(sentence.repeat(copies))).toEqual(all);
    },
  );

  // Reading a vocabulary of 250k takes seconds on a busy machine.
  it.each([
    ['llama-spm', 'Hello, who are you? '],
    ['nomic-bert-moe', 'Hello, who are you? '],
    ['nomic-bert-moe', '港口的主人，看到了一场大洪水'],
    ['nomic-bert-moe', 'of 7 in 10  are \n unknown: \u{E123}\u{E124} and\u{E125}'],
  ])(
    'invents no space where a text was cut: %s, %j',
    async (name, text) => {
      const model = loadVocabulary(join(llamaSources('models'), `ggml-vocab-${name}.gguf`));
      try {
        const { tokenize } = createTokenText({
          vocabulary: model.vocabulary,
          yieldToEventLoop: () => Promise.resolve(),
        });
        const whole = await tokenize([text], { special: false });
        for (let at = 1; at < text.length; at++) {
          const before = text.slice(0, at);
          const alone = await tokenize([before], { special: false });
          const cut = await tokenize([before, text.slice(at)], { special: false });
          // Only where no token spans the cut.
          const isBorder = alone.every((token, index) => token === whole[index]);
          if (isBorder) expect([at, cut]).toEqual([at, whole]);
        }
      } finally {
        model.free();
      }
    },
    120_000,
  );

  it('lets the event loop turn at least once every 4,096 characters', async () => {
    const text = sentences.english.repeat(3000).slice(0, 200_000);
    let turns = 0;
    let over = false;
    const count = () => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    setImmediate(count);
    await engine.text.tokenize([text], { special: false });
    over = true;
    expect(turns).toBeGreaterThanOrEqual(Math.floor(200_000 / 4096));
  });

  it('stops between two pieces when its request is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('the client left');
    const tokenizing = engine.text.tokenize([sentences.english.repeat(copies)], {
      special: false,
      signal: controller.signal,
    });
    controller.abort(reason);
    await expect(tokenizing).rejects.toBe(reason);
  });
});
