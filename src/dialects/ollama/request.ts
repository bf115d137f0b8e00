import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import type { Message, Prompt } from '../../contract/request.ts';
import type { ParsedCall } from '../dialect.ts';
import { toolsField, toTools } from '../openai-chat/tools.ts';
import { optional, validate } from '../shared/validate.ts';
import { imagesField, messagesField, toMessages, withImages } from './messages.ts';
import { ollamaFields, toOptions, toReasoning, toWarnings } from './options.ts';

/** Ollama's docs/api.md, "Generate a chat completion". */
export const chatBody = z.object({ ...ollamaFields, messages: messagesField, tools: toolsField });

/** Ollama's docs/api.md, "Generate a completion". */
export const generateBody = z.object({
  ...ollamaFields,
  prompt: optional(z.string()),
  suffix: optional(z.string()),
  system: optional(z.string()),
  /** No template: the prompt is what the model sees. */
  raw: optional(z.boolean()),
  images: imagesField,
  template: optional(z.string()),
  context: optional(z.array(z.number())),
});

/** A call that generates nothing wants its model to be there, or gone. */
export interface OllamaCall extends ParsedCall {
  readonly wish?: 'load' | 'unload';
}

export function parseChat(body: unknown): OllamaCall {
  const wire = validate(chatBody, body);
  const messages = toMessages(wire.messages ?? []);
  const prompt: Prompt = {
    type: 'chat',
    messages,
    tools: toTools(wire.tools),
    toolChoice: { type: 'auto' },
    reasoning: toReasoning(wire.think),
    templateVariables: {},
    continueFinalMessage: true,
  };
  return toCall(wire, messages.length === 0 ? undefined : prompt);
}

export function parseGenerate(body: unknown): OllamaCall {
  const wire = validate(generateBody, body);
  if (wire.images?.length && (wire.raw || wire.suffix))
    throw unsupported('images', 'Leave `raw` and `suffix` out: images stand in front of a prompt that is a message.');
  if (wire.template)
    throw unsupported('template', 'The model file has its own. Send `raw` with the prompt as the model shall see it.');
  if (wire.context?.length) throw unsupported('context', 'Send the conversation as `messages` to /api/chat.');
  const call = toCall(wire, wire.prompt || wire.suffix || wire.images?.length ? toPrompt(wire) : undefined);
  return { ...call, withoutWordsForTools: true };
}

function toPrompt(wire: z.output<typeof generateBody>): Prompt {
  const text = wire.prompt ?? '';
  if (wire.suffix) return { type: 'infill', prefix: text, suffix: wire.suffix, extra: [] };
  if (wire.raw) return { type: 'text', text };
  const system: Message[] = wire.system ? [{ role: 'system', content: wire.system }] : [];
  return {
    type: 'chat',
    messages: [...system, { role: 'user', content: withImages(text, wire.images, 'images') }],
    tools: [],
    toolChoice: { type: 'none' },
    reasoning: toReasoning(wire.think),
    templateVariables: {},
    continueFinalMessage: true,
  };
}

/** A call without messages or prompt generates nothing: it loads the model, or with `keep_alive` 0 unloads it. */
function toCall(wire: Partial<z.output<z.ZodObject<typeof ollamaFields>>>, prompt: Prompt | undefined): OllamaCall {
  return {
    generations: prompt ? [{ ...toOptions(wire), prompt }] : [],
    stream: wire.stream ?? true,
    warnings: toWarnings(wire),
    ...(!prompt && { wish: isZero(wire.keep_alive) ? 'unload' : 'load' }),
    ...(!prompt && wire.model !== undefined && { model: wire.model }),
  };
}

function unsupported(param: string, instead: string): ServeError {
  return new ServeError('unsupported_parameter', `\`${param}\` is not supported. ${instead}`, { param });
}

/** `0`, `"0"`, `"0s"`. */
function isZero(keepAlive: string | number | undefined): boolean {
  return keepAlive !== undefined && Number.parseFloat(String(keepAlive)) === 0;
}
