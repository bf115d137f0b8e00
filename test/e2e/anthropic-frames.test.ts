import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { GenerationEvent } from '../../src/contract/events.ts';
import { Collector } from '../../src/contract/events.ts';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import type { Frame } from '../../src/dialects/dialect.ts';
import { answer, anyBlocks, anyEnd, eventsOf, framesOf } from '../dialects/anthropic-messages/events.ts';

/** Serves what stands in `next`, so that the official client reads frames that are exactly the dialect's. */
let next: { status: number; type: string; body: string } = { status: 500, type: 'text/plain', body: 'nothing set' };
let server: Server;
let client: Anthropic;

beforeAll(async () => {
  server = createServer((_, response) => {
    response.writeHead(next.status, { 'content-type': next.type, 'request-id': 'req_1' }).end(next.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  client = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'none', maxRetries: 0 });
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const params = { model: 'tiny', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' } as const] };

function sse(frames: readonly Frame[]): string {
  return frames
    .map((frame) => (frame.type === 'data' ? `event: ${frame.event}\ndata: ${JSON.stringify(frame.data)}\n\n` : ''))
    .join('');
}

async function streamed(frames: readonly Frame[]): Promise<Anthropic.Message> {
  next = { status: 200, type: 'text/event-stream', body: sse(frames) };
  return client.messages.stream(params).finalMessage();
}

async function whole(events: readonly GenerationEvent[]): Promise<Anthropic.Message> {
  const collector = new Collector();
  for (const event of events) collector.add(event);
  const body = anthropicMessages.whole(anthropicMessages.parse(params), answer, [collector.result()]);
  next = { status: 200, type: 'application/json', body: JSON.stringify(body) };
  return client.messages.create(params);
}

describe('the official client', () => {
  it('reads the whole answer', async () => {
    const message = await whole(
      eventsOf(
        [
          { kind: 'reasoning', pieces: ['Hm', '.'] },
          { kind: 'text', pieces: ['Looking'] },
          { kind: 'tool-call', pieces: ['{"path":"a"}'], id: 'call_a', name: 'read' },
          { kind: 'tool-call', pieces: [], id: 'call_b', name: 'list' },
        ],
        { reason: 'tool-calls' },
      ),
    );
    expect(message).toMatchObject({
      id: 'msg_7',
      type: 'message',
      role: 'assistant',
      model: 'tiny',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'serve-model.' },
        { type: 'text', text: 'Looking' },
        { type: 'tool_use', id: 'call_a', name: 'read', input: { path: 'a' } },
        { type: 'tool_use', id: 'call_b', name: 'list', input: {} },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 10, cache_creation_input_tokens: 0, cache_read_input_tokens: 90, output_tokens: 12 },
    });
  });

  it('collects from any stream exactly the whole answer', async () => {
    await fc.assert(
      fc.asyncProperty(anyBlocks, anyEnd, async (blocks, end) => {
        const events = eventsOf(blocks, end);
        const fromStream = await streamed(framesOf(events));
        // The helper keeps nothing that the protocol does not have.
        const { seed: _, ...fromWhole } = JSON.parse(JSON.stringify(await whole(events)));
        // The stream helper adds `parsed_output`, for answers with a schema.
        expect(JSON.parse(JSON.stringify({ ...fromStream, parsed_output: undefined }))).toEqual(fromWhole);
      }),
      { numRuns: 40 },
    );
  });

  it('gets arguments that were cut off as they are, in the place of an object', async () => {
    const events = eventsOf([{ kind: 'tool-call', pieces: ['{"pa'] }], { reason: 'length' });
    expect((await whole(events)).content).toMatchObject([{ type: 'tool_use', input: { INVALID_JSON: '{"pa' } }]);
  });

  it('does not mind pings', async () => {
    const call = anthropicMessages.parse(params);
    const ping = anthropicMessages.encoder(call, answer).heartbeat();
    const frames = framesOf(eventsOf([{ kind: 'text', pieces: ['a', 'b'] }]));
    expect((await streamed(frames.flatMap((frame) => [ping, frame]))).content).toMatchObject([{ text: 'ab' }]);
  });

  it('throws its error for a stream that fails', async () => {
    const events = eventsOf([{ kind: 'text', pieces: ['a'] }]).slice(0, 3);
    const call = anthropicMessages.parse(params);
    const encoder = anthropicMessages.encoder(call, answer);
    const frames = [
      ...events.flatMap((event) => encoder.encode(event, 0)),
      ...encoder.fail(new ServeError('engine_failure', 'The engine stopped.')),
    ];
    const failure = await streamed(frames).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Anthropic.APIError);
    expect(failure).toMatchObject({ type: 'api_error', apiMessage: 'The engine stopped.', requestID: 'req_1' });
  });

  it('throws its own classes for errors before the stream', async () => {
    const cases = [
      [400, 'invalid_request', Anthropic.BadRequestError],
      [401, 'unauthorized', Anthropic.AuthenticationError],
      [404, 'model_not_found', Anthropic.NotFoundError],
      [429, 'overloaded', Anthropic.RateLimitError],
      [500, 'internal', Anthropic.InternalServerError],
    ] as const;
    for (const [doorStatus, code, expected] of cases) {
      const { body, status = doorStatus } = anthropicMessages.error(new ServeError(code, 'No.'));
      next = { status, type: 'application/json', body: JSON.stringify(body) };
      await expect(client.messages.create(params), code).rejects.toBeInstanceOf(expected);
    }
    const { body, status = 0 } = anthropicMessages.error(new ServeError('draining', 'Soon.'));
    next = { status, type: 'application/json', body: JSON.stringify(body) };
    await expect(client.messages.create(params)).rejects.toMatchObject({ status: 529, type: 'overloaded_error' });
  });
});
