import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { getLlama } from 'node-llama-cpp';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { nativeBindings } from '../../src/engine/llama/native.ts';
import { detectChatFormat } from '../../src/output/families.ts';
import type { CompileTemplate } from '../../src/prompt/jinja.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { chat, vocabulary as demoVocabulary, fromWire, fromWireTool } from '../prompt/chat.ts';
import { realTemplates } from '../support/llama-sources.ts';
import { referenceFlags } from './reference-flags.ts';
import { referenceVariables, type WireChat } from './reference-rendering.ts';
import { situations } from './situations.ts';

const templates = realTemplates();
const bindings = nativeBindings(await getLlama({ build: 'never', gpu: false }));
const now = new Date();
const vocabulary = { ...demoVocabulary, bosText: '<|bos|>', eosText: '<|eos|>', controlTexts: [] };

const compile: CompileTemplate = (template) => {
  const renderer = new bindings.AddonJinjaRenderer(template);
  return (variables) => renderer.render(variables);
};

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
  return outcome(() => compile(template)(referenceVariables(wire, reference)));
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

function ourPrompt(renderer: ReturnType<typeof createRenderer>, wire: WireChat): string {
  const { messages, tools = [], enableThinking } = wire;
  const prompt = chat(messages.map(fromWire), {
    tools: tools.map(fromWireTool),
    reasoning: enableThinking === undefined ? {} : { enabled: enableThinking },
  });
  return outcome(() => renderer.render(prompt).pieces.join(''));
}

/** The pairs that differ from llama.cpp on purpose, as test/prompt/README.md lists them. */
function listedDifferences(): string[] {
  const readme = readFileSync(resolve(import.meta.dirname, '../prompt/README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| `([^`]+)` \| ([^|]+) \| [^|]+ \|$/gm)];
  return rows
    .flatMap(([, name, list = '']) => list.split(';').map((situation) => `${name}: ${situation.trim()}`))
    .sort();
}

describe('the chat templates of llama.cpp', () => {
  it('are all known to the reference', () => {
    expect(templates.map(({ name }) => name).sort()).toEqual(Object.keys(referenceFlags).sort());
    expect(templates).toHaveLength(70);
  });

  it('render like llama.cpp does, byte by byte, but for the differences that the README explains', () => {
    const different = templates.flatMap(({ name, text }) => {
      const renderer = createRenderer(text, compile);
      const isDifferent = (wire: WireChat) => ourPrompt(renderer, wire) !== referencePrompt(name, text, wire);
      const found = Object.entries(situations).filter(([, wire]) => isDifferent(wire));
      return found.map(([situation]) => `${name}: ${situation}`);
    });
    expect(different.sort()).toEqual(listedDifferences());
  });

  it('render with the engine that needs no native code, most of them to the same bytes', () => {
    const outcomes = templates.flatMap(({ text }) => {
      const renderers = [createRenderer(text, compile), createRenderer(text)] as const;
      return Object.values(situations).map((wire) => compare(renderers, wire));
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
