import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer, type EmbeddedServer } from '../../src/index.ts';

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

  it('hands out the typed engine', async () => {
    expect(server.engine?.info.slots).toBe(2);
    expect(await server.engine?.text.tokenize(['<|im_end|>'], { special: true })).toHaveLength(1);
  });
});
