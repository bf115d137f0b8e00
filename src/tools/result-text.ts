import { z } from 'zod';
import type { ToolOutcome } from '../contract/server-tools.ts';

/** Loose on purpose: a content of a kind that nobody knows yet is a note to the model, not a failed call. */
export const callResult = z.looseObject({
  content: z.array(z.unknown()).optional(),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
});

const resource = z.looseObject({
  uri: z.string().optional(),
  mimeType: z.string().optional(),
  text: z.string().optional(),
});

const part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  data: z.string().optional(),
  mimeType: z.string().optional(),
  name: z.string().optional(),
  uri: z.string().optional(),
  resource: resource.optional(),
});

/** What a tool gave, as text: all that the model can read of it, and a note for what it cannot. */
export function resultText({
  content = [],
  structuredContent,
  isError = false,
}: z.output<typeof callResult>): ToolOutcome {
  const texts = content.map(partText);
  // Servers that give structured content repeat it as text for those who do not know it.
  const hasText = content.some((each) => part.safeParse(each).data?.type === 'text');
  if (structuredContent !== undefined && !hasText) texts.push(JSON.stringify(structuredContent));
  return { content: texts.join('\n'), isError };
}

function partText(wire: unknown): string {
  const read = part.safeParse(wire);
  if (!read.success) return '[a content that cannot be read was left out]';
  const { type, text, data, mimeType = 'unknown type', name, uri, resource: embedded } = read.data;
  switch (type) {
    case 'text':
      return text ?? '';
    case 'image':
    case 'audio':
      return `[${type} of ${bytesOf(data)} bytes (${mimeType}) was left out: only text can be read here]`;
    case 'resource_link':
      return `[${name ?? 'resource'}: ${uri ?? ''}]`;
    case 'resource':
      return (
        embedded?.text ??
        `[resource ${embedded?.uri ?? ''} (${embedded?.mimeType ?? 'unknown type'}) was left out: it is no text]`
      );
    default:
      return `[content of type ${JSON.stringify(type)} was left out]`;
  }
}

function bytesOf(base64 = ''): number {
  return Math.floor((base64.length * 3) / 4);
}
