import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CompileTemplate } from '../../src/contract/chat-format.ts';
import { ServeError } from '../../src/contract/errors.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';

import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { chat, vocabulary as demoVocabulary, fromWire, fromWireTool } from '../prompt/chat.ts';
import { realTemplates } from '../support/llama-sources.ts';
import { compileTemplate } from '../support/native.ts';
import { lacks } from './kept.ts';
import { referenceFlags } from './reference-flags.ts';
import { referenceVariables, type WireChat } from './reference-rendering.ts';
import { situations } from './situations.ts';

const templates = realTemplates();
const now = new Date();
const vocabulary = { ...demoVocabulary, bosText: '<|bos|>', eosText: '<|eos|>', controlTexts: [] };

/** The prompt, or the template's own words when it refuses. */
function outcome(render: () => string): string {
  try {
    return render();
  } catch (error) {
    const refusal = /(?:Jinja Exception: |refuses these messages: )([\s\S]*)$/.exec(String(error))?.[1];
    if (refusal === undefined) throw error;
    return `refused: ${refusal.trim()}`;
  }
}

function referencePrompt(name: string, template: string, wire: WireChat): string {
  const [flags, thinks] = referenceFlags[name] ?? ['', false];
  const reference = { template, flags, thinks, bos: vocabulary.bosText, eos: vocabulary.eosText, now };
  return outcome(() => compileTemplate(template)(referenceVariables(wire, reference)));
}

function createRenderer(template: string, engine?: CompileTemplate) {
  return createPromptRenderer({
    template,
    vocabulary,
    now: () => now,
    format: detectChatFormat(template),
    compile: engine,
  });
}

const renderers = new Map<string, Renderer>();

function nativeRenderer(template: string): Renderer {
  const renderer = renderers.get(template) ?? createRenderer(template, compileTemplate);
  renderers.set(template, renderer);
  return renderer;
}

function ourPrompt(renderer: Renderer, wire: WireChat): string {
  const { messages, tools = [], enableThinking } = wire;
  const prompt = chat(messages.map(fromWire), {
    tools: tools.map(fromWireTool),
    reasoning: enableThinking === undefined ? {} : { enabled: enableThinking },
  });
  return outcome(() => renderer.render(prompt).pieces.join(''));
}

const readme = readFileSync(resolve(import.meta.dirname, '../prompt/README.md'), 'utf8');

/** The pairs that differ from llama.cpp on purpose and what its prompt lacks, as test/prompt/README.md lists them. */
function listedDifferences(): string[] {
  const rows = [...readme.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$/gm)];
  return rows.map(([, name, situation, lost]) => `${name}: ${situation}: ${lost}`).sort();
}

interface Pair {
  readonly name: string;
  readonly situation: string;
  readonly identical: boolean;
  /** What each prompt lacks of what the client has sent. */
  readonly reference: string;
  readonly ours: string;
}

function comparePairs(): Pair[] {
  return templates.flatMap(({ name, text }) => {
    const renderer = nativeRenderer(text);
    return Object.entries(situations).map(([situation, wire]): Pair => {
      const asUsual = { messages: wire.messages };
      const [ours, reference] = [ourPrompt(renderer, wire), referencePrompt(name, text, wire)];
      return {
        name,
        situation,
        identical: ours === reference,
        reference: lacks(reference, wire, referencePrompt(name, text, asUsual)),
        ours: lacks(ours, wire, ourPrompt(renderer, asUsual)),
      };
    });
  });
}

/** Kinds of schemas that some templates cannot print as they are. */
const parameterSchemas: Readonly<Record<string, JsonObject>> = {
  'array without items': { type: 'array' },
  'tuple of draft 7': { type: 'array', items: [{ type: 'string' }, { type: 'number' }] },
  'arrays of objects in an array': {
    type: 'array',
    items: { type: 'array', items: { type: 'object', properties: { x: { type: 'integer' } } } },
  },
  'no type': {},
  'values only': { enum: ['a', 'b'] },
  'list of types': { type: ['string', 'null'] },
  choice: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  map: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
};

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

