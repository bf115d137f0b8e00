import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ServeError } from '../../../src/contract/errors.ts';
import { textOrTokens } from '../../../src/dialects/shared/text-or-tokens.ts';
import { validate } from '../../../src/dialects/shared/validate.ts';

const schema = z.object({ input: textOrTokens(z.string(), 3) });

function refusal(input: unknown): [string | undefined, string] {
  try {
    validate(schema, { input });
  } catch (error) {
    if (error instanceof ServeError) return [error.details.param, error.message];
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('text or tokens', () => {
  it.each([['a'], [''], [['a', 'b']], [[1, 2, 3, 4]], [[[1], [2, 3]]]])('%j is taken as it is', (input) => {
    expect(validate(schema, { input })).toEqual({ input });
  });

  it.each([
    [undefined, 'input', '`input` is missing: it must be a string or a list.'],
    [7, 'input', '`input` is 7, but must be a string or a list.'],
    [{}, 'input', '`input` is {}, but must be a string or a list.'],
    [[], 'input', '`input` is [], but must be at least 1 entry long.'],
    [['a', 1], 'input[1]', '`input[1]` is 1, but must be a string.'],
    [['a', 'b', 'c', 'd'], 'input', '`input` is ["a","b","c","d"], but must be at most 3 entries long.'],
    [[1, 'a'], 'input[1]', '`input[1]` is "a", but must be the number of a token.'],
    [[1, 1.5], 'input[1]', '`input[1]` is 1.5, but must be the number of a token.'],
    [[1, -1], 'input[1]', '`input[1]` is -1, but must be at least 0.'],
    [[[1], []], 'input[1]', '`input[1]` is [], but must be at least 1 entry long.'],
    [[[1], [2, -3]], 'input[1][1]', '`input[1][1]` is -3, but must be at least 0.'],
    [[null], 'input[0]', '`input[0]` is null, but must be a string.'],
  ])('%j is refused at the entry at fault', (input, param, message) => {
    expect(refusal(input)).toEqual([param, message]);
  });

  it.each([
    ['tokens', Array(1_000_000).fill('x').fill(1, 0, 1)],
    ['lists', Array(1_000_000).fill([1])],
  ])('names one fault where a million %s are wrong', (_, input) => {
    const { error } = schema.safeParse({ input });
    expect(error?.issues).toHaveLength(1);
  });
});
