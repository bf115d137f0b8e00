import { ServeError } from '../contract/errors.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { isJsonObject } from '../contract/json.ts';

/**
 * Breaks up the spellings of control tokens in text that users provide. A private-use character that they do not use
 * is put into each; the rendered prompt is split at these separators, and since pieces are tokenized one by one, no token can
 * span two of them.
 */
export interface Protection {
  text(text: string): string;
  value(value: JsonValue | undefined): JsonValue | undefined;
  /** Stands for an image or a sound: no text of a user can be it. */
  medium(index: number): string;
  /** A character that no user text has, for marks that are taken out again before the prompt is split. */
  readonly mark: string;
  /** The rendered prompt -> pieces, separators and such marks gone. */
  split(rendered: string): string[];
  /** The same, and where images and sounds were: in front of the piece at `before`. */
  place(rendered: string): {
    readonly pieces: string[];
    readonly media: { readonly index: number; readonly before: number }[];
  };
}

/** Compiles the spellings once; the result makes a protection for the user text of one request. */
export function createProtector(spellings: readonly string[]): (userText: string) => Protection {
  const sorted = [...new Set(spellings)].filter((text) => text.length > 1).sort((a, b) => b.length - a.length);
  const pattern = sorted.length > 0 ? new RegExp(sorted.map(escapePattern).join('|'), 'g') : undefined;
  const beginnings = new Set(sorted.flatMap(properPrefixes));
  const longest = sorted[0]?.length ?? 0;

  return (userText) => {
    const [separator, mediaMark, mark] = unusedCharacters(userText);
    const ofMedium = new RegExp(`${mediaMark}(\\d+)${mediaMark}`);
    const breakAt = (text: string, at: number) => `${text.slice(0, at)}${separator}${text.slice(at)}`;

    function text(written: string): string {
      const given = written.replace(/\p{Surrogate}/gu, '\uFFFD');
      if (!pattern) return given;
      const broken = given.replace(pattern, (spelling) => breakAt(spelling, 1));
      const open = unfinished(broken);
      return open === undefined ? broken : breakAt(broken, open + 1);
    }

    /** Where a spelling begins that the field does not finish: the next field could. */
    function unfinished(broken: string): number | undefined {
      for (let at = Math.max(0, broken.length - longest + 1); at < broken.length; at++) {
        if (beginnings.has(broken.slice(at))) return at;
      }
      return undefined;
    }

    function value(given: JsonValue | undefined): JsonValue | undefined {
      if (typeof given === 'string') return text(given);
      if (Array.isArray(given)) return given.map((item) => value(item) ?? null);
      return isJsonObject(given) ? object(given) : given;
    }

    function object(given: JsonObject): JsonObject {
      return Object.fromEntries(Object.entries(given).map(([key, member]) => [text(key), value(member)]));
    }

    function place(rendered: string) {
      const pieces: string[] = [];
      const media: { index: number; before: number }[] = [];
      // With a group in the pattern, every other part is a medium's number.
      for (const [at, part] of rendered.split(ofMedium).entries()) {
        if (at % 2 === 1) media.push({ index: Number(part), before: pieces.length });
        else pieces.push(...part.split(separator).filter((piece) => piece !== ''));
      }
      return { pieces, media };
    }

    return {
      text,
      value,
      mark,
      medium: (index) => `${mediaMark}${index}${mediaMark}`,
      split: (rendered) => place(rendered).pieces,
      place,
    };
  };
}

/** Three private-use characters that the user text does not contain, spelled as an escape of JSON neither. */
function unusedCharacters(userText: string): readonly [string, string, string] {
  const lower = userText.toLowerCase();
  const found: string[] = [];
  for (const [first, last] of privateUse) {
    for (let code = first; code <= last; code++) {
      const character = String.fromCodePoint(code);
      if (userText.includes(character) || lower.includes(escapeOf(character))) continue;
      const [separator, mediaMark] = found;
      if (separator !== undefined && mediaMark !== undefined) return [separator, mediaMark, character];
      found.push(character);
    }
  }
  throw new ServeError(
    'invalid_request',
    'The messages contain every private-use character of Unicode, and the server needs three of them. Leave three out.',
    { param: 'messages' },
  );
}

/** As JSON within JSON spells it: arguments of calls are text that is parsed later. */
function escapeOf(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at).toString(16));
  return units.map((unit) => `\\u${unit.padStart(4, '0')}`).join('');
}

const privateUse = [
  [0xe000, 0xf8ff],
  [0xf0000, 0xffffd],
  [0x100000, 0x10fffd],
] as const;

function properPrefixes(text: string): string[] {
  return Array.from({ length: text.length - 1 }, (_, index) => text.slice(0, index + 1));
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
