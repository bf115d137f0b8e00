import { z } from 'zod';
import { CallFailure } from '../call-failure.ts';
import { type BuiltInTool, builtInTool } from './built-in-tool.ts';
import { within } from './time-limit.ts';

const longestMs = 20_000;
const mostBytes = 4 * 1024 * 1024;
const results = 8;
const excerptLength = 500;

const answer = z.object({
  results: z.array(
    z.object({
      title: z.string().nullish(),
      url: z.string(),
      content: z.string().nullish(),
      publishedDate: z.string().nullish(),
    }),
  ),
  answers: z.array(z.union([z.string(), z.looseObject({ answer: z.string().optional() })])).optional(),
});

/** Asks the search engine that the owner of the server has named: it may stand in the same network. */
export function webSearchTool({ searchUrl }: { readonly searchUrl: string }): BuiltInTool {
  return builtInTool({
    name: 'web_search',
    description: 'Searches the web: titles, addresses and excerpts of what was found.',
    args: z.object({
      query: z.string().min(1).max(1000).describe('What to search for'),
      page: z.int().min(1).max(50).optional().describe('Page of results, from 1 on.'),
    }),
    run: async ({ query, page = 1 }, limits) => {
      const url = addressOf(searchUrl, query, page);
      const timeoutMs = Math.min(longestMs, limits.timeoutMs);
      return listed(await within(timeoutMs, limits.signal, (signal) => ask(url, signal)));
    },
  });
}

/** `{query}` and `{page}` are filled in; an address without is that of a SearXNG. */
function addressOf(searchUrl: string, query: string, page: number): string {
  if (searchUrl.includes('{query}'))
    return searchUrl.replaceAll('{query}', encodeURIComponent(query)).replaceAll('{page}', String(page));
  const url = new URL(searchUrl);
  if (!/\/search\/?$/.test(url.pathname)) url.pathname = `${url.pathname.replace(/\/$/, '')}/search`;
  url.searchParams.set('q', query);
  url.searchParams.set('format', 'json');
  url.searchParams.set('pageno', String(page));
  return url.href;
}

async function ask(url: string, signal: AbortSignal): Promise<z.output<typeof answer>> {
  const response = await request(url, signal);
  if (!response.ok) {
    await response.body?.cancel();
    const hint = response.status === 403 ? ' Its settings may not allow the format json.' : '';
    throw new CallFailure(`The search engine answered with the status ${response.status}.${hint}`);
  }
  const read = answer.safeParse(parsed(await bodyOf(response)));
  if (!read.success) throw new CallFailure('The search engine did not answer with results in the JSON of SearXNG.');
  return read.data;
}

async function request(address: string, signal: AbortSignal): Promise<Response> {
  const url = new URL(address);
  const user = [url.username, url.password].map(decodeURIComponent).join(':');
  url.username = '';
  url.password = '';
  const headers = {
    accept: 'application/json',
    ...(user !== ':' && { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
  };
  try {
    return await fetch(url, { headers, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new CallFailure('The search engine could not be reached.', { cause: error });
  }
}

async function bodyOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > mostBytes) throw new CallFailure('The answer of the search engine is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listed({ results: found, answers = [] }: z.output<typeof answer>): string {
  const told = answers.flatMap((each) => (typeof each === 'string' ? [each] : each.answer ? [each.answer] : []));
  const entries = found.slice(0, results).map(({ title, url, content, publishedDate }, index) => {
    const excerpt = (content ?? '').replace(/\s+/g, ' ').trim().slice(0, excerptLength);
    const date = publishedDate ? ` (${publishedDate.slice(0, 10)})` : '';
    return `${index + 1}. ${title || url}${date}\n   ${url}${excerpt === '' ? '' : `\n   ${excerpt}`}`;
  });
  const all = [...told, ...entries];
  return all.length > 0 ? all.join('\n') : 'Nothing was found.';
}
