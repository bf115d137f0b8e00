import type { ModelRuntime } from './runtime.ts';

type Model = Pick<ModelRuntime, 'engine' | 'format' | 'profile'>;

const known = new WeakMap<Model, Promise<readonly number[]>>();

/**
 * Control tokens that are kept out of answers. Under a grammar they must not be generated at all: it would take their
 * spelling for text (inside a JSON string, say) that nobody ever sees.
 */
export function hiddenTokens(runtime: Model): Promise<readonly number[]> {
  const tokens = known.get(runtime) ?? find(runtime);
  known.set(runtime, tokens);
  return tokens;
}

async function find({ engine, format, profile }: Model): Promise<readonly number[]> {
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
