import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { RenderTemplate } from './jinja.ts';

/** What a template understands, found by rendering made-up conversations. */
export interface TemplateShape {
  readonly systemRole: boolean;
  readonly developerRole: boolean;
  readonly content: 'either' | 'string' | 'parts';
  /** Tool arguments are handed over as an object. */
  readonly objectArguments: boolean;
  readonly tools: boolean;
  readonly toolCalls: boolean;
  readonly reasoningField: 'reasoning_content' | 'reasoning' | 'thinking';
  /** Old thoughts can be shown. */
  readonly reasoningShown: boolean;
  /** The variable that switches thinking off, when one does. */
  readonly thinkingSwitch: 'enable_thinking' | 'thinking' | undefined;
  readonly readsEffort: boolean;
  readonly preservesReasoning: boolean;
}

const user = { role: 'user', content: 'user-needle' };
const tool = {
  type: 'function',
  function: {
    name: 'tool_needle',
    description: 'describes',
    parameters: { type: 'object', properties: { key_needle: { type: 'string' } }, required: ['key_needle'] },
  },
};

/** Renders the conversation, undefined when the template or its engine refuses. */
type Try = (messages: readonly JsonObject[], variables?: JsonObject) => string | undefined;

export function probeTemplate(template: string, render: RenderTemplate, base: JsonObject): TemplateShape {
  const attempt: Try = (messages, variables = {}) => {
    try {
      return render({ ...base, messages, add_generation_prompt: true, enable_thinking: true, ...variables });
    } catch {
      return undefined;
    }
  };
  const reasoningField = findReasoningField(attempt);
  return {
    systemRole: attempt([{ role: 'system', content: 'system-needle' }, user])?.includes('system-needle') ?? false,
    developerRole: template.includes('developer') || template.includes('<|channel|>'),
    content: contentShape(attempt),
    objectArguments: takesObjects(attempt),
    tools: attempt([user], { tools: [tool] })?.includes('tool_needle') ?? false,
    toolCalls: attempt(callTurn({ key_needle: 'value_needle' }))?.includes('value_needle') ?? false,
    reasoningField: reasoningField ?? 'reasoning_content',
    reasoningShown: reasoningField !== undefined,
    thinkingSwitch: thinkingSwitch(attempt),
    readsEffort: template.includes('reasoning_effort') || template.includes('reasoning_strength'),
    preservesReasoning: preserves(attempt, reasoningField),
  };
}

function contentShape(attempt: Try): TemplateShape['content'] {
  const plain = attempt([user]);
  const parts = attempt([{ role: 'user', content: [{ type: 'text', text: 'user-needle' }] }]);
  const plainWorks = plain?.includes('user-needle') ?? false;
  const partsWork = (parts?.includes('user-needle') ?? false) && !/['"]type['"]/.test(parts ?? '');
  if (plainWorks) return partsWork ? 'either' : 'string';
  return partsWork ? 'parts' : 'string';
}

function callTurn(args: JsonValue, extra: JsonObject = {}): JsonObject[] {
  const call = { type: 'function', function: { name: 'tool_needle', arguments: args }, id: 'call00001' };
  return [user, { role: 'assistant', content: '', ...extra, tool_calls: [call] }];
}

/** Objects are preferred: most templates write them with tojson, which would quote a string once more. */
function takesObjects(attempt: Try): boolean {
  const variables = { tools: [tool] };
  const object = attempt(callTurn({ key_needle: 'value_needle' }), variables);
  if (!object?.includes('value_needle') || object.includes('[object')) return false;
  const text = attempt(callTurn('{"key_needle": "value_needle"}'), variables);
  // Python's way of writing a dict is no JSON: the template expects text here.
  return !(object.includes("{'key_needle'") && text?.includes('{"key_needle": "value_needle"}'));
}

function findReasoningField(attempt: Try): TemplateShape['reasoningField'] | undefined {
  const fields = ['reasoning_content', 'reasoning', 'thinking'] as const;
  const shown = (field: string) =>
    [{ tools: [tool] }, {}].some((variables) => {
      const thought = { [field]: 'thought-needle' };
      const turns = [callTurn({ key_needle: 'v' }, thought), [user, { role: 'assistant', content: 'c', ...thought }]];
      return turns.some((turn) => attempt(turn, variables)?.includes('thought-needle'));
    });
  return fields.find(shown);
}

function thinkingSwitch(attempt: Try): TemplateShape['thinkingSwitch'] {
  return (['enable_thinking', 'thinking'] as const).find(
    (name) => attempt([user], { [name]: true }) !== attempt([user], { [name]: false }),
  );
}

function preserves(attempt: Try, field: string | undefined): boolean {
  if (!field) return false;
  const messages = [user, { role: 'assistant', content: 'answer', [field]: 'thought-needle' }, user];
  return attempt(messages, preservation(true))?.includes('thought-needle') ?? false;
}

/** The names under which templates ask whether old thoughts stay in the prompt. */
export function preservation(keep: boolean): JsonObject {
  return {
    preserve_thinking: keep,
    clear_thinking: !keep,
    truncate_history_thinking: !keep,
    drop_thinking: !keep,
  };
}
