import { z } from 'zod';

/** A call that the server ran, with what came of it. */
const ranCall = z.object({ id: z.string(), name: z.string(), arguments: z.string(), result: z.string() });
export type RanCall = Readonly<z.output<typeof ranCall>>;

const message = z.discriminatedUnion('role', [
  z.object({
    role: z.literal('user'),
    text: z.string(),
    /** As `data:` addresses. */
    images: z.array(z.string()).readonly(),
  }),
  z.object({
    role: z.literal('assistant'),
    text: z.string(),
    thought: z.string(),
    calls: z.array(ranCall).readonly(),
  }),
]);
export type Message = Readonly<z.output<typeof message>>;

/** Settings go into the request as they are named. */
export const settingKinds = {
  temperature: 'number',
  top_p: 'number',
  top_k: 'number',
  min_p: 'number',
  repeat_penalty: 'number',
  presence_penalty: 'number',
  frequency_penalty: 'number',
  max_tokens: 'number',
  seed: 'number',
  stop: 'text',
} as const satisfies Record<string, 'number' | 'text'>;
export type SettingName = keyof typeof settingKinds;

/** `auto` leaves it to the model. */
export const thinkWords = ['auto', 'on', 'off', 'low', 'medium', 'high'] as const;
export type ThinkWord = (typeof thinkWords)[number];

const savedChat = z.object({
  format: z.literal('serve-model-chat'),
  version: z.literal(1),
  /** Undefined: the server's own choice. */
  model: z.string().optional(),
  system: z.string(),
  think: z.enum(thinkWords),
  settings: z.partialRecord(z.enum(Object.keys(settingKinds) as SettingName[]), z.union([z.number(), z.string()])),
  messages: z.array(message).readonly(),
});

/** All that makes the next request, and all that is saved. */
export interface Conversation {
  readonly model: string | undefined;
  readonly system: string;
  readonly think: ThinkWord;
  readonly settings: Readonly<Partial<Record<SettingName, number | string>>>;
  readonly messages: readonly Message[];
}

export function newConversation(model: string | undefined): Conversation {
  return { model, system: '', think: 'auto', settings: {}, messages: [] };
}

/** The part of a body of `/v1/chat/completions` that the conversation decides. */
export function requestOf({ model, system, think, settings, messages }: Conversation): object {
  return {
    ...(model !== undefined && { model }),
    ...settings,
    ...thinkFields(think),
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...messages.flatMap(wireMessages)],
  };
}

function thinkFields(think: ThinkWord): object {
  switch (think) {
    case 'auto':
      return {};
    case 'on':
    case 'off':
      return { enable_thinking: think === 'on' };
    case 'low':
    case 'medium':
    case 'high':
      return { reasoning_effort: think };
    default:
      return think satisfies never;
  }
}

function wireMessages(message: Message): object[] {
  if (message.role === 'user') {
    const { text, images } = message;
    if (images.length === 0) return [{ role: 'user', content: text }];
    const parts = images.map((url) => ({ type: 'image_url', image_url: { url } }));
    return [{ role: 'user', content: [...parts, { type: 'text', text }] }];
  }
  const { text, thought, calls } = message;
  const said = { role: 'assistant', content: text, ...(thought !== '' && { reasoning_content: thought }) };
  if (calls.length === 0) return [said];
  const asked = calls.map(({ id, name, arguments: written }) => ({
    id,
    type: 'function',
    function: { name, arguments: written },
  }));
  const results = calls.map(({ id, result }) => ({ role: 'tool', tool_call_id: id, content: result }));
  return [{ role: 'assistant', content: '', tool_calls: asked }, ...results, said];
}

export function saveText(conversation: Conversation): string {
  const saved = { format: 'serve-model-chat', version: 1, ...conversation };
  return `${JSON.stringify(saved, undefined, 2)}\n`;
}

/** Throws an Error whose message continues the sentence `FILE ...`. */
export function readSaved(text: string): Conversation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('is no saved chat');
  }
  const { data } = savedChat.safeParse(value);
  if (!data) throw new Error('is no saved chat');
  const { model, system, think, settings, messages } = data;
  return { model, system, think, settings: settings as Conversation['settings'], messages };
}
