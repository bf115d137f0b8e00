import type { ChatQuery } from '../../contract/chats.ts';
import { ServeError } from '../../contract/errors.ts';
import { queryNumber } from '../query-number.ts';

const usualLimit = 50;
const mostLimit = 200;
const mostSearched = 200;

/** `?q=&cursor=&limit=&bin=`. */
export function chatQuery(query: URLSearchParams): ChatQuery {
  const limit = queryNumber(query, 'limit') ?? usualLimit;
  if (limit < 1 || limit > mostLimit) throw wrong('limit', String(limit), `lie between 1 and ${mostLimit}`);
  const searched = query.get('q') ?? '';
  if (searched.length > mostSearched)
    throw wrong('q', `${searched.length} characters long`, `be at most ${mostSearched}`);
  const bin = query.get('bin') ?? 'false';
  if (bin !== 'true' && bin !== 'false') throw wrong('bin', JSON.stringify(bin), 'be true or false');
  const cursor = query.get('cursor');
  return {
    words: searched.split(/\s+/).filter((word) => word !== ''),
    limit,
    bin: bin === 'true',
    ...(cursor !== null && cursor !== '' && { cursor }),
  };
}

function wrong(param: string, is: string, must: string): ServeError {
  return new ServeError('invalid_request', `\`${param}\` is ${is}, but must ${must}.`, { param });
}
