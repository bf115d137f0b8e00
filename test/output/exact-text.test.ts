import { describe, expect, it } from 'vitest';
import { type ChatFormat, spaceBehindThought } from '../../src/contract/chat-format.ts';
import { constrain } from '../../src/grammar/constraint.ts';
import { parseGrammar } from '../../src/grammar/gbnf/gbnf-parse.ts';
import { GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';
import { chatFormats } from '../../src/output/detect-family.ts';
import { answerBlocks, blocksOf } from './cuts.ts';
import { chunkings, inText, machineFor, tool } from './machine.ts';

/** What a client's own grammar may begin and end with. */
const answers = [
  'yes',
  ' yes',
  '\nyes',
  '\n\nyes',
  '\n\n\nyes',
  '   \n yes',
  ' yes ',
  'a\n\nb\n\n',
  `${' '.repeat(40)}x`,
  '\n',
  ' ',
];
const formats = Object.values(chatFormats);
const thinking = formats.filter(({ reasoning, layout }) => reasoning && layout.type === 'plain');

describe('text in a form of its own', () => {
  it.each(formats.map((format) => [format.name, format] as const))('%s shows it to the last blank', (_, format) => {
    for (const answer of answers) {
      const setup = { format, exactText: true, opening: inAnswer(format.layout) };
      for (const pieces of chunkings(answer)) {
        const machine = machineFor(setup);
        const events = [...pieces.flatMap((piece) => machine.push(piece)), ...machine.end('complete')];
        expect(blocksOf(events)).toEqual([{ kind: 'text', name: '', content: answer }]);
      }
    }
  });

  it.each(thinking.map((format) => [format.name, format] as const))(
    '%s shows it to the last blank behind a thought',
    (_, format) => {
      const { open = '', close = '' } = format.reasoning ?? {};
      const opening = { block: 'reasoning', generationPrompt: open } as const;
      const between = format.reasoning ? spaceBehindThought(format.reasoning) : '';
      for (const answer of answers) {
        const whole = `So be it.${close.trim()}${between}${answer}`;
        for (const pieces of chunkings(whole)) {
          const machine = machineFor({ format, exactText: true, opening });
          const events = [...pieces.flatMap((piece) => machine.push(piece)), ...machine.end('complete')];
          expect(blocksOf(events)).toEqual([
            { kind: 'reasoning', name: '', content: 'So be it.' },
            { kind: 'text', name: '', content: answer },
          ]);
        }
      }
    },
  );

  it.each(formats.filter(({ text }) => text).map((format) => [format.name, format] as const))(
    '%s shows what stands between its markers',
    (_, format) => {
      const { open = '', close = '' } = format.text ?? {};
      for (const answer of answers) {
        const blocks = answerBlocks({ format, exactText: true }, `${open.trim()}${answer}${close.trim()}`, 'complete');
        expect(blocks).toEqual([{ kind: 'text', name: '', content: answer }]);
      }
    },
  );

  it('goes without what the template writes where the model leaves it out', () => {
    const setup = { format: formats.find(({ name }) => name === 'hermes') ?? missing(), exactText: true } as const;
    const opening = { block: 'reasoning', generationPrompt: '<think>\n' } as const;
    const textOf = (text: string) => answerBlocks({ ...setup, opening }, text, 'complete').at(-1)?.content;
    expect(textOf('Hm.</think>yes')).toBe('yes');
    expect(textOf('Hm.</think>\nyes')).toBe('yes');
    expect(textOf('Hm.</think>\n yes')).toBe(' yes');
  });

  it('is not what separates a thought from a call', () => {
    const format = formats.find(({ name }) => name === 'hermes') ?? missing();
    const call = '<tool_call>\n{"name": "ping", "arguments": {}}\n</tool_call>';
    const opening = { block: 'reasoning', generationPrompt: '<think>\n' } as const;
    const setup = { format, exactText: true, opening, tools: [tool('ping')] };
    expect(answerBlocks(setup, `Hm.\n</think>\n\n\n ${call}`, 'complete').map(({ kind }) => kind)).toEqual([
      'reasoning',
      'tool-call',
    ]);
  });
});

describe('a grammar that begins with blanks', () => {
  const grammar = 'root ::= "\\n\\n yes" | "  no\\n"';

  it.each(formats.map((format) => [format.name, format] as const))(
    '%s: what it lets the model write is shown as one of its texts',
    (_, format) => {
      const { open = '', close = '' } = format.reasoning ?? {};
      const isPlain = format.layout.type === 'plain';
      const opening = format.reasoning && isPlain ? ({ block: 'reasoning', generationPrompt: open } as const) : inText;
      const plan = constrain({
        format,
        opening,
        tools: [],
        toolChoice: { type: 'none' },
        outputShape: { type: 'grammar', grammar },
        strictTools: false,
      });
      const before = beforeAnswer(format.layout, opening.block === 'reasoning' ? `Hm.${close.trim()}` : '');
      const between = format.reasoning && isPlain ? spaceBehindThought(format.reasoning) : '';
      for (const [answer, isOne] of [
        ['\n\n yes', true],
        ['  no\n', true],
        ['yes', false],
        [' \n\n yes', false],
      ] as const) {
        const machine = new GrammarWalker(parseGrammar(plan.grammar ?? '', 'grammar'));
        const text = before + between + answer;
        expect([answer, machine.accept(text) && machine.complete]).toEqual([answer, isOne]);
        if (!isOne) continue;
        const blocks = answerBlocks({ format, opening, exactText: true }, text, 'complete');
        expect(blocks.at(-1)).toEqual({ kind: 'text', name: '', content: answer });
      }
    },
  );
});

function beforeAnswer(layout: ChatFormat['layout'], thought: string): string {
  if (layout.type === 'messages') return layout.heads.text;
  return layout.type === 'parts' ? 'all\n' : thought;
}

/** Where the prompt has written the header, so that everything is the answer. */
function inAnswer({ type }: ChatFormat['layout']) {
  const generationPrompt = type === 'plain' ? '' : '<|message|>';
  return { ...inText, generationPrompt, ...(type === 'parts' && { continues: true }) };
}

function missing(): never {
  throw new Error('no such family');
}
