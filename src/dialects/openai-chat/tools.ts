import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { Tool, ToolChoice } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import { optional, show, validate } from '../shared/validate.ts';

const toolName = z.string().min(1).max(256);

export const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: toolName,
    description: optional(z.string()),
    parameters: optional(z.record(z.string(), z.json())),
    strict: optional(z.boolean()),
  }),
});

export const toolsField = optional(z.array(z.json()).max(4096));

export const toolChoiceField = optional(z.json());

/** `[{type: "function", function: {...}}]`; templates see each definition as it came. */
export function toTools(list: readonly JsonValue[] | undefined): Tool[] {
  return (list ?? []).map((definition, index) => {
    refuseCustom(definition, index);
    const { function: wire } = validate(tool, definition, ['tools', index]);
    return defined({ ...wire, definition: withoutNulls(definition) });
  });
}

function refuseCustom(definition: JsonValue, index: number): void {
  const type = isJsonObject(definition) ? definition.type : undefined;
  if (typeof type !== 'string' || type === 'function') return;
  throw new ServeError(
    'unsupported_parameter',
    `\`tools[${index}].type\` is ${show(type)}, but this endpoint takes tools of type "function" only. Describe it as a function with one string parameter, or use /v1/responses.`,
    { param: `tools[${index}].type` },
  );
}

/**
 * Unset fields that a client wrote as null must not reach the prompt. Deeper ones are the schema's own: a default may
 * be null.
 */
function withoutNulls(definition: JsonValue): JsonObject {
  if (!isJsonObject(definition)) return {};
  const kept = (value: JsonObject) => Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  const outer = kept(definition);
  return isJsonObject(outer.function) ? { ...outer, function: kept(outer.function) } : outer;
}

const named = z.object({ type: z.literal('function'), function: z.object({ name: toolName }) });
/** The Responses API's flat form, which clients mix up with chat's. */
const flat = z.object({ type: z.literal('function'), name: toolName });
const mode = z.enum(['auto', 'required']);
const allowedList = { mode, tools: z.array(z.union([named, flat])).min(1) };
const allowed = z.object({ type: z.literal('allowed_tools'), allowed_tools: z.object(allowedList) });
const flatAllowed = z.object({ type: z.literal('allowed_tools'), ...allowedList });

export function toToolChoice(choice: JsonValue | undefined, tools: readonly Tool[]): ToolChoice {
  if (choice === undefined || choice === 'auto' || choice === 'none') return { type: choice ?? 'auto' };
  const wanted = readChoice(choice);
  checkToolChoice(wanted, tools);
  return wanted;
}

/** As toToolChoice, where the server's tools may be added: `checkToolChoice` comes when they are known. */
export function toOpenToolChoice(choice: JsonValue | undefined): ToolChoice {
  return choice === undefined || choice === 'auto' || choice === 'none'
    ? { type: choice ?? 'auto' }
    : readChoice(choice);
}

/** Throws unless these tools can be called so. */
export function checkToolChoice(wanted: ToolChoice, tools: readonly Pick<Tool, 'name'>[]): void {
  if (wanted.type === 'auto' || wanted.type === 'none') return;
  if (tools.length === 0)
    throw new ServeError('invalid_request', '`tool_choice` asks for a call, but the request offers no `tools`.', {
      param: 'tool_choice',
    });
  const missing = namesOf(wanted).find((name) => !tools.some((offered) => offered.name === name));
  if (missing === undefined) return;
  throw new ServeError(
    'invalid_request',
    `\`tool_choice\` names the tool ${show(missing)}, but \`tools\` has only ${tools
      .map(({ name }) => show(name))
      .join(', ')
      .slice(0, 500)}.`,
    { param: 'tool_choice' },
  );
}

function readChoice(choice: JsonValue): ToolChoice {
  if (choice === 'required' || choice === 'any') return { type: 'required' };
  const type = isJsonObject(choice) ? choice.type : undefined;
  if (type === 'function') {
    const isFlat = isJsonObject(choice) && choice.function === undefined;
    return { type: 'function', name: nameOf(validate(isFlat ? flat : named, choice, ['tool_choice'])) };
  }
  if (type === 'allowed_tools') {
    const isFlat = isJsonObject(choice) && choice.allowed_tools === undefined;
    const checked = validate(isFlat ? flatAllowed : allowed, choice, ['tool_choice']);
    const list = 'allowed_tools' in checked ? checked.allowed_tools : checked;
    return { type: 'allowed', mode: list.mode, names: list.tools.map(nameOf) };
  }
  throw new ServeError(
    'invalid_request',
    `\`tool_choice\` is ${show(choice)}, but must be "auto", "none", "required", a function by name, or allowed_tools.`,
    { param: 'tool_choice' },
  );
}

function nameOf(choice: z.output<typeof named> | z.output<typeof flat>): string {
  return 'function' in choice ? choice.function.name : choice.name;
}

function namesOf(choice: ToolChoice): readonly string[] {
  if (choice.type === 'function') return [choice.name];
  return choice.type === 'allowed' ? choice.names : [];
}
