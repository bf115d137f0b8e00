import type { ChatEntry, ChatStore } from '../../contract/chats.ts';
import { ServeError } from '../../contract/errors.ts';
import type { ImportAnswer } from '../../dialects/chats/answers.ts';
import { exportFormat, mostEntries, parseImport } from '../../dialects/chats/requests.ts';
import type { Exchange } from '../exchange.ts';
import { streamOf } from '../streams/stream-of.ts';

type Asker = Exchange['caller'];

/** GET /api/chats/export: all chats of the caller in one JSON, each as `POST /api/chats` takes it. */
export function exportAnswer({ caller }: Exchange, store: ChatStore): Response {
  return new Response(streamOf(exported(caller, store)), {
    headers: {
      'content-type': 'application/json',
      'content-disposition': 'attachment; filename="chats.json"',
      'cache-control': 'no-store',
    },
  });
}

async function* exported(caller: Asker, store: ChatStore): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder();
  yield bytes.encode(`{"format":"${exportFormat}","version":1,"chats":[`);
  let separator = '\n';
  for await (const chatId of chatIds(caller, store)) {
    yield bytes.encode(`${separator}{"chat_id":${JSON.stringify(chatId)},"entries":[`);
    separator = ',\n';
    let between = '';
    for await (const entries of partsOf(caller, store, chatId)) {
      yield bytes.encode(between + entries.map((entry) => JSON.stringify(entry)).join(','));
      between = ',';
    }
    yield bytes.encode(']}');
  }
  yield bytes.encode('\n]}\n');
}

async function* chatIds(caller: Asker, store: ChatStore): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const { chats, nextCursor } = await store.list(caller, {
      words: [],
      limit: 200,
      bin: false,
      ...(cursor !== undefined && { cursor }),
    });
    for (const { chatId } of chats) yield chatId;
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** Never empty ones. One that is deleted meanwhile ends where it is. */
async function* partsOf(caller: Asker, store: ChatStore, chatId: string): AsyncGenerator<readonly ChatEntry[]> {
  let after: string | undefined;
  for (;;) {
    const part = await store.read(caller, chatId, after).catch(ignoreGone);
    if (!part || (after !== undefined && !part.continued)) return;
    if (part.entries.length > 0) yield part.entries;
    if (!part.more) return;
    after = part.revision;
  }
}

function ignoreGone(error: unknown): undefined {
  if (error instanceof ServeError && error.code === 'not_found') return undefined;
  throw error;
}

/**
 * POST /api/chats/import: adds what is not there yet. What one chat lacks does not keep the others out; a store that is
 * full does.
 */
export async function importChats(exchange: Exchange, store: ChatStore, now: number): Promise<ImportAnswer> {
  const chats = parseImport(await exchange.json(), now);
  const answer = { chats: 0, accepted: 0, known: 0, failed: [] as { chat_id: string; error: string }[] };
  for (const { chatId, entries } of chats) {
    try {
      for (let from = 0; from === 0 || from < entries.length; from += mostEntries) {
        const part = entries.slice(from, from + mostEntries);
        const { accepted, known } = await store.create(exchange.caller, { chatId, entries: part });
        answer.accepted += accepted.length;
        answer.known += known.length;
      }
      answer.chats += 1;
    } catch (error) {
      if (!(error instanceof ServeError) || error.code === 'storage_full') throw error;
      answer.failed.push({ chat_id: chatId, error: error.message });
    }
  }
  return answer;
}
