import type { ModelRuntime } from './runtime.ts';

type Model = Pick<ModelRuntime, 'engine' | 'format'>;

/** What a token shows. */
export interface VisibleToken {
  /** None of hidden control tokens. */
  readonly bytes: Uint8Array;
  /** The same as text; undefined where the bytes begin or end inside a character, so that their neighbours decide. */
  readonly text: string | undefined;
}

export type VisibleTokens = (token: number) => VisibleToken;

const known = new WeakMap<Model, VisibleTokens>();

/** Control tokens are hidden, but for those that carry meaning in the family's syntax. Every token is looked at once. */
export function visibleTokens(runtime: Model): VisibleTokens {
  const tokens = known.get(runtime) ?? remembering((token) => visibleBytes(runtime, token));
  known.set(runtime, tokens);
  return tokens;
}

/** Every token as the model spells it. */
export function allTokens({ engine: { text } }: Model): VisibleTokens {
  return (token) => visibleToken(text.bytes(token));
}

export function visibleToken(bytes: Uint8Array): VisibleToken {
  try {
    return { bytes, text: strict.decode(bytes) };
  } catch {
    return { bytes, text: undefined };
  }
}

/** Joins characters that several tokens share. */
export class TokenDecoder {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** The decoder may hold the beginning of a character. */
  #inside = false;

  push({ bytes, text }: VisibleToken): string {
    if (text !== undefined && !this.#inside) return text;
    if (bytes.length > 0) this.#inside = text === undefined;
    return this.#decoder.decode(bytes, { stream: true });
  }

  /** What no further token completes. */
  end(): string {
    return this.#decoder.decode();
  }
}

function remembering(bytesOf: (token: number) => Uint8Array): VisibleTokens {
  const seen = new Map<number, VisibleToken>();
  return (token) => {
    let visible = seen.get(token);
    if (!visible) {
      visible = visibleToken(bytesOf(token));
      seen.set(token, visible);
    }
    return visible;
  };
}

function visibleBytes({ engine: { text }, format }: Model, token: number): Uint8Array {
  const bytes = text.bytes(token);
  if (!text.isControl(token) || format.visibleTokens.includes(decoder.decode(bytes))) return bytes;
  return nothing;
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decoder = new TextDecoder();
const nothing = new Uint8Array(0);
