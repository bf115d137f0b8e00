import { z } from 'zod';

/** More tokens than any context holds. */
const maxTokens = 1_048_576;

/** One list of token numbers. Checked in one pass by hand: a schema makes an object per fault, and there may be a million. */
export const tokenList = z
  .array(z.unknown())
  .min(1)
  .max(maxTokens)
  .transform((list, context): number[] => {
    const tokens = list.filter(isToken);
    if (tokens.length === list.length) return tokens;
    const index = list.findIndex((entry) => !isToken(entry));
    const message = Number.isInteger(list[index]) ? 'at least 0' : 'the number of a token';
    context.addIssue({ code: 'custom', path: [index], message, params: { wanted: true } });
    return z.NEVER;
  });

function isToken(entry: unknown): entry is number {
  return typeof entry === 'number' && Number.isInteger(entry) && entry >= 0;
}

/** Counted before any entry is looked at. */
export function boundedList<T extends z.ZodType>(entry: T, most: number) {
  return z.array(z.unknown()).min(1).max(most).pipe(z.array(entry));
}

/**
 * OpenAI's way to give inputs: a text, a list of texts, a list of tokens, or a list of such lists. The first entry tells
 * which it is; a plain union would try every kind on every entry.
 */
export function textOrTokens<T extends z.ZodType<string>>(text: T, most: number) {
  const texts = boundedList(text, most);
  const lists = boundedList(tokenList, most);
  return z
    .unknown()
    .meta({ anyOf: [{ type: 'string' }, { type: 'array' }] })
    .transform((value, context): string | string[] | number[] | number[][] => {
      const checked = memberFor(value).safeParse(value);
      if (checked.success) return checked.data;
      // The same issues, handed on: their types differ only in whether the input is named.
      const issues = checked.error.issues.map((issue) => ({ ...issue, path: [...issue.path], input: value }));
      context.issues.push(...(issues as z.core.$ZodRawIssue[]));
      return z.NEVER;
    });

  function memberFor(value: unknown): z.ZodType<string | string[] | number[] | number[][]> {
    if (!Array.isArray(value)) return typeof value === 'string' ? text : z.union([z.string(), z.array(z.never())]);
    if (Array.isArray(value[0])) return lists;
    return typeof value[0] === 'number' ? tokenList : texts;
  }
}
