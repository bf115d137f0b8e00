import { signal } from '@preact/signals';
import type { Highlighted, Highlighter } from './highlighter.ts';

/** Above this many characters colours would cost more than they help. */
const longestCode = 100_000;

/** Who reads it draws again when colours, or those of more languages, have come. */
const known = signal<'nothing' | 'common' | 'all'>('nothing');
let highlighter: Highlighter | undefined;
let coming = false;

/** The code's pieces, or undefined where the language is unknown, or not known yet: then it is fetched. */
export function highlight(code: string, language: string): Highlighted | undefined {
  const name = nameOf(language);
  if (name === '' || code.length > longestCode) return undefined;
  prepareColours(name);
  return highlighter?.knows(name) ? highlighter.partsOf(code, name) : undefined;
}

/**
 * Fetches what colours code, so that it is there before the code is: a fifth of the page, which a page without code never
 * needs. With a language it also fetches the rarer ones, where this is one.
 */
export function prepareColours(language = ''): void {
  const name = nameOf(language);
  if (known.value === 'all' || coming) return;
  if (known.value === 'common' && (name === '' || highlighter?.knows(name))) return;
  coming = true;
  fetchNext().then(
    () => {
      coming = false;
      known.value = known.peek() === 'nothing' ? 'common' : 'all';
      prepareColours(language);
    },
    () => {
      // The next code that is drawn asks for it again.
      coming = false;
    },
  );
}

async function fetchNext(): Promise<void> {
  if (highlighter) await highlighter.addMore();
  else ({ highlighter } = await import('./highlighter.ts'));
}

function nameOf(language: string): string {
  return language.toLowerCase();
}