describe('the chat templates of llama.cpp', () => {
  it('are all known to the reference', () => {
    expect(templates.map(({ name }) => name).sort()).toEqual(Object.keys(referenceFlags).sort());
    expect(templates).toHaveLength(70);
  });

  it('render like llama.cpp does, byte by byte, but where its prompt lacks what ours has, as the README lists', () => {
    const pairs = comparePairs();
    const different = pairs.filter(({ identical }) => !identical);
    const found = different.map(({ name, situation, reference }) => `${name}: ${situation}: ${reference}`);
    expect(found.sort()).toEqual(listedDifferences());
    expect(different.filter(({ ours, reference }) => ours !== '' || reference === '')).toEqual([]);
    const same = pairs.length - different.length;
    expect(readme).toContain(`Of the ${pairs.length} pairs, ${same} (${percent(same / pairs.length)}) are identical.`);
  });

  it('render like llama.cpp does what the situations do not show', () => {
    const spaced = { messages: [{ role: 'user', content: ' \n Hello\t\n' }] };
    const found = templates.filter(({ name, text }) => {
      const renderer = nativeRenderer(text);
      return ourPrompt(renderer, spaced) !== referencePrompt(name, text, spaced);
    });
    expect(found).toEqual([]);
  });

  it('show what a developer says wherever he says it, as the system or in a role that they know', () => {
    const developer = { role: 'developer', content: 'Answer in rhymes.' } as const;
    const hello = { role: 'user', content: 'Hello.' } as const;
    const places: (typeof developer | { role: 'user' | 'assistant' | 'system'; content: string })[][] = [
      [developer, hello],
      [{ role: 'system', content: 'Be brief.' }, developer, hello],
      [hello, { role: 'assistant', content: 'Hi.' }, developer, hello],
    ];
    const asSystem = places.map((messages) =>
      messages.map((message) => (message === developer ? { ...message, role: 'system' } : message)),
    );
    const prompts = templates.map(({ name, text }) => {
      const write = (messages: WireChat['messages']) => ourPrompt(nativeRenderer(text), { messages });
      return { name, own: places.map(write), system: asSystem.map(write) };
    });
    const lost = prompts.filter(({ own }) => own.some((prompt) => !prompt.includes('Answer in rhymes.')));
    expect(lost.map(({ name }) => name)).toEqual([]);
    const known = prompts.filter(({ own, system }) => own.join() !== system.join());
    expect(known.map(({ name }) => name)).toEqual(['deepseek-ai-DeepSeek-V4-Flash-0731', 'deepseek-ai-DeepSeek-V4']);
  });

  it('are told the schema of the answer where llama.cpp tells it', () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const telling = templates.filter(({ text }) => {
      const { pieces } = nativeRenderer(text).render(chat([{ role: 'user', content: 'Hi' }]), {
        type: 'json-schema',
        schema,
      });
      return pieces.join('').includes('## Response Format:\n\nYou MUST strictly adhere to the following schema');
    });
    expect(telling.map(({ name }) => name)).toEqual(['deepseek-ai-DeepSeek-V4-Flash-0731', 'deepseek-ai-DeepSeek-V4']);
  });

  it.each(Object.entries(parameterSchemas))('show a tool with a parameter of the kind: %s', (_, schema) => {
    const parameters = { type: 'object', properties: { needle: schema }, required: [] };
    const tool = { type: 'function', function: { name: 'get_it', description: 'Gets it', parameters } };
    const lost = templates.filter(({ text }) => {
      const prompt = ourPrompt(nativeRenderer(text), {
        messages: [{ role: 'user', content: 'Hi' }],
        tools: [tool],
      });
      return !prompt.includes('get_it') || !prompt.includes('needle');
    });
    expect(lost.map(({ name }) => name)).toEqual([]);
  });

  it('render with the engine that needs no native code, most of them to the same bytes', () => {
    const outcomes = templates.flatMap(({ text }) => {
      const pair = [nativeRenderer(text), createRenderer(text)] as const;
      return Object.values(situations).map((wire) => compare(pair, wire));
    });
    const count = (wanted: string) => outcomes.filter((found) => found === wanted).length;
    expect(count('same')).toBeGreaterThan(450);
    expect(count('different')).toBeLessThan(20);
  });

  function compare([native, plain]: readonly [Renderer, Renderer], wire: WireChat): string {
    const wanted = ourPrompt(native, wire);
    try {
      return ourPrompt(plain, wire) === wanted ? 'same' : 'different';
    } catch (error) {
      // What this engine cannot run is refused in words, like every other failure.
      expect(error).toBeInstanceOf(ServeError);
      return 'not rendered';
    }
  }
});

type Renderer = ReturnType<typeof createRenderer>;
