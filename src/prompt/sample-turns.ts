import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { VocabularyFacts } from '../contract/model.ts';
import { type SampleTurns, sampleWords } from '../contract/sample-turns.ts';
import { type CompileTemplate, jinjaCompiler, withFallback } from './jinja.ts';

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
  const attempt = (turn: JsonObject): string | undefined => {
    try {
      const messages = [user, { role: 'assistant', content: '', ...turn }];
      const variables = { bos_token: bosText, eos_token: eosText, tools, enable_thinking: true };
      return (compile ? withFallback(compile, own) : own)(template)({ ...variables, messages });
    } catch {
      return undefined;
    }
  };
  const shown = (word: string, ...turns: readonly JsonObject[]) =>
    turns.map(attempt).find((text) => text?.includes(word));
  const answer = shown(sampleWords.answer, { content: sampleWords.answer });
  if (answer === undefined) return undefined;
  const thoughts = ['reasoning_content', 'reasoning', 'thinking'].map((field) => ({
    content: sampleWords.answer,
    [field]: sampleWords.thought,
  }));
  return {
    answer,
    thought: shown(sampleWords.thought, ...thoughts),
    call: shown(sampleWords.value, ...callTurns(1)),
    calls: shown(sampleWords.value, ...callTurns(2)),
  };
}

function callTurns(count: number): JsonObject[] {
  const args: readonly JsonValue[] = [
    { [sampleWords.key]: sampleWords.value },
    JSON.stringify({ [sampleWords.key]: sampleWords.value }),
  ];
  return args.map((written) => ({
    tool_calls: Array.from({ length: count }, (_, index) => ({
      type: 'function',
      function: { name: sampleWords.tool, arguments: written },
      id: `call0000${index}`,
    })),
  }));
}
