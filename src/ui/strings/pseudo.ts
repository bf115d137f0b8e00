import { en, type Strings } from './en.ts';

/** The English table with every word marked: what is shown without marks is hard-coded. For tests. */
export const pseudo = marked(en) as Strings;

function marked(value: unknown): unknown {
  if (typeof value === 'string') return `⟦${value}⟧`;
  if (typeof value === 'function') return (...given: unknown[]) => `⟦${value(...given)}⟧`;
  if (Array.isArray(value)) return value.map(marked);
  return Object.fromEntries(Object.entries(value ?? {}).map(([name, inner]) => [name, marked(inner)]));
}
