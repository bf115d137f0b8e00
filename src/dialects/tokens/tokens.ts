import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { ParsedCall } from '../dialect.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { tokenList } from '../shared/text-or-tokens.ts';
import { optional, validate } from '../shared/validate.ts';

export type TokenizeCall = { readonly withPieces: boolean } & (
  | {
      readonly type: 'text';
      readonly model: string | undefined;
      readonly text: string;
      readonly addSpecial: boolean;
      readonly parseSpecial: boolean;
    }
  | { readonly type: 'chat'; readonly call: ParsedCall }
);

/** llama.cpp's server README, "POST /tokenize". */
const content = z.object({
  model: optional(z.string()),
  content: z.string(),
  add_special: optional(z.boolean()),
  parse_special: optional(z.boolean()),
});

const withPieces = z.object({ with_pieces: optional(z.boolean()) });

/** A text, or a chat request whose prompt is meant: `messages` and everything beside them that shapes it. */
export function parseTokenize(body: unknown): TokenizeCall {
  const pieces = validate(withPieces, body).with_pieces ?? false;
  if (isJsonObject(body) && body.messages !== undefined && body.content === undefined)
    return { type: 'chat', call: openaiChat.parse(body), withPieces: pieces };
  const wire = validate(content, body);
  return {
    type: 'text',
    model: wire.model,
    text: wire.content,
    addSpecial: wire.add_special ?? false,
    parseSpecial: wire.parse_special ?? true,
    withPieces: pieces,
  };
}

export interface Piece {
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Numbers, or with pieces the text of each beside it: bytes where they are only a part of a character. */
export function writeTokens(call: TokenizeCall, pieces: readonly Piece[]): JsonObject {
  if (!call.withPieces) return { tokens: pieces.map(({ id }) => id) };
  return { tokens: pieces.map(({ id, bytes }) => ({ id, piece: toText(bytes) ?? [...bytes] })) };
}

const detokenize = z.object({ model: optional(z.string()), tokens: tokenList.or(z.array(z.never())) });

export function parseDetokenize(body: unknown): z.output<typeof detokenize> {
  return validate(detokenize, body);
}

export function writeDetokenized(pieces: readonly Uint8Array[]): JsonObject {
  return { content: new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(pieces)) };
}

function toText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
