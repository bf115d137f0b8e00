import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import { queryNumber } from '../query-number.ts';

const defaultLimit = 20;
const maxLimit = 100;

/** One page of a response's input items. As in OpenAI's API the newest come first unless `order=asc` asks otherwise. */
export function pageOf(input: readonly JsonObject[], query: URLSearchParams): JsonObject {
  const limit = queryNumber(query, 'limit') ?? defaultLimit;
  if (limit < 1 || limit > maxLimit)
    throw new ServeError('invalid_request', `\`limit\` is ${limit}, but must lie between 1 and ${maxLimit}.`, {
      param: 'limit',
    });
  const ordered = query.get('order') === 'asc' ? input : input.toReversed();
  const after = query.get('after');
  const begin = after === null ? 0 : ordered.findIndex((item) => item.id === after) + 1;
  if (after !== null && begin === 0)
    throw new ServeError('invalid_request', `\`after\` is ${JSON.stringify(after)}, which is none of these items.`, {
      param: 'after',
    });
  const data = ordered.slice(begin, begin + limit);
  return {
    object: 'list',
    data,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: begin + limit < ordered.length,
  };
}
