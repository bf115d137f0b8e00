import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Collector, type TokenLogprob } from '../../src/contract/events.ts';
import { visibleToken } from '../../src/generation/control-tokens.ts';
import { createPlainMachine } from '../../src/generation/create-pipeline.ts';
import { freeSteering } from '../../src/generation/steering.ts';
import { TextPipeline, type TextPipelineOptions } from '../../src/generation/text-pipeline.ts';
import { chatFormats, detectChatFormat } from '../../src/output/detect-family.ts';
import { finish } from '../dialects/endpoint-answers.ts';
import { chunkings, inText, inThought, machineFor, tool } from '../output/machine.ts';
import { readSpecs } from '../output/spec.ts';

type Machine = TextPipelineOptions['machine'];

/** Blocks of text with the tokens that they are said to be made of. Each piece is a token; "" is one that shows nothing. */
function read(
  machine: Machine,
  pieces: readonly (string | Uint8Array)[],
  stop: readonly string[] = [],
  { end = 'complete', thoughtsInText = false }: { end?: 'complete' | 'cut'; thoughtsInText?: boolean } = {},
) {
  const bytes = pieces.map((piece) => (typeof piece === 'string' ? new TextEncoder().encode(piece) : piece));
  const tokens = (token: number) => visibleToken(bytes[token] ?? new Uint8Array());
  const pipeline = new TextPipeline({ machine, stop, tokens, steering: freeSteering, thoughtsInText });
  const collector = new Collector();
  collector.add({ type: 'start', inputTokens: 0, cachedTokens: 0 });
  for (const [token, spelled] of bytes.entries()) {
    const text = new TextDecoder().decode(spelled);
    const logprob: TokenLogprob = { token, text, bytes: [...spelled], logprob: -1, top: [] };
    const { events, directive } = pipeline.push({ token, forced: false, logprob });
    for (const event of events) collector.add(event);
    if (directive.type === 'stop') break;
  }
  for (const event of pipeline.end(end)) collector.add(event);
  collector.add(finish());
  return collector
    .result()
    .blocks.flatMap((block) =>
      block.kind === 'tool-call' ? [] : [{ ...block, tokens: block.logprobs.map(({ token }) => token) }],
    );
}

const hermes = () =>
  machineFor({ format: detectChatFormat(undefined, 'hermes'), opening: inThought, tools: [tool('f')] });
const spelled = (pieces: readonly (string | Uint8Array)[], tokens: readonly number[]) => tokens.map((at) => pieces[at]);

describe('the log probabilities of a text', () => {
  it('are those of its own tokens, not of the thought before it, its markup or the call behind it', () => {
    const pieces = [
      'The',
      ' user',
      ' asks',
      '</think>',
      '\n\n',
      'The',
      ' capital',
      '\n',
      '<tool_call>',
      '{"name": "f"',
    ];
    const blocks = read(hermes(), [...pieces, ', "arguments": {}}', '</tool_call>']);
    expect(blocks.map(({ kind, tokens }) => [kind, spelled(pieces, tokens)])).toEqual([
      ['reasoning', []],
      ['text', ['The', ' capital']],
    ]);
  });

  it('are those of its thoughts too where they are left in it, blanks and all', () => {
    const pieces = ['<think>', '\n', 'The', ' ', 'f', '\n', '</think>', '\n\n', 'Yes'];
    const machine = machineFor({ format: detectChatFormat(undefined, 'hermes'), reasoningFormat: 'none' });
    expect(read(machine, pieces, [], { thoughtsInText: true })).toMatchObject([
      { text: pieces.join(''), tokens: [...pieces.keys()] },
    ]);
  });

  it('begin with a token that also ends the thought, where there is one', () => {
    const pieces = ['Hm', '.</think>\n\nYes', ', sir'];
    expect(read(hermes(), pieces).at(-1)?.tokens).toEqual([1, 2]);
  });

  it('wait with text that may be markup, and are given once', () => {
    const pieces = ['</think>', 'a ', '<tool', '_box', '> b'];
    expect(read(hermes(), pieces).at(-1)).toMatchObject({ text: 'a <tool_box> b', tokens: [1, 2, 3, 4] });
  });

  it('are those of a call that turned out to be text', () => {
    const pieces = ['</think>', '\n', '<tool_call>', '{"name": "unknown", ', '"arguments": {}}', '</tool_call>'];
    expect(read(hermes(), pieces).at(-1)).toMatchObject({ kind: 'text', tokens: [2, 3, 4, 5] });
  });

  it('end where a stop string begins, however it is cut into tokens', () => {
    const pieces = ['There ', 'was a', ' quick ', 'f', 'o', 'x', ' jumping'];
    const [block] = read(createPlainMachine(), pieces, ['fox']);
    expect([block?.text, spelled(pieces, block?.tokens ?? [])]).toEqual(['There was a quick ', pieces.slice(0, 3)]);
    const [shared] = read(createPlainMachine(), ['a quick f', 'ox'], ['fox']);
    expect(shared).toMatchObject({ text: 'a quick ', tokens: [0] });
  });

  it('hold the beginning of a stop string that did not come', () => {
    expect(read(createPlainMachine(), ['the f', 'o', 'g'], ['fox'])[0]?.tokens).toEqual([0, 1, 2]);
    expect(read(createPlainMachine(), ['the ', 'f', 'o'], ['fox'])[0]?.tokens).toEqual([0, 1, 2]);
  });

  it('count every part of a character, and no token that shows nothing', () => {
    const [first, second] = [Uint8Array.of(0xe2, 0x82), Uint8Array.of(0xac)];
    expect(read(hermes(), ['Hm', '</think>', '', first, second, ' 5', '']).at(-1)).toMatchObject({
      text: '€ 5',
      tokens: [3, 4, 5],
    });
    expect(read(createPlainMachine(), ['a', first])[0]).toMatchObject({ text: 'a\uFFFD', tokens: [0, 1] });
  });
});

