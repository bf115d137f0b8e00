import OpenAI from 'openai';
import type { GenerationEvent } from '../../../src/contract/events.ts';
import type { ResponseStore } from '../../../src/contract/services.ts';
import { systemTimers } from '../../../src/contract/system-timers.ts';
import { createApp } from '../../../src/http/app.ts';
import { defaultDoorSettings } from '../../../src/http/dependencies.ts';
import { memoryLimits, openResponseStore } from '../../../src/responses/response-store.ts';
import { memoryShelf } from '../../../src/responses/shelf.ts';
import { fakeServices } from '../fake-services.ts';
import { answer, FakeGeneration, FakeModels, finish, start } from '../support.ts';

export interface ResponsesDoor {
  readonly client: OpenAI;
  readonly generation: FakeGeneration;
  readonly store: ResponseStore | undefined;
  readonly logs: unknown[][];
  request(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body?: object, init?: RequestInit): Promise<Response>;
}

export function newStore(): Promise<ResponseStore> {
  return openResponseStore(memoryShelf(), { limits: memoryLimits, now: () => 0 });
}

/** The real app over scripted generations, and OpenAI's own client in front of it. */
export function openResponses(store?: ResponseStore): ResponsesDoor {
  const generation = new FakeGeneration();
  generation.script = (run) => run.say(...answer(), 'end');
  const logs: unknown[][] = [];
  let ids = 0;
  const app = createApp({
    generation,
    models: new FakeModels(),
    embeddings: { embed: notHere },
    rerank: { rank: notHere },
    tokens: { tokenize: notHere, promptTokens: notHere, pieces: notHere },
    telemetry: { request: () => undefined, log: (...line) => logs.push(line) },
    clock: () => performance.now(),
    unixSeconds: () => 1_750_000_000,
    unixMilliseconds: () => 1_750_000_000_000,
    newId: () => `id${String(++ids).padStart(4, '0')}`,
    timers: systemTimers,
    keyring: fakeServices.keyring,
    usage: fakeServices.usage,
    settings: defaultDoorSettings,
    cancel: ({ answerId }) => {
      const found = generation.runs.filter((run) => run.request.keys.answerId === answerId && run.taken > 0);
      for (const run of found) run.say(finish({ cancelled: true }), 'end');
      return found.length;
    },
    ...(store && { responseStore: store }),
  });
  const request = async (path: string, init: RequestInit = {}) => app.request(path, init);
  const client = new OpenAI({
    apiKey: 'none',
    baseURL: 'http://localhost/v1',
    maxRetries: 0,
    fetch: async (url, init) => request(String(url), init),
  });
  const post = (path: string, body: object = {}, init: RequestInit = {}) =>
    request(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      ...init,
    });
  return { client, generation, store, logs, request, post };
}

function notHere(): never {
  throw new Error('not a part of these tests');
}

/** Text in pieces, without its end: the test says when. */
export function beginning(...pieces: string[]): GenerationEvent[] {
  return [
    start,
    { type: 'block-start', index: 0, kind: 'text' },
    ...pieces.map((delta) => ({ type: 'block-delta', index: 0, delta }) as const),
  ];
}

export const ending: readonly GenerationEvent[] = [{ type: 'block-end', index: 0 }, finish()];
