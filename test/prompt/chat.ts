import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import type { VocabularyFacts } from '../../src/contract/model.ts';
import type { ChatPrompt, Content, Message, Tool } from '../../src/contract/request.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { createPromptRenderer, type PromptRendererOptions } from '../../src/prompt/renderer.ts';

export const vocabulary: VocabularyFacts = {
  size: 4096,
  bosText: '',
  eosText: '<|im_end|>',
  addsBos: false,
  addsEos: false,
  controlTexts: ['<|im_start|>', '<|im_end|>'],
  infill: undefined,
};

export function chat(messages: readonly Message[], more: Partial<ChatPrompt> = {}): ChatPrompt {
  return {
    type: 'chat',
    messages,
    tools: [],
    toolChoice: { type: 'auto' },
    reasoning: {},
    templateVariables: {},
    continueFinalMessage: true,
    ...more,
  };
}

interface WireMessage {
  readonly role: string;
  readonly content?: Content | null;
  readonly reasoning_content?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly {
    readonly id?: string;
    readonly function: { readonly name: string; readonly arguments: string | object };
  }[];
}

/** OpenAI's message shape, as fixtures are written, in the contract's words. */
export function fromWire(message: WireMessage): Message {
  const content = message.content ?? '';
  switch (message.role) {
    case 'tool':
      return { role: 'tool', content, toolCallId: message.tool_call_id ?? '' };
    case 'assistant':
      return {
        role: 'assistant',
        content,
        ...(message.reasoning_content && { reasoning: message.reasoning_content }),
        toolCalls: (message.tool_calls ?? []).map(({ id = '', function: { name, arguments: args } }) => ({
          id,
          name,
          arguments: typeof args === 'string' ? args : JSON.stringify(args),
        })),
      };
    case 'system':
    case 'developer':
    case 'user':
      return { role: message.role, content };
    default:
      throw new Error(`No role ${message.role}.`);
  }
}

export function fromWireTool(definition: JsonObject): Tool {
  const described = definition.function;
  return { name: isJsonObject(described) ? String(described.name) : '', definition };
}

export type Setup = Partial<PromptRendererOptions> & { readonly family?: string };

/** Rendered on a fixed day. */
export function rendererOf(template: string, { family, ...options }: Setup = {}) {
  return createPromptRenderer({
    template,
    vocabulary,
    format: detectChatFormat(template, family),
    now: () => new Date(2026, 2, 5, 14, 7, 9),
    ...options,
  });
}
