import { isJsonObject, type JsonObject } from '../contract/json.ts';

/** The text of a message as OpenAI's chat has it: a string, or parts of which some have text. */
export function messageText({ content }: JsonObject): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.flatMap((part) => (isJsonObject(part) && typeof part.text === 'string' ? [part.text] : [])).join('\n');
}
