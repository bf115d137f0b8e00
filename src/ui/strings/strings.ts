import { type ReadonlySignal, signal } from '@preact/signals';
import { en, type Language, type Strings } from './en.ts';
import { createFormat } from './format.ts';

/** Languages by their code, as they call themselves. English is always there; the others come when they are chosen. */
export const languages = { en: 'English', de: 'Deutsch' } as const;
type Code = keyof typeof languages;

const load: Readonly<Record<string, () => Promise<Strings>>> = {
  de: () => import('./de.ts').then(({ de }) => de),
  pseudo: () => import('./pseudo.ts').then(({ pseudo }) => pseudo),
};

const current = signal<Language>(withFormat(en, 'en'));

/** What is shown, in the reader's language. */
export const strings: ReadonlySignal<Language> = current;

/**
 * `chosen` is a code, or '' for the first of the reader's languages that there is. Rejects where its words cannot be
 * fetched: the language stays as it was.
 */
export async function setLanguage(chosen: string, wanted: readonly string[]): Promise<void> {
  const codes = chosen === '' ? wanted.map((language) => language.split('-')[0] ?? '') : [chosen];
  const code = codes.find((each) => isCode(each) || Object.hasOwn(load, each)) ?? 'en';
  // Numbers and dates are those of the reader's own country, where the language is.
  const locale = wanted.find((language) => language.split('-')[0] === code) ?? (isCode(code) ? code : 'en');
  const table = load[code];
  if (!table) {
    current.value = withFormat(en, locale);
    return;
  }
  current.value = withFormat(await table(), locale);
}

function withFormat(table: Strings, locale: string): Language {
  return { ...table, format: createFormat(locale), locale };
}

function isCode(text: string): text is Code {
  return Object.hasOwn(languages, text);
}
