import { z } from 'zod';
import { isJsonObject } from '../../contract/json.ts';
import type { ParsedCall } from '../dialect.ts';
import { messagesField, toMessages } from '../openai-chat/messages.ts';
import { defined } from '../shared/defined.ts';
import { ignoredSamplers } from '../shared/ignored-samplers.ts';
import { imageOf, withImage } from '../shared/images.ts';
import { extensionFields, samplingFields, toRequestOptions } from '../shared/sampling.ts';
import { optional, rule, validate } from '../shared/validate.ts';

/** The plain chat stream of Unsloth Studio's backend: messages of role and content, and a handful of numbers. */
export const studioBody = z.object({
  ...samplingFields,
  ...extensionFields,
  model: optional(z.string()),
  messages: messagesField,
  system_prompt: optional(z.string()),
  /** An image for the last message of the user. */
  image_base64: optional(z.string()),
  max_new_tokens: optional(
    rule(z.int(), (value) => value === -1 || value >= 1, 'at least 1, or -1 for the rest of the context'),
  ),
});

export function parse(body: unknown): ParsedCall {
  const wire = validate(studioBody, body);
  const written = toMessages(wire.messages);
  const messages = wire.image_base64 ? withImage(written, imageOf(wire.image_base64, 'image_base64')) : written;
  return {
    generations: [
      {
        ...toRequestOptions(wire),
        ...defined({ model: wire.model }),
        prompt: {
          type: 'chat',
          messages: wire.system_prompt ? [{ role: 'system', content: wire.system_prompt }, ...messages] : messages,
          tools: [],
          toolChoice: { type: 'none' },
          // There is only one stream of text, in which this client finds the thinking by its tags.
          reasoning: { format: 'none' },
          templateVariables: {},
          continueFinalMessage: true,
        },
        maxTokens: wire.max_new_tokens ?? -1,
        stop: [],
        outputShape: { type: 'text' },
      },
    ],
    stream: true,
    withoutWordsForTools: true,
    warnings: isJsonObject(body) ? ignoredSamplers(body) : [],
  };
}