interface Spelled {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
  readonly tokens: readonly number[];
}

/**
 * The tokens of each text spell it, and at most the first and the last of them say more than that. One that spells the
 * end of a text and the beginning of the next is the former's. Texts that were changed are in nothing that was written.
 * Whitespace in front of a text that goes on may have stood before a thought or a call: then it has no tokens.
 */
function expectSpelled(pieces: readonly string[], blocks: readonly Spelled[]) {
  let before: readonly number[] = [];
  for (const [place, { kind, text, tokens }] of blocks.entries()) {
    const spellings = place > 0 ? [text, text.trimStart()] : [text];
    const isSpelled = spellings.some((each) => spells(tokens, each) || spells([...before, ...tokens], each));
    if (kind === 'reasoning' || text === '') expect(tokens).toEqual([]);
    else if (pieces.join('').includes(text) && !isSpelled)
      throw new Error(`${JSON.stringify(text)} is made of ${JSON.stringify(spelled(pieces, tokens))}`);
    before = tokens.length > 0 ? tokens.slice(-1) : before;
  }

  function spells(tokens: readonly number[], text: string): boolean {
    const all = tokens.map((token) => pieces[token] ?? '');
    const [first = '', last = ''] = [all[0], all.at(-1)];
    const said = all.join('');
    const at = said.indexOf(text, Math.max(0, said.length - text.length - last.length));
    return at >= 0 && at < first.length && said.length - at - text.length < last.length;
  }
}

describe('in every spelling that models have', () => {
  const specs = readSpecs(resolve(import.meta.dirname, '../output'));
  const tools = [
    ...new Set(specs.flatMap(({ expected }) => expected.flatMap((line) => line.match(/^call \S+ (\S+)/)?.[1] ?? []))),
  ].map((name) => tool(name));

  it.each(Object.keys(chatFormats).flatMap((name) => [[name, 'auto'] as const, [name, 'none'] as const]))(
    'a text of %s is made of the tokens that spell it, thoughts: %s',
    (name, reasoningFormat) => {
      const format = detectChatFormat(undefined, name);
      const thoughtsInText = reasoningFormat === 'none';
      for (const { input, settings } of specs.filter((spec) => spec.settings.family === name))
        for (const pieces of chunkings(input)) {
          const machine = machineFor({ format, opening: inText, tools, reasoningFormat });
          const end = settings.end === 'cut' ? 'cut' : 'complete';
          expectSpelled(pieces, read(machine, pieces, [], { end, thoughtsInText }));
        }
    },
  );

  it('token by token, with stop strings', () => {
    const word = fc.constantFrom('fox', 'fo', 'x', ' ', 'the', '\n', '<', '</', '<tool_call>');
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 12 }), (words) => {
        const pieces = ['Hm', '</think>', ...words];
        expectSpelled(pieces, read(hermes(), pieces, ['fox', 'the\n']));
      }),
    );
  });
});
