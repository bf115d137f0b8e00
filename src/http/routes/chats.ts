import type { ChatStore } from '../../contract/chats.ts';
import { ServeError } from '../../contract/errors.ts';
import { writeAppended, writeChange, writeChatList, writeChatPart } from '../../dialects/chats/answers.ts';
import { parseAppend, parseCreate } from '../../dialects/chats/requests.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { expectChats } from '../access/chat-access.ts';
import { exportAnswer, importChats } from '../chats/exchange.ts';
import { fileAnswer, keepFile } from '../chats/files.ts';
import { chatQuery } from '../chats/query.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';
import { eventStream } from '../streams/event-stream.ts';

const base = '/api/chats';

/**
 * Chats kept on the server, for the page and for everybody's clients. Nothing here counts as work: what was said is kept
 * while the server drains, and no limit of answers stands in its way.
 */
export function chatRoutes(dependencies: AppDependencies): Route[] {
  const { unixMilliseconds } = dependencies;
  const row = (
    method: Route['method'],
    path: string,
    handle: (exchange: Exchange, store: ChatStore) => Promise<Response> | Response,
  ): Route => ({
    method,
    paths: [base + path],
    shape: openaiShape,
    access: 'key',
    owns: 'caller',
    work: false,
    pages: 'own',
    handle: (exchange) => handle(exchange, expectChats(exchange.caller, dependencies)),
  });
  return [
    row('GET', '', async (exchange, store) =>
      noStore(writeChatList(await store.list(exchange.caller, chatQuery(queryOf(exchange))))),
    ),
    row('POST', '', async (exchange, store) => {
      const chat = parseCreate(await exchange.json(), unixMilliseconds());
      return noStore(writeAppended(await store.create(exchange.caller, chat)));
    }),
    row('GET', '/events', (exchange, store) =>
      eventStream(
        exchange,
        (signal) => store.changes(exchange.caller, signal),
        (change) => [writeChange(change)],
        dependencies,
      ),
    ),
    row('GET', '/export', exportAnswer),
    row('POST', '/import', async (exchange, store) => noStore(await importChats(exchange, store, unixMilliseconds()))),
    row('POST', '/files/:sha256', (exchange, store) => keepFile(exchange, store, dependencies)),
    row('GET', '/files/:sha256', fileAnswer),
    // No id is so short.
    row('DELETE', '/bin', async (exchange, store) => noStore({ deleted: await store.emptyBin(exchange.caller) })),
    row('GET', '/:id', async (exchange, store) => {
      const after = queryOf(exchange).get('after') ?? undefined;
      return noStore(writeChatPart(await store.read(exchange.caller, idOf(exchange), after)));
    }),
    row('DELETE', '/:id', async (exchange, store) => {
      const forever = isForever(queryOf(exchange));
      await store.remove(exchange.caller, idOf(exchange), { forever });
      return noStore({ chat_id: idOf(exchange), deleted: true, forever });
    }),
    row('POST', '/:id/restore', async (exchange, store) => {
      await store.restore(exchange.caller, idOf(exchange));
      return noStore({ chat_id: idOf(exchange), restored: true });
    }),
    row('POST', '/:id/entries', async (exchange, store) => {
      const entries = parseAppend(await exchange.json(), unixMilliseconds());
      return noStore(writeAppended(await store.append(exchange.caller, idOf(exchange), entries)));
    }),
  ];
}

function idOf(exchange: Exchange): string {
  return exchange.parameters.id ?? '';
}

function queryOf(exchange: Exchange): URLSearchParams {
  return new URL(exchange.request.url).searchParams;
}

function isForever(query: URLSearchParams): boolean {
  const text = query.get('forever') ?? 'false';
  if (text === 'true' || text === 'false') return text === 'true';
  throw new ServeError('invalid_request', `\`forever\` is ${JSON.stringify(text)}, but must be true or false.`, {
    param: 'forever',
  });
}

function noStore(body: object): Response {
  return Response.json(body, { headers: { 'cache-control': 'no-store' } });
}
