import type { ChatFormat } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';
import type { SampleTurns } from '../contract/sample-turns.ts';
import { deriveMarkup } from './derive-markup.ts';
import { families } from './families.ts';
import type { Family } from './family.ts';
import { writtenThought } from './written-thought.ts';

/** Every family by its name, as `--chat-format` takes it. */
export const chatFormats: Readonly<Record<string, ChatFormat>> = Object.fromEntries(
  families.map((family) => [family.name, formatOf(family)]),
);

/**
 * The family that a template's own markers tell; `override` is the name of one. Turns rendered with the template
 * (`samples`) tell the whitespace around its thoughts, and, where no row fits, what else it writes. Without template the
 * answer is read as plain text.
 */
export function detectChatFormat(
  template: string | undefined,
  override?: string,
  samples?: () => SampleTurns | undefined,
): ChatFormat {
  const format = familyFormat(template, override, samples);
  const shown = format.reasoning && template !== undefined ? samples?.() : undefined;
  return shown && format.reasoning
    ? { ...format, reasoning: writtenThought({ ...format, reasoning: format.reasoning }, shown) }
    : format;
}

function familyFormat(
  template: string | undefined,
  override: string | undefined,
  samples: (() => SampleTurns | undefined) | undefined,
): ChatFormat {
  if (override !== undefined) return namedFormat(override);
  const found = template === undefined ? undefined : families.find((family) => matches(family, template));
  if (found === undefined || template === undefined) return namedFormat('plain');
  const { reasoning } = found;
  // Sizes of one family share the markup for calls, but not all of them think.
  const thinks = reasoning && [reasoning.open, reasoning.close].some((marker) => mentions(template, marker));
  const format = formatOf(thinks ? found : { ...found, reasoning: undefined });
  return found.generic ? derivedFormat(format, samples?.()) : format;
}

/**
 * A format with what only a vocabulary knows: where a thought's opening marker is a control token, it is no text, and so
 * opens a thought wherever it stands.
 */
export function withControlTokens(format: ChatFormat, controlTexts: readonly string[]): ChatFormat {
  const { reasoning } = format;
  const isControl = (marker: string) => controlTexts.some((text) => text.length > 1 && marker.startsWith(text));
  return reasoning && isControl(reasoning.open.trim())
    ? { ...format, reasoning: { ...reasoning, opensAnywhere: true } }
    : format;
}

/** What a template must contain to be of this family; undefined when it is none of the table. */
export function markersOf(name: string): readonly string[] | undefined {
  return families.find((family) => family.name === name)?.all;
}

/** A generic family with the markers that its template's turns show. */
function derivedFormat(generic: ChatFormat, samples: SampleTurns | undefined): ChatFormat {
  const { reasoning, toolCalls } = samples ? deriveMarkup(samples) : {};
  if (!reasoning && !toolCalls) return generic;
  const name = `${generic.name} with the template's own markers`;
  return formatOf({
    name,
    all: [],
    reasoning: generic.reasoning ?? reasoning,
    ...(toolCalls ? { toolCalls } : generic.toolCalls && { toolCalls: generic.toolCalls }),
  });
}

function namedFormat(name: string): ChatFormat {
  const format = Object.hasOwn(chatFormats, name) ? chatFormats[name] : undefined;
  if (format) return format;
  const names = Object.keys(chatFormats).join(', ');
  throw new ServeError('invalid_request', `There is no chat format ${JSON.stringify(name)}. Use one of: ${names}.`);
}

function matches({ all }: Family, template: string): boolean {
  return all.every((text) => template.includes(text));
}

/** Templates put markers together from pieces: the tag's first word is enough. */
function mentions(template: string, marker: string): boolean {
  const tag = /^\s*([<[][^<>[\]\s:]+)/.exec(marker)?.[1] ?? marker;
  return template.includes(tag);
}

function formatOf(
  family: Omit<Family, 'reasoning' | 'source'> & { readonly reasoning?: Family['reasoning'] | undefined },
): ChatFormat {
  const {
    name,
    layout = { type: 'plain' },
    reasoning,
    toolCalls,
    text,
    hidden,
    stopStrings = [],
    visible = [],
  } = family;
  const markup = literals([layout, reasoning, toolCalls, text, hidden]);
  return {
    name,
    layout,
    reasoning,
    toolCalls,
    ...(text && { text }),
    ...(hidden && { hidden }),
    stopStrings,
    visibleTokens: [...new Set([...visible, ...markup.flatMap(tags)])],
  };
}

/** All texts of a row, at any depth. */
function literals(row: unknown): string[] {
  if (typeof row === 'string') return [row];
  if (typeof row !== 'object' || row === null) return [];
  return Object.values(row).flatMap(literals);
}

/** What looks like a token of its own: `<...>`, `[...]`. */
function tags(text: string): string[] {
  return text.match(/<[^<>\s]+>|\[\/?[A-Z][A-Z_ ]*\]/g) ?? [];
}
