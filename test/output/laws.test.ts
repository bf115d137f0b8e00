import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatFormat } from '../../src/contract/chat-format.ts';
import type { Tool, ToolChoice } from '../../src/contract/request.ts';
import { chatFormats } from '../../src/output/detect-family.ts';
import { runs } from '../support/runs.ts';
import { expectSame } from '../support/same.ts';
import { answerBlocks, areBeginning } from './cuts.ts';
import { chunks, inText, inThought, lines, machineFor, run, tool } from './machine.ts';

const tools: Tool[] = [
  tool('get_weather', { city: { type: 'string' }, days: { type: 'integer' } }),
  tool('note', { text: { type: ['string', 'null'] } }),
];

/** Everything that a format's row says literally, at any depth. */
function literals(row: unknown): string[] {
  if (typeof row === 'string') return row === '' ? [] : [row, row.trim(), row.trim().slice(0, -1)];
  return typeof row === 'object' && row !== null ? Object.values(row).flatMap(literals) : [];
}

const pieces = ['{', '}', '[', ']', '"', "'", ':', ',', '\n', ' ', '\\', '```', '>', '(', ')', '=', 'all', 'to='];
const words = [
  'get_weather',
  '"name"',
  '"arguments"',
  '"parameters"',
  'city',
  '"city"',
  'True',
  'null',
  '1.5',
  'é😀',
  'word',
];

function someText(format: ChatFormat): fc.Arbitrary<string> {
  const { name: _name, ...row } = format;
  const fragment = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...literals(row), ...format.visibleTokens, 'x') },
    { weight: 3, arbitrary: fc.constantFrom(...pieces) },
    { weight: 3, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
  );
  return fc.array(fragment, { maxLength: 40 }).map((fragments) => fragments.join(''));
}

const choices: ToolChoice[] = [{ type: 'auto' }, { type: 'required' }, { type: 'function', name: 'get_weather' }];

const settings = fc.record({
  toolChoice: fc.constantFrom(...choices),
  opening: fc.constantFrom(inText, inThought),
  autoHeal: fc.boolean(),
  checkToolNames: fc.boolean(),
  reasoningFormat: fc.constantFrom('auto' as const, 'none' as const),
  exactText: fc.boolean(),
});

describe.each(Object.values(chatFormats).map((format) => [format.name, format] as const))('%s', (_, format) => {
  it('gives the same blocks however the text is cut, and never throws', () => {
    fc.assert(
      fc.property(someText(format), settings, fc.integer({ min: 1, max: 9 }), (text, setting, size) => {
        const whole = lines(run({ format, tools, ...setting }, [text]));
        expectSame(lines(run({ format, tools, ...setting }, chunks(text, size))), whole);
        expectSame(lines(run({ format, tools, ...setting }, chunks(text, 1))), whole);
      }),
      { numRuns: runs(15) },
    );
  });

  it('shows, wherever it is cut, a beginning of what a longer text shows', () => {
    fc.assert(
      fc.property(someText(format), settings, fc.nat(), fc.nat(), (text, setting, one, other) => {
        const setup = { format, tools, ...setting };
        const [short = 0, long = 0] = [one, other].map((at) => at % (text.length + 1)).sort((a, b) => a - b);
        const blocks = [
          answerBlocks(setup, text.slice(0, short), 'cut'),
          answerBlocks(setup, text.slice(0, long), 'cut'),
          answerBlocks(setup, text.slice(0, long), 'complete'),
        ] as const;
        const isBeginning = areBeginning(blocks[0], blocks[1]) && areBeginning(blocks[1], blocks[2]);
        if (!isBeginning) expect([text.slice(0, short), text.slice(0, long), ...blocks]).toEqual([]);
      }),
      { numRuns: runs(30) },
    );
  });

  it('loses no word where no tool is offered: what is no thought is text', () => {
    // Words in the headers of messages are markup in these layouts.
    if (format.layout.type === 'messages') return;
    fc.assert(
      fc.property(someText(format), (text) => {
        let count = 0;
        const counted = text.replace(/\bword\b/g, () => `w${count++}w`);
        const shown = run({ format, tools: [] }, [counted]).map((event) => ('delta' in event ? event.delta : ''));
        const words = counted.match(/w\d+w/g) ?? [];
        expectSame([...(shown.join('').match(/w\d+w/g) ?? [])], [...words]);
      }),
      { numRuns: runs(15) },
    );
  });

  it('shows every word of an answer that has no markup', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('word', ' ', '\n', 'a < b', 'x[1]', 'é😀', '"'), { minLength: 1 }),
        (list) => {
          const text = list.join('');
          const shown = run(
            { format, tools, opening: { ...inText, continues: true, generationPrompt: '<|message|>' } },
            [text],
          );
          const deltas = shown.map((event) => (event.type === 'block-delta' ? event.delta : ''));
          expectSame(deltas.join(''), text);
        },
      ),
      { numRuns: runs(15) },
    );
  });

  it('holds back no more than the longest marker', () => {
    const longest = Math.max(...format.visibleTokens.map(({ length }) => length), 40);
    const machine = machineFor({
      format,
      tools,
      opening: { ...inText, continues: true, generationPrompt: '<|message|>' },
    });
    let shown = 0;
    let given = 0;
    for (const word of 'An answer <tool that [goes on < and <| on, {"as": 1} it likes >>> to do.'
      .repeat(3)
      .split(/(?= )/)) {
      given += word.length;
      for (const event of machine.push(word)) if (event.type === 'block-delta') shown += event.delta.length;
      expect(given - shown).toBeLessThanOrEqual(longest);
    }
  });
});
