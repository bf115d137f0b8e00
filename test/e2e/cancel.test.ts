import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { reading, sseData, within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** Cancel calls on the whole server and a real model, whose answers would go on to the end of the context. */
let server: RunningServer;

beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '12288', '--parallel', '2', '--batch-size', '32']);
});

afterAll(() => server?.close());

const question = 'What is the capital of Italy?';
const messages = [{ role: 'user', content: question }];
const endless = { messages, temperature: 0, ignore_eos: true };
const chat = '/v1/chat/completions';

function post(path: string, body: object, headers: Record<string, string> = {}, at = server): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
  return within(`an answer of ${path}`, fetch(at.url + path, { ...init, body: JSON.stringify(body) }), 20_000);
}

async function cancel(keys: object): Promise<number> {
  const response = await post('/api/inference/cancel', keys);
  expect(response.status).toBe(200);
  const { cancelled } = (await response.json()) as { cancelled: number };
  return cancelled;
}

/** Asks until a run is found: for runs of which nobody has heard yet. A session is never kept. */
async function cancelOnceKnown(session: string): Promise<void> {
  const found = async () => {
    while ((await cancel({ session_id: session })) === 0);
  };
  await within('the run to be known', found());
}

/** A stream under way: cancelled at a piece of text, read to its end. */
async function cancelledAt(
  awaited: string,
  response: Response,
  stop: (text: string) => Promise<unknown>,
): Promise<string> {
  expect(response.status).toBe(200);
  const seen = await reading(response.clone())(awaited);
  await stop(seen);
  return within('the end of the stream', response.text());
}

/** Less than a request would generate that nobody stops. */
const unstopped = 10_000;

describe('a stream that is cancelled while it decodes', () => {
  it('ends a chat completion with stop, the flag, usage and [DONE]', async () => {
    const body = { ...endless, stream: true, stream_options: { include_usage: true }, enable_thinking: false };
    const text = await cancelledAt('"The"', await post(chat, body), async (seen) => {
      const id = /"id":"(chatcmpl-\w+)"/.exec(seen)?.[1];
      expect(await cancel({ completion_id: id })).toBe(1);
    });
    const data = sseData(text);
    expect(data.at(-3)).toMatchObject({ choices: [{ delta: {}, finish_reason: 'stop' }], cancelled: true });
    expect(data.at(-2)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
    expect(data.at(-1)).toBe('[DONE]');
    const { usage } = data.at(-2) as { usage: { completion_tokens: number } };
    expect(usage.completion_tokens).toBeGreaterThan(0);
    expect(usage.completion_tokens).toBeLessThan(unstopped);
  });

  it('is found under /v1 by its id, and only once', async () => {
    let id = '';
    const response = await post(chat, { ...endless, stream: true });
    const text = await cancelledAt('"The"', response, async (seen) => {
      id = /"id":"(chatcmpl-\w+)"/.exec(seen)?.[1] ?? '';
      const answer = await post(`/v1/chat/completions/${id}/cancel`, {});
      expect([answer.status, await answer.json()]).toEqual([200, { id, cancelled: true }]);
    });
    expect(sseData(text).at(-2)).toMatchObject({ cancelled: true });
    expect((await post(`/v1/chat/completions/${id}/cancel`, {})).status).toBe(404);
  });

  it('ends a response with response.incomplete, status cancelled', async () => {
    const response = await post('/v1/responses', { input: question, temperature: 0, ignore_eos: true, stream: true });
    const text = await cancelledAt('_text.delta', response, async (seen) => {
      const id = /"id":"(resp_\w+)"/.exec(seen)?.[1];
      expect(await cancel({ response_id: id })).toBe(1);
    });
    const last = text.trimEnd().split('\n\n').at(-1)?.split('\ndata: ') ?? [];
    expect(last[0]).toBe('event: response.incomplete');
    expect(JSON.parse(last[1] ?? '')).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'cancelled', output: [{ status: 'incomplete' }] },
    });
  });

  it('ends a message with end_turn and message_stop', async () => {
    const response = await post('/v1/messages', { ...endless, max_tokens: 12_000, stream: true });
    const text = await cancelledAt('text_delta', response, async (seen) => {
      const id = /"id":"(msg_\w+)"/.exec(seen)?.[1];
      expect(await cancel({ message_id: id })).toBe(1);
    });
    expect(text).toContain('"stop_reason":"end_turn"');
    expect(text.trimEnd().split('\n\n').at(-1)).toBe('event: message_stop\ndata: {"type":"message_stop"}');
  });

  it.each<[string, object, string, RegExp]>([
    ['/v1/completions', { prompt: question, max_tokens: 12_000 }, '"text":"', /"cancelled":true}\n\ndata: \[DONE\]$/],
    ['/infill', { input_prefix: 'a', input_suffix: 'b' }, '"content":"', /"stop":true/],
    [
      '/generate_stream',
      { inputs: question, parameters: { max_new_tokens: 12_000, ignore_eos: true } },
      '"index":3',
      /"details":{"finish_reason":"eos_token"/,
    ],
    ['/generate/stream', { messages }, '"text":"', /data: \[DONE\]$/],
    ['/api/chat', { messages }, '"done":false', /"done":true,"done_reason":"stop"/],
    ['/api/generate', { prompt: question }, '"done":false', /"done":true,"done_reason":"stop"/],
  ])('ends %s as its clients expect', async (path, body, awaited, ending) => {
    const response = await post(
      path,
      { ...body, temperature: 0, ignore_eos: true, stream: true },
      { 'x-session-id': path },
    );
    const text = await cancelledAt(awaited, response, () => cancelOnceKnown(path));
    expect(text.trimEnd()).toMatch(ending);
  });
});

