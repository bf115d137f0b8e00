import { z } from 'zod';
import type { Content, ContentPart, Message, ToolCall } from '../../contract/request.ts';
import { audioAt, audioOf } from '../shared/audio.ts';
import { defined } from '../shared/defined.ts';
import { imageAt } from '../shared/images.ts';
import { optional, show, validate } from '../shared/validate.ts';

/**
 * Messages of OpenAI's chat API, checked per role. A part that is neither text nor an image nor audio is refused rather
 * than dropped: an answer to half a question looks like an answer.
 */

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const refusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() });

/** `detail` is a wish about the price: a model's own processor decides how large an image becomes. */
const address = z.union([z.string(), z.object({ url: z.string(), detail: optional(z.string()) })]);
const imagePart = z.object({ type: z.literal('image_url'), image_url: address });
/** As the Responses API has it; clients mix the two. */
const inputImagePart = z.object({ type: z.literal('input_image'), image_url: address });

/** `format` says what the file's first bytes say too. */
const inputAudioPart = z.object({
  type: z.literal('input_audio'),
  input_audio: z.object({ data: z.string(), format: optional(z.string()) }),
});
/** As vLLM has it beside `image_url`. */
const audioPart = z.object({ type: z.literal('audio_url'), audio_url: address });

const otherPart = z.object({ type: z.enum(['file', 'video_url', 'input_file']) }).superRefine(({ type }, context) => {
  context.addIssue({
    code: 'custom',
    path: ['type'],
    message: `This server takes text, images and audio, and a content part is of type ${show(type)}. Leave it out or describe it in words.`,
    params: { code: 'unsupported_parameter' },
  });
});

const part = z.discriminatedUnion('type', [
  textPart,
  refusalPart,
  imagePart,
  inputImagePart,
  inputAudioPart,
  audioPart,
  otherPart,
]);

type WirePart = z.output<typeof part>;

const maxParts = 10_000;

/** Counted before any is looked at, so that a list without bounds costs nothing. */
const content = z.union([z.string(), z.array(z.unknown()).max(maxParts).pipe(z.array(part))]);

function contentOf(given: string | readonly WirePart[], param: string): Content {
  return typeof given === 'string' ? given : given.map((each, index) => contentPart(each, `${param}[${index}]`));
}

function contentPart(value: WirePart, param: string): ContentPart {
  switch (value.type) {
    case 'text':
      return { type: 'text', text: value.text };
    case 'refusal':
      return { type: 'text', text: value.refusal };
    case 'image_url':
    case 'input_image':
      return imageAt(urlOf(value.image_url), `${param}.image_url`);
    case 'input_audio':
      return audioOf(value.input_audio.data, `${param}.input_audio.data`);
    case 'audio_url':
      return audioAt(urlOf(value.audio_url), `${param}.audio_url`);
    default:
      // Refused by its schema.
      return { type: 'text', text: '' };
  }
}

function urlOf(given: z.output<typeof address>): string {
  return typeof given === 'string' ? given : given.url;
}

const toolCall = z.object({
  id: z.string().min(1),
  type: optional(z.literal('function')),
  function: z.object({
    name: z.string().min(1),
    /** Text as the API has it; some clients replay the parsed object. */
    arguments: z.union([z.string(), z.record(z.string(), z.json()).transform((value) => JSON.stringify(value))]),
  }),
});

const name = optional(z.string());

const onlyAssistant = z
  .unknown()
  .optional()
  .superRefine((value, context) => {
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return;
    context.addIssue({ code: 'custom', message: 'Only an assistant message may carry `tool_calls`.' });
  });

const plain = { content, name, tool_calls: onlyAssistant };

const assistant = z.object({
  role: z.literal('assistant'),
  content: optional(content),
  refusal: optional(z.string()),
  reasoning: optional(z.string()),
  reasoning_content: optional(z.string()),
  tool_calls: optional(z.array(toolCall)),
  audio: optional(z.json()),
  function_call: optional(z.json()),
  name,
});

type WireAssistant = z.output<typeof assistant>;

export const message = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), ...plain }),
  z.object({ role: z.literal('developer'), ...plain }),
  z.object({ role: z.literal('user'), ...plain }),
  z.object({ role: z.literal('tool'), ...plain, tool_call_id: z.string().min(1) }),
  assistant.superRefine(refuseEmptyAnswer),
]);

type WireMessage = z.output<typeof message>;

export const messagesField = z.array(z.unknown()).min(1).max(10_000);

/** Messages one by one, so that an error can say which one and a long list costs no more than its own length. */
export function toMessages(list: readonly unknown[]): Message[] {
  return list.map((entry, index) =>
    toMessage(validate(message, entry, ['messages', index]), `messages[${index}].content`),
  );
}

function toMessage(wire: WireMessage, param: string): Message {
  switch (wire.role) {
    case 'system':
    case 'developer':
    case 'user':
      return defined({ role: wire.role, content: contentOf(wire.content, param), name: wire.name });
    case 'tool':
      return defined({
        role: wire.role,
        content: contentOf(wire.content, param),
        toolCallId: wire.tool_call_id,
        name: wire.name,
      });
    case 'assistant':
      return toAssistant(wire, param);
    default:
      return wire satisfies never;
  }
}

function toAssistant(wire: WireAssistant, param: string): Message {
  const answer: Content | null = wire.content === undefined ? (wire.refusal ?? null) : contentOf(wire.content, param);
  return defined({
    role: wire.role,
    content: answer,
    reasoning: wire.reasoning || wire.reasoning_content || undefined,
    toolCalls: wire.tool_calls?.length ? wire.tool_calls.map(toToolCall) : undefined,
    name: wire.name,
  });
}

function toToolCall(wire: z.output<typeof toolCall>): ToolCall {
  return { id: wire.id, name: wire.function.name, arguments: wire.function.arguments };
}

function refuseEmptyAnswer(wire: WireAssistant, context: z.RefinementCtx): void {
  const unsupported = (['audio', 'function_call'] as const).find((field) => wire[field] !== undefined);
  if (unsupported !== undefined) {
    context.addIssue({
      code: 'custom',
      path: [unsupported],
      message: `An assistant message with \`${unsupported}\` is not supported. ${instead[unsupported]}`,
      params: { code: 'unsupported_parameter' },
    });
    return;
  }
  const said = wire.content ?? wire.refusal ?? wire.reasoning ?? wire.reasoning_content;
  if (said !== undefined || wire.tool_calls?.length) return;
  context.addIssue({
    code: 'custom',
    path: ['content'],
    message: 'An assistant message needs `content` or `tool_calls`, and this one has neither.',
  });
}

const instead = {
  audio: 'Send its transcript as `content`.',
  function_call: 'Send it as an entry of `tool_calls`.',
} as const;
