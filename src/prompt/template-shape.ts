import type { RenderTemplate } from '../contract/chat-format.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { readsEffort } from './efforts.ts';

/** What a template understands, found by rendering made-up conversations. */
export interface TemplateShape {
  readonly systemRole: boolean;
  /** More than one system message in front, and one later on. */
  readonly secondSystem: boolean;
  readonly laterSystem: boolean;
  /** Where messages of a developer keep their role; elsewhere they are system messages. */
  readonly developerRole: 'anywhere' | 'first' | 'nowhere';
  /** Parts go to templates that read them in every message; `string` gets their texts joined with line breaks. */
  readonly content: 'either' | 'string' | 'parts';
  /** White space around texts leads the model into loops (StepFun). */
  readonly trimmedTexts: boolean;
  /** The answer's JSON schema is described to the model (DeepSeek V4). */
  readonly responseSchema: boolean;
  /** The variable that describes tools to the model; undefined: the template has none. */
  readonly toolsVariable: 'tools' | 'xml_tools' | 'functions' | undefined;
  /** The template fails on tools without description or parameters. */
  readonly wantsWholeTools: boolean;
  /** Whether calls are shown; `null-content`: only those of messages without content. */
  readonly toolCalls: 'shown' | 'null-content' | 'none';
  /** Arguments are handed over as an object. */
  readonly objectArguments: boolean;
  /** Arguments that are text are shown as they are. */
  readonly textArguments: boolean;
  /** Ids must have exactly nine letters or digits (Mistral). */
  readonly shortIds: boolean;
  /** How results are handed over; `responses` is a list on the assistant message (older Gemma 4 templates). */
  readonly toolResults: 'role' | 'responses' | 'none';
  /** Where a thought goes; `thinking-part` is a part of the content (Ministral 3). */
  readonly reasoningField: 'reasoning_content' | 'reasoning' | 'thinking' | 'thinking-part' | undefined;
  /** The variable that switches thinking off. */
  readonly thinkingSwitch: 'enable_thinking' | 'thinking' | undefined;
  readonly readsEffort: boolean;
  /** Thoughts of earlier turns stay in the prompt when asked for. */
  readonly preservesReasoning: boolean;
  /** What add_generation_prompt appends, with thinking on and off; undefined: the template does not read it. */
  readonly generationPrompts: readonly string[] | undefined;
}

const user = { role: 'user', content: 'user-needle' };
const answer = { role: 'assistant', content: 'answer-needle' };
const described = {
  description: 'describes',
  parameters: { type: 'object', properties: { key_needle: { type: 'string' } }, required: ['key_needle'] },
};
const tool = { type: 'function', function: { name: 'tool_needle', ...described } };
const withTool = { tools: [tool] };

/** Renders the conversation, undefined when the template or its engine refuses. */
type Attempt = (messages: readonly JsonObject[], variables?: JsonObject) => string | undefined;

export function templateShape(template: string, render: RenderTemplate, base: JsonObject): TemplateShape {
  const attempt: Attempt = (messages, variables = {}) => {
    try {
      return render({ ...base, messages, add_generation_prompt: true, enable_thinking: true, ...variables });
    } catch {
      return undefined;
    }
  };
  const reasoningField = findReasoningField(attempt);
  return {
    ...systemRoles(attempt),
    developerRole: developerRole(attempt),
    content: contentShape(template, attempt),
    trimmedTexts: template.includes('You have access to the following functions in JSONSchema format'),
    responseSchema: /response_format\s*\|\s*tojson/.test(template),
    toolsVariable: toolsVariable(attempt),
    wantsWholeTools:
      attempt([user], { tools: [{ type: 'function', function: { name: 'tool_needle' } }] }) === undefined,
    toolCalls: showsCalls(attempt),
    objectArguments: takesObjects(attempt),
    textArguments: shows(attempt(textCall, withTool), '{"key_needle": "value_needle"}'),
    shortIds: wantsShortIds(attempt),
    toolResults: resultsShape(template, attempt),
    reasoningField,
    thinkingSwitch: thinkingSwitch(attempt),
    readsEffort: readsEffort(template),
    preservesReasoning: preserves(attempt, reasoningField),
    generationPrompts: template.includes('add_generation_prompt')
      ? generationPrompts(attempt, String(base.eos_token))
      : undefined,
  };
}

