import { getLlama } from 'node-llama-cpp';
import { describe, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { detectChatFormat } from '../../src/output/families.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { chat, vocabulary as demoVocabulary, fromWire, fromWireTool } from '../prompt/chat.ts';
import { realTemplates } from '../support/llama-sources.ts';
import { referenceFlags } from './reference-flags.ts';
import { referenceVariables, type WireChat } from './reference-rendering.ts';
import { situations } from './situations.ts';

const templates = realTemplates();
const llama = await getLlama({ build: 'never', gpu: false, logLevel: 'error' as never });
const now = new Date();
const vocabulary = { ...demoVocabulary, bosText: '<|bos|>', eosText: '<|eos|>', controlTexts: [] };
const compile = (template: string) => {
  const renderer = new (llama as any)._bindings.AddonJinjaRenderer(template);
  return (variables: JsonObject): string => renderer.render(variables);
};

function attempt(render: () => string): string {
  try {
    return render();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `ERROR ${message.split('\n').at(-1)}`;
  }
}

function ours(template: string, wire: WireChat, engine: boolean): string {
  const renderer = createPromptRenderer({
    template,
    vocabulary,
    now: () => now,
    format: detectChatFormat(template),
    compile: engine ? compile : undefined,
  });
  const prompt = chat(wire.messages.map(fromWire as never), {
    tools: (wire.tools ?? []).map(fromWireTool as never),
    reasoning: wire.enableThinking === undefined ? {} : { enabled: wire.enableThinking },
  });
  return renderer.render(prompt).pieces.join('');
}

describe('x', () => {
  it.each([true, false])(
    'measure native=%s',
    (native) => {
      let same = 0,
        total = 0;
      for (const { name, text } of templates) {
        const [flags, thinks] = referenceFlags[name] ?? ['', false];
        const reference = { template: text, flags, thinks, bos: '<|bos|>', eos: '<|eos|>', now };
        for (const [situation, wire] of Object.entries(situations)) {
          const theirs = attempt(() => compile(text)(referenceVariables(wire, reference)));
          const mine = attempt(() => ours(text, wire, native));
          total++;
          if (theirs === mine) same++;
          else {
            let i = 0;
            while (i < theirs.length && theirs[i] === mine[i]) i++;
            console.log(
              native ? 'NATIVE' : 'HF',
              name,
              '|',
              situation,
              '\n   theirs:',
              JSON.stringify(theirs.slice(Math.max(0, i - 60), i + 120)),
              '\n   ours:  ',
              JSON.stringify(mine.slice(Math.max(0, i - 60), i + 120)),
            );
          }
        }
      }
      console.log('SAME', same, total);
    },
    100000,
  );
});
