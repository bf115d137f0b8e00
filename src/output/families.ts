import type { ChatFormat } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';

interface Family {
  readonly format: ChatFormat;
  /** The template contains all of these and none of those. */
  readonly all: readonly string[];
  readonly none?: readonly string[];
}

const thinkTags = { open: '<think>', close: '</think>' };

const hermesCalls = {
  syntax: 'json',
  open: '<tool_call>\n',
  close: '\n</tool_call>',
  separator: '\n',
  parallel: true,
  array: false,
  keys: { name: 'name', arguments: 'arguments' },
} as const;

/** First match wins. */
const families: readonly Family[] = [
  {
    format: {
      name: 'hermes',
      layout: 'plain',
      reasoning: thinkTags,
      toolCalls: hermesCalls,
      stopStrings: [],
      visibleTokens: ['<tool_call>', '</tool_call>', '<think>', '</think>'],
    },
    all: ['<tool_call>'],
  },
];

const plain: ChatFormat = {
  name: 'plain',
  layout: 'plain',
  reasoning: undefined,
  toolCalls: undefined,
  stopStrings: [],
  visibleTokens: [],
};

/** Every family by its name, as `--chat-format` takes it. */
export const chatFormats: Readonly<Record<string, ChatFormat>> = Object.fromEntries(
  [...families.map(({ format }) => format), plain].map((format) => [format.name, format]),
);

/** The family that a template's own markers tell; `override` is the name of one. */
export function detectChatFormat(template: string | undefined, override?: string): ChatFormat {
  if (override !== undefined) return named(override);
  if (template === undefined) return plain;
  return families.find((family) => matches(family, template))?.format ?? plain;
}

function named(name: string): ChatFormat {
  const format = Object.hasOwn(chatFormats, name) ? chatFormats[name] : undefined;
  if (format) return format;
  const names = Object.keys(chatFormats).join(', ');
  throw new ServeError('invalid_request', `There is no chat format ${JSON.stringify(name)}. Use one of: ${names}.`);
}

function matches({ all, none = [] }: Family, template: string): boolean {
  return all.every((text) => template.includes(text)) && !none.some((text) => template.includes(text));
}
