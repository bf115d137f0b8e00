import { ServeError } from '../../contract/errors.ts';
import type { HubAsker, HubCatalog } from '../../contract/hub.ts';
import { writeRepository, writeSearch } from '../../dialects/hub/answers.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { mayUse } from '../access/check-access.ts';
import type { Exchange } from '../exchange.ts';
import { queryNumber } from '../query-number.ts';
import type { Route } from '../route.ts';

const usualLimit = 20;
const mostLimit = 100;
const mostCharacters = 200;

/** What could be downloaded, for a page that may ask nobody but its own server. */
export function hubRoutes(hub: HubCatalog): Route[] {
  const common = {
    method: 'GET',
    shape: openaiShape,
    access: 'key',
    owns: 'none',
    // It asks another server, and reads megabytes of headers there: it counts.
    work: true,
    pages: 'own',
  } as const;
  return [
    {
      ...common,
      paths: ['/api/hub/search'],
      handle: async (exchange) => {
        const query = new URL(exchange.request.url).searchParams;
        return Response.json(writeSearch(await hub.search(wordsOf(query), limitOf(query), askerOf(exchange))));
      },
    },
    {
      ...common,
      paths: ['/api/hub/repos/:owner/:repo'],
      handle: async (exchange) => {
        const { owner = '', repo = '' } = exchange.parameters;
        for (const part of [owner, repo]) checkName(part);
        return Response.json(writeRepository(`${owner}/${repo}`, await hub.models(owner, repo, askerOf(exchange))));
      },
    },
  ];
}

/** What only the server's own token opens is for whoever may load it. */
function askerOf({ caller, signal }: Exchange): HubAsker {
  return { signal, withToken: mayUse('admin', caller) };
}

function wordsOf(query: URLSearchParams): string {
  const words = (query.get('q') ?? '').trim();
  if (words.length <= mostCharacters) return words;
  throw wrong('q', `is ${words.length} characters long, but must be at most ${mostCharacters}`);
}

function limitOf(query: URLSearchParams): number {
  const limit = queryNumber(query, 'limit') ?? usualLimit;
  if (limit >= 1 && limit <= mostLimit) return limit;
  throw wrong('limit', `is ${limit}, but must lie between 1 and ${mostLimit}`);
}

/** They become part of the address that is asked. */
function checkName(part: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/.test(part) && !/^\.+$/.test(part)) return;
  throw new ServeError('model_not_found', `${JSON.stringify(part)} is no name on the hub. Write owner/repo.`);
}

function wrong(param: string, sentence: string): ServeError {
  return new ServeError('invalid_request', `\`${param}\` ${sentence}.`, { param });
}
