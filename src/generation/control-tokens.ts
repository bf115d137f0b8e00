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

const knownVisible = new WeakMap<Model, VisibleTokens>();

/** Control tokens are hidden, but for those that carry meaning in the family's syntax. Every token is looked at once. */
export function visibleTokens(runtime: Model): VisibleTokens {
  const tokens = knownVisible.get(runtime) ?? remembering((token) => visibleBytes(runtime, token));
  knownVisible.set(runtime, tokens);
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

type KnownModel = Model & Pick<ModelRuntime, 'profile'>;

const knownHidden = new WeakMap<Model, Promise<readonly number[]>>();

/**
 * Control tokens that are kept out of answers. Under a grammar they must not be generated at all: it would take their
 * spelling for text (inside a JSON string, say) that nobody ever sees.
 */
export function hiddenTokens(runtime: KnownModel): Promise<readonly number[]> {
  const tokens = knownHidden.get(runtime) ?? findHidden(runtime);
  knownHidden.set(runtime, tokens);
  return tokens;
}

async function findHidden({ engine, format, profile }: KnownModel): Promise<readonly number[]> {
  const needed = new Set([...format.visibleTokens, ...format.stopStrings]);
  const hidden = profile.vocabulary.controlTexts.filter((text) => !needed.has(text));
  const found: number[] = [];
  for (const text of hidden) {
    const [token, ...more] = await engine.text.tokenize([text], { special: true });
    if (token === undefined || more.length > 0 || !engine.text.isControl(token)) continue;
    if (!engine.info.isEndOfGeneration(token)) found.push(token);
  }
  return found;
}