function shows(rendered: string | undefined, ...needles: string[]): boolean {
  return needles.every((needle) => rendered?.includes(needle) ?? false);
}

function systemRoles(attempt: Attempt) {
  const first = { role: 'system', content: 'first-needle' };
  const second = { role: 'system', content: 'second-needle' };
  return {
    systemRole: shows(attempt([first, user]), 'first-needle'),
    secondSystem: shows(attempt([first, second, user]), 'first-needle', 'second-needle'),
    laterSystem: shows(attempt([first, user, answer, second, user]), 'first-needle', 'second-needle', 'answer-needle'),
  };
}

/** Templates that write any role's name know none: what they show must differ from what an invented role shows. */
function developerRole(attempt: Attempt): TemplateShape['developerRole'] {
  const isKnown = (before: readonly JsonObject[]) => {
    const written = (role: string) => attempt([...before, { role, content: 'text-needle' }, user]);
    const developer = written('developer');
    return (
      shows(developer, 'text-needle') && developer !== written('role-needle')?.replaceAll('role-needle', 'developer')
    );
  };
  if (!isKnown([])) return 'nowhere';
  const isKnownLater = [[{ role: 'system', content: 'system-needle' }], [user, answer]].every(isKnown);
  return isKnownLater ? 'anywhere' : 'first';
}

