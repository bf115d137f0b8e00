import type { CompileTemplate, RenderTemplate } from '../contract/chat-format.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { VocabularyFacts } from '../contract/model.ts';
import { type SampleTurns, sampleWords } from '../contract/sample-turns.ts';
import { jinjaCompiler, withFallback } from './jinja.ts';
import { appended, thinkingParts } from './template-shape.ts';

const user = { role: 'user', content: 'Question?' };
const tools = [
  {
    type: 'function',
    function: {
      name: sampleWords.tool,
      description: 'describes',
      parameters: { type: 'object', properties: { [sampleWords.key]: { type: 'string' } }, required: [] },
    },
  },
];

/** Renders turns of an assistant from which a family's markup can be told; undefined when not even an answer renders. */
export function renderSampleTurns(
  template: string,
  { bosText, eosText }: Pick<VocabularyFacts, 'bosText' | 'eosText'>,
  now: () => Date,
  compile?: CompileTemplate,
): SampleTurns | undefined {
  const own = jinjaCompiler(now);
  const base = { bos_token: bosText, eos_token: eosText, tools };
  let render: RenderTemplate | undefined;
  const attempt = (messages: readonly JsonObject[], thinking = true, prompt: JsonObject = {}): string | undefined => {
    try {
      render ??= (compile ? withFallback(compile, own) : own)(template);
      return render({ ...base, enable_thinking: thinking, ...prompt, messages: [user, ...messages] });
    } catch {
      return undefined;
    }
  };
  const shown = (word: string, ...turns: readonly JsonObject[]) =>
    turns
      .map((turn) => attempt([{ role: 'assistant', content: '', ...turn }]))
      // Parts that the template does not know are printed as they are.
      .find((text) => text?.includes(word) && !/['"]thinking['"]/.test(text));
  const answer = shown(sampleWords.answer, { content: sampleWords.answer });
  if (answer === undefined) return undefined;
  const fields = ['reasoning_content', 'reasoning', 'thinking'].map((field) => ({ [field]: sampleWords.thought }));
  const parts = { content: thinkingParts(sampleWords.thought, sampleWords.answer) };
  const generationPrompt = (thinking: boolean) => {
    const [rendered = '', without = ''] = [true, false].map((wanted) =>
      attempt([], thinking, { thinking, add_generation_prompt: wanted }),
    );
    return appended(rendered, without, eosText);
  };
  return {
    answer,
    thought: shown(sampleWords.thought, ...fields.map((field) => ({ content: sampleWords.answer, ...field })), parts),
    call: shown(sampleWords.value, ...callTurns(1)),
    calls: shown(sampleWords.value, ...callTurns(2)),
    thoughtfulCall: shown(sampleWords.thought, ...fields.flatMap((field) => callTurns(1, field))),
    generationPrompt: generationPrompt(true),
    generationPromptWithoutThought: generationPrompt(false),
  };
}

function callTurns(count: number, extra: JsonObject = {}): JsonObject[] {
  const args: readonly JsonValue[] = [
    { [sampleWords.key]: sampleWords.value },
    JSON.stringify({ [sampleWords.key]: sampleWords.value }),
  ];
  return args.map((written) => ({
    ...extra,
    tool_calls: Array.from({ length: count }, (_, index) => ({
      type: 'function',
      function: { name: sampleWords.tool, arguments: written },
      id: `call0000${index}`,
    })),
  }));
}
