import type { OpenAIResponsesModel } from '@openai/agents-openai';
import OpenAI from 'openai';
import { createServer, type EmbeddedServer, type ServerOptions } from '../../src/index.ts';
import { expectResponsesStream, type WireEvent } from '../dialects/openai-responses/stream-grammar.ts';

export interface ResponsesServer {
  readonly server: EmbeddedServer;
  readonly client: OpenAI;
  /** For clients of others: the server behind a `fetch`, with every stream checked against the grammar. */
  readonly fetch: typeof globalThis.fetch;
  /** How many streams were read to their end and checked. */
  readonly checkedStreams: () => number;
  /** Bodies of all requests so far. */
  readonly bodies: () => readonly unknown[];
}

/** The demo model behind the real server, without a port. */
export async function startResponsesServer(options: ServerOptions = {}): Promise<ResponsesServer> {
  const server = await createServer({ ctxSize: 2048, parallel: 2, threads: 1, flashAttn: false, ...options });
  let checked = 0;
  const bodies: unknown[] = [];
  const fetch: typeof globalThis.fetch = async (url, init) => {
    const response = await server.fetch(new Request(url, { ...init, ...greedy(init?.body, bodies) }));
    if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) return response;
    const resumed = String(url).includes('starting_after');
    const check = checkedStream((events) => {
      if (!resumed) expectResponsesStream(events);
      checked += 1;
    });
    return new Response(response.body.pipeThrough(check), response);
  };
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://localhost/v1', maxRetries: 0, fetch });
  return { server, client, fetch, checkedStreams: () => checked, bodies: () => bodies };
}

/** Some clients send no temperature for models that think: every request here takes the likeliest token. */
function greedy(body: unknown, bodies: unknown[]): { body?: string } {
  if (typeof body !== 'string') return {};
  const sent: unknown = JSON.parse(body);
  bodies.push(sent);
  return { body: JSON.stringify(Object.assign({ temperature: 0 }, sent)) };
}

/** Passes everything on and looks at the whole at its end: a broken stream fails in front of its reader. */
function checkedStream(check: (events: readonly WireEvent[]) => void): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let text = '';
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      text += decoder.decode(chunk, { stream: true });
      controller.enqueue(chunk);
    },
    flush() {
      const lines = text.split('\n').filter((line) => line.startsWith('data: '));
      check(lines.map((line) => JSON.parse(line.slice('data: '.length))));
    },
  });
}

/** Settles when the condition holds, looked at after every turn of the event loop. */
export async function until(what: string, holds: () => boolean, milliseconds = 10_000): Promise<void> {
  const giveUp = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > giveUp) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const city = { type: 'object', properties: { city: { type: 'string', description: 'City name' } }, required: ['city'] };

/** Tools that the demo model knows how to use. */
export const weatherTool = {
  type: 'function',
  name: 'get_weather',
  description: 'Get the current weather for a city',
  parameters: city,
  strict: false,
} as const;

export const timeTool = {
  type: 'function',
  name: 'get_time',
  description: 'Get the current time in a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
} as const;

/** Its types name the same class by another declaration file, whose private members count as different ones. */
export function agentsClient({ client }: ResponsesServer) {
  return client as unknown as ConstructorParameters<typeof OpenAIResponsesModel>[0];
}