function contentShape(template: string, attempt: Attempt): TemplateShape['content'] {
  const parts = attempt([{ role: 'user', content: [{ type: 'text', text: 'user-needle' }] }]);
  const partsWork = shows(parts, 'user-needle') && !/['"]type['"]/.test(parts ?? '');
  if (!shows(attempt([user]), 'user-needle')) return partsWork ? 'parts' : 'string';
  return partsWork && takesEmptyList(template, attempt) ? 'either' : 'string';
}

/** llama.cpp hands parts only to templates that also go through an empty list of them; so texts get the same bytes. */
function takesEmptyList(template: string, attempt: Attempt): boolean {
  const skipsEmpty = /if message\.get\(["']content["']\)/.test(template);
  return !skipsEmpty && attempt([{ role: 'user', content: [] }]) !== undefined;
}

function toolsVariable(attempt: Attempt): TemplateShape['toolsVariable'] {
  const variables = { tools: [tool], xml_tools: [tool], functions: JSON.stringify([tool]) } as const;
  const names = ['tools', 'xml_tools', 'functions'] as const;
  return names.find((name) => shows(attempt([user], { [name]: variables[name] }), 'tool_needle'));
}

function callTurn(args: JsonValue, extra: JsonObject = {}): JsonObject[] {
  const call = { type: 'function', function: { name: 'tool_needle', arguments: args }, id: 'call00001' };
  return [user, { role: 'assistant', content: '', ...extra, tool_calls: [call] }];
}

const objectCall = callTurn({ key_needle: 'value_needle' });
const textCall = callTurn('{"key_needle": "value_needle"}');
const result = { role: 'tool', content: 'result-needle', tool_call_id: 'call00001' };

function showsCalls(attempt: Attempt): TemplateShape['toolCalls'] {
  const shown = (extra: JsonObject) => {
    const begun = [callTurn({ key_needle: 'value_needle' }, extra), callTurn('{"key_needle": "value_needle"}', extra)];
    const turns = begun.flatMap((turn) => [turn, [...turn, result, answer, user]]);
    return turns.some((turn) => [{}, withTool].some((variables) => shows(attempt(turn, variables), 'value_needle')));
  };
  if (shown({})) return 'shown';
  return shown({ content: null }) ? 'null-content' : 'none';
}

/** Objects are preferred: most templates write them with tojson, which would quote a string once more. */
function takesObjects(attempt: Attempt): boolean {
  const object = [objectCall, [...objectCall, result, answer, user]]
    .map((turn) => attempt(turn, withTool))
    .find((rendered) => shows(rendered, 'value_needle'));
  if (object === undefined || object.includes('[object')) return false;
  // Python's way of writing a dict is no JSON: the template expects text here.
  return !(object.includes("{'key_needle'") && shows(attempt(textCall, withTool), '{"key_needle": "value_needle"}'));
}

function wantsShortIds(attempt: Attempt): boolean {
  const renamed = (id: string) => {
    const call = { type: 'function', function: { name: 'tool_needle', arguments: '{}' }, id };
    return attempt([user, { role: 'assistant', content: '', tool_calls: [call] }], withTool);
  };
  return renamed('call00001') !== undefined && renamed('call_needle_longer') === undefined;
}

function resultsShape(template: string, attempt: Attempt): TemplateShape['toolResults'] {
  const readsRole = /['"]tool['"]/.test(template.replace(/prev_message_type\s*=\s*'tool'/g, ''));
  if (template.includes('tool_responses') && !readsRole) return 'responses';
  const begun = [objectCall, textCall, callTurn('{}', { content: null })];
  const turns = begun.flatMap((turn) => [
    [...turn, result],
    [...turn, result, answer, user],
  ]);
  return turns.some((turn) => shows(attempt(turn, withTool), 'result-needle')) ? 'role' : 'none';
}

function findReasoningField(attempt: Attempt): TemplateShape['reasoningField'] {
  const shown = (thought: JsonObject) => {
    const turns = [callTurn({ key_needle: 'v' }, thought), callTurn('{}', thought), [user, { ...answer, ...thought }]];
    return turns.some((turn) => [{}, withTool].some((variables) => shows(attempt(turn, variables), 'thought-needle')));
  };
  const fields = ['reasoning_content', 'reasoning', 'thinking'] as const;
  const field = fields.find((name) => shown({ [name]: 'thought-needle' }));
  if (field) return field;
  const part = attempt([user, { ...answer, content: thinkingParts('thought-needle', 'answer-needle') }]);
  return shows(part, 'thought-needle', 'answer-needle') && !part?.includes('type') ? 'thinking-part' : undefined;
}

/** Thought and text as parts of one content. */
export function thinkingParts(thought: string, text: string): JsonObject[] {
  return [{ type: 'thinking', thinking: thought }, ...(text === '' ? [] : [{ type: 'text', text }])];
}

function thinkingSwitch(attempt: Attempt): TemplateShape['thinkingSwitch'] {
  return (['enable_thinking', 'thinking'] as const).find(
    (name) => attempt([user], { [name]: true }) !== attempt([user], { [name]: false }),
  );
}

function preserves(attempt: Attempt, field: TemplateShape['reasoningField']): boolean {
  if (field === undefined) return false;
  const thought =
    field === 'thinking-part' ? { content: thinkingParts('thought-needle', 'a') } : { [field]: 'thought-needle' };
  return shows(attempt([user, { ...answer, ...thought }, user], preservation(true)), 'thought-needle');
}

function generationPrompts(attempt: Attempt, eosText: string): string[] {
  const found = [true, false].map((thinking) => {
    const variables = { enable_thinking: thinking, thinking };
    // False rather than undefined: some templates take its absence for a yes.
    const without = attempt([user], { ...variables, add_generation_prompt: false });
    const rendered = attempt([user], variables);
    return rendered === undefined || without === undefined ? '' : appended(rendered, without, eosText);
  });
  return [...new Set(found)].filter((text) => text !== '').sort((a, b) => b.length - a.length);
}

/** What a prompt has more than the same one without generation prompt, which some templates end with the EOS text. */
export function appended(rendered: string, without: string, eosText: string): string {
  const begins = [without, without.endsWith(eosText) ? without.slice(0, without.length - eosText.length) : without];
  const begin = begins.find((text) => text !== '' && rendered.startsWith(text));
  return begin === undefined ? '' : rendered.slice(begin.length);
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
