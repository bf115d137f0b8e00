import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatFormat, PromptOpening } from '../../src/contract/chat-format.ts';
import type { ToolChoice } from '../../src/contract/request.ts';
import { chatFormats, detectChatFormat } from '../../src/output/detect-family.ts';
import { harmony } from '../../src/output/layouts.ts';
import { runs } from '../support/runs.ts';
import { expectSame } from '../support/same.ts';
import { answerBlocks, areBeginning, type Block, withoutLast } from './cuts.ts';
import { chunkings, inText, lines, machineFor, type Setup, tool } from './machine.ts';
import { readSpecs, type SpecCase } from './spec.ts';

const offered = [
  tool('get_weather', {
    city: { type: 'string' },
    days: { type: 'integer' },
    metric: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    options: { type: 'object', properties: { deep: { type: 'string' }, list: { type: 'array' } } },
  }),
  tool('write_file', { path: { type: 'string' }, content: { type: 'string' } }),
  tool('label', { text: { oneOf: [{ type: 'string' }, { type: 'object', properties: { x: { type: 'string' } } }] } }),
  tool('note', { text: { type: ['string', 'null'] } }),
  tool('ping'),
];

const openingsOf = ({ reasoning }: ChatFormat): Readonly<Record<string, PromptOpening>> => ({
  text: inText,
  thought: { block: 'reasoning', generationPrompt: reasoning?.open ?? '' },
  'inside a thought': { block: 'reasoning', generationPrompt: `${reasoning?.open}So`, continues: true },
  'inside a message': { block: 'text', generationPrompt: '<|start|>assistant<|channel|>final<|message|>So' },
  'inside a text': { block: 'text', generationPrompt: 'So', continues: true },
});

/** `none`, `required`, or the name of the one tool that is forced. */
function toolChoiceOf(setting = 'auto'): ToolChoice {
  if (setting === 'auto' || setting === 'none' || setting === 'required') return { type: setting };
  return { type: 'function', name: setting };
}

function setupOf({ settings, file, line }: SpecCase): Setup {
  const format = detectChatFormat(undefined, settings.family);
  const opening = openingsOf(format)[settings.opening ?? 'text'];
  if (!opening || !settings.family) throw new Error(`${file}:${line}: unknown opening, or no family.`);
  return {
    format,
    opening,
    tools: settings.tools === 'none' ? [] : offered,
    toolChoice: toolChoiceOf(settings['tool-choice']),
    autoHeal: settings.heal !== 'no',
    checkToolNames: settings['check-names'] !== 'no',
    reasoningFormat: settings['reasoning-format'] === 'none' ? 'none' : 'auto',
  };
}

function endOf({ settings }: SpecCase): 'complete' | 'cut' {
  return settings.end === 'cut' ? 'cut' : 'complete';
}

/** What a cut behind each character shows, and, last, the complete answer: each is a beginning of the next. */
function expectBeginnings(setup: Setup, text: string, title = text): Block[][] {
  const cuts = Array.from({ length: text.length + 1 }, (_, at) => answerBlocks(setup, text.slice(0, at), 'cut'));
  const shown = [...cuts, answerBlocks(setup, text, 'complete')];
  for (const [at, blocks] of cuts.entries()) {
    const longer = shown[at + 1] ?? [];
    if (!isBeginning(setup, blocks, longer)) expect([title, text.slice(0, at), blocks]).toEqual(longer);
  }
  return shown;
}

/** Where no call can come, a last character that may begin a marker is shown. */
function isBeginning({ tools, toolChoice }: Setup, blocks: readonly Block[], longer: readonly Block[]): boolean {
  const callsNever = tools?.length === 0 || toolChoice?.type === 'none';
  return areBeginning(blocks, longer) || (callsNever && areBeginning(withoutLast(blocks), longer));
}

/** The text behind a name is no more than what the family writes there, so that the name counts. */
function isMark({ format: { layout, visibleTokens } }: Setup, text: string): boolean {
  if (layout === harmony) return text.indexOf('<|message|>') === text.length - '<|message|>'.length;
  return text.length <= Math.max(1, ...visibleTokens.map(({ length }) => length)) + ':0'.length;
}

const specs = readSpecs(import.meta.dirname);

describe('what models write', () => {
  it.each(specs.map((spec) => [`${spec.file}:${spec.line}: ${spec.title}`, spec] as const))('%s', (_, spec) => {
    const setup = setupOf(spec);
    for (const pieces of chunkings(spec.input)) {
      const machine = machineFor(setup);
      const events = [...pieces.flatMap((piece) => machine.push(piece)), ...machine.end(endOf(spec))];
      expectSame(lines(events), spec.expected);
      if (spec.settings.repairs !== undefined) expectSame(machine.repairs, Number(spec.settings.repairs));
    }
  });

  describe.each([...new Set(specs.map(({ file }) => file))])('%s', (file) => {
    const cases = specs.filter((spec) => spec.file === file);

    it('shows, cut at any character, a beginning of what comes of more, and a call from the mark behind its name on', () => {
      for (const spec of cases) {
        const setup = setupOf(spec);
        const shown = expectBeginnings(setup, spec.input, `${file}:${spec.line}`);
        const calls = shown.at(-1)?.filter(({ kind }) => kind === 'tool-call') ?? [];
        for (const [count, { name }] of calls.entries()) {
          const first = shown.findIndex((blocks) => blocks.filter(({ kind }) => kind === 'tool-call').length > count);
          const text = spec.input.slice(0, first);
          const behind = text.slice(text.lastIndexOf(name) + name.length);
          expect([`${file}:${spec.line}`, behind, isMark(setup, behind)]).toEqual([expect.anything(), behind, true]);
        }
      }
    });

    it('does so too where the model mixes things up', () => {
      const part = ({ input }: SpecCase) =>
        fc.tuple(fc.nat(input.length), fc.nat(input.length)).map((ends) => input.slice(...ends.sort((a, b) => a - b)));
      const mixed = fc
        .constantFrom(...cases)
        .chain((spec) => fc.tuple(fc.constant(spec), part(spec), fc.constantFrom(...cases).chain(part)));
      fc.assert(
        fc.property(mixed, ([spec, one, other]) => {
          expectBeginnings(
            setupOf(spec),
            spec.input.replace(one, () => other),
          );
        }),
        { numRuns: runs(3) },
      );
    });
  });

  it('is specified for every family', () => {
    const without = Object.keys(chatFormats).filter((name) => !specs.some(({ settings }) => settings.family === name));
    expect(without).toEqual([]);
  });
});
