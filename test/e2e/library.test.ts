import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type EmbeddedServer, type GenerationEvent } from '../../src/index.ts';

describe('the server as a library', () => {
  let server: EmbeddedServer;
  beforeAll(async () => {
    server = await createServer({ ctxSize: 1024, parallel: 2, threads: 1, flashAttn: false });
  });
  afterAll(() => server.close());

  const question = JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0 });
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: question };

  it('answers a request without a port', async () => {
    const response = await server.fetch(new Request('http://localhost/v1/chat/completions', init));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      model: 'serve-model-demo',
      choices: [{ message: { content: expect.stringContaining('tiny demo model') }, finish_reason: 'stop' }],
    });
  });

  it('is mounted in another Hono app', async () => {
    const site = new Hono();
    site.get('/', (context) => context.text('my site'));
    site.all('/ai/*', (context) => server.fetch(new Request(context.req.url.replace('/ai/', '/'), context.req.raw)));
    const response = await site.request('http://localhost/ai/v1/chat/completions', init);
    expect(response.status).toBe(200);
    expect(await (await site.request('http://localhost/')).text()).toBe('my site');
  });

  it('generates typed events, between the APIs and the engine', async () => {
    const prompt = { type: 'chat', messages: [{ role: 'user', content: 'Who are you?' }] } as const;
    const events: GenerationEvent[] = [];
    for await (const event of server.generate({ prompt, sampling: { temperature: 0 } })) events.push(event);
    expect([events[0]?.type, events.at(-1)]).toMatchObject(['start', { type: 'finish', reason: 'stop' }]);
    const kinds = events.flatMap((event) => (event.type === 'block-start' ? [event.kind] : []));
    expect(kinds.at(-1)).toBe('text');
    const text = events.flatMap((event) => (event.type === 'block-delta' ? [event.delta] : [])).join('');
    expect(text).toContain('tiny demo model');
  });

  it('stops an answer whose loop is left or whose signal is aborted, and says what cannot be', async () => {
    const story = { type: 'chat', messages: [{ role: 'user', content: 'Tell me a story about a fox.' }] } as const;
    for await (const event of server.generate({ prompt: story })) if (event.type === 'block-delta') break;
    const controller = new AbortController();
    const aborted = async () => {
      for await (const event of server.generate({ prompt: story }, controller.signal))
        if (event.type === 'block-delta') controller.abort();
    };
    await expect(aborted()).rejects.toMatchObject({ code: 'client_closed' });
    const late = server.generate({ prompt: story }, AbortSignal.abort()).next();
    await expect(late).rejects.toMatchObject({ code: 'client_closed' });
    const strange = server.generate({ prompt: { type: 'tokens', tokens: [-1] } }).next();
    await expect(strange).rejects.toMatchObject({ code: 'invalid_request' });
    const long = server.generate({ prompt: { type: 'text', text: 'word '.repeat(5000) } }).next();
    await expect(long).rejects.toMatchObject({ code: 'context_length_exceeded' });
    // Nothing of them is left: both slots are free for others.
    const ask = () => server.fetch(new Request('http://localhost/v1/chat/completions', init));
    expect((await Promise.all([ask(), ask()])).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('hands out the typed engine', async () => {
    expect(server.engine?.info.slots).toBe(2);
    expect(await server.engine?.text.tokenize(['<|im_end|>'], { special: true })).toHaveLength(1);
  });
});