describe('a plain request that is cancelled', () => {
  it('answers 200 with what there is and the flag', async () => {
    const answering = post(chat, { ...endless, session_id: 'plain' });
    await cancelOnceKnown('plain');
    const response = await within('the answer', answering);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant' }, finish_reason: 'stop' }],
      cancelled: true,
    });
  });

  it('ends all its choices, those included that wait for their turn', async () => {
    const answering = post(chat, { ...endless, n: 8, session_id: 'choices' });
    await cancelOnceKnown('choices');
    const { choices, usage } = (await within('the answer', answering).then((response) => response.json())) as {
      choices: { finish_reason: string }[];
      usage: { completion_tokens: number };
    };
    expect(choices.map(({ finish_reason }) => finish_reason)).toEqual(Array(8).fill('stop'));
    expect(usage.completion_tokens).toBeLessThan(unstopped);
  });
});

describe('a request that is cancelled before it generates', () => {
  const empty = { choices: [{ message: { content: '' }, finish_reason: 'stop' }], usage: { completion_tokens: 0 } };

  it('ends empty when the cancel id came first', async () => {
    expect(await cancel({ cancel_id: 'early' })).toBe(0);
    const response = await within('the answer', post(chat, { ...endless, cancel_id: 'early' }));
    expect([response.status, await response.json()]).toMatchObject([200, { ...empty, cancelled: true }]);
  });

  it('ends empty while it waits for a slot, and nobody else is hit', async () => {
    const holders = await Promise.all(
      [1, 2].map(() => post(chat, { ...endless, stream: true, session_id: 'holders' })),
    );
    const plain = post(chat, { ...endless, session_id: 'waiting' });
    const streamed = post(chat, { ...endless, stream: true, session_id: 'waiting streamed' });
    await cancelOnceKnown('waiting');
    await cancelOnceKnown('waiting streamed');
    expect(await within('the plain answer', plain).then((response) => response.json())).toMatchObject(empty);
    const text = await within('the stream', streamed).then((response) => response.text());
    expect(sseData(text)).toMatchObject([
      { choices: [{ delta: { role: 'assistant' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }], cancelled: true },
      '[DONE]',
    ]);
    expect(await cancel({ session_id: 'holders' })).toBe(2);
    for (const holder of holders) expect(await within('a holder', holder.text())).toContain('"cancelled":true');
  });

  it('ends empty while its prompt is read', async () => {
    const content = 'An endless story about the sea and its islands. '.repeat(340);
    const body = { ...endless, messages: [{ role: 'user', content }], stream: true };
    // The role comes with the first step, the first token only after all of the prompt: more than 100 steps.
    const options = { stream_options: { include_usage: true }, session_id: 'prefill' };
    const text = await cancelledAt('"role"', await post(chat, { ...body, ...options }), () =>
      cancel({ session_id: 'prefill' }),
    );
    expect(sseData(text).slice(1)).toMatchObject([
      { choices: [{ finish_reason: 'stop' }], cancelled: true },
      { usage: { completion_tokens: 0 } },
      '[DONE]',
    ]);
  });

  it('leaves the slots to whoever comes next', async () => {
    const response = await within('the answer', post(chat, { messages, temperature: 0, enable_thinking: false }));
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).toBe('The capital of Italy is Rome.');
  });
});

describe('--max-predict-seconds', () => {
  it('ends an answer with length, also when max_tokens is given', async () => {
    const capped = await startDemoServer(['--ctx-size', '16384', '--parallel', '1', '--max-predict-seconds', '1']);
    try {
      const body = { ...endless, max_tokens: 16_000, stream: true, stream_options: { include_usage: true } };
      const text = await within(
        'the stream',
        post(chat, body, {}, capped).then((answer) => answer.text()),
        30_000,
      );
      const data = sseData(text);
      expect(data.at(-3)).toMatchObject({ choices: [{ finish_reason: 'length' }] });
      expect(data.at(-3)).not.toHaveProperty('cancelled');
      const { usage } = data.at(-2) as { usage: { completion_tokens: number } };
      expect(usage.completion_tokens).toBeGreaterThan(0);
      expect(usage.completion_tokens).toBeLessThan(16_000);
    } finally {
      await capped.close();
    }
  });
});
