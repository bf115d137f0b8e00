import { describe, expect, it } from 'vitest';
import type { ChatFormat, PromptOpening } from '../../src/contract/chat-format.ts';
import type { ToolChoice } from '../../src/contract/request.ts';
import { chatFormats, detectChatFormat } from '../../src/output/families.ts';
import { expectSame } from '../support/same.ts';
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

const specs = readSpecs(import.meta.dirname);

describe('what models write', () => {
  it.each(specs.map((spec) => [`${spec.file}:${spec.line}: ${spec.title}`, spec] as const))('%s', (_, spec) => {
    const setup = setupOf(spec);
    for (const pieces of chunkings(spec.input)) {
      const machine = machineFor(setup);
      const events = [...pieces.flatMap((piece) => machine.push(piece)), ...machine.end()];
      expectSame(lines(events), spec.expected);
      if (spec.settings.repairs !== undefined) expectSame(machine.repairs, Number(spec.settings.repairs));
    }
  });

  it('is specified for every family', () => {
    const without = Object.keys(chatFormats).filter((name) => !specs.some(({ settings }) => settings.family === name));
    expect(without).toEqual([]);
  });
});
