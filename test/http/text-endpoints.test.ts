import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ServeError } from '../../src/contract/errors.ts';
import { answer, openDoor } from './support.ts';

const get = (path: string, headers: Record<string, string> = {}) =>
  openDoor().app.request(new Request(`http://localhost${path}`, { headers }));

async function lines(response: Response): Promise<unknown[]> {
  return (await response.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('the generating endpoints', () => {
  it.each([
    ['/v1/completions', { prompt: 'a' }, { object: 'text_completion', choices: [{ text: 'Hello' }] }],
    ['/infill', { input_prefix: 'a' }, { content: 'Hello', stop: true }],
    ['/generate', { inputs: 'a' }, { generated_text: 'Hello' }],
    ['/api/chat', { messages: [{ role: 'user', content: 'a' }], stream: false }, { message: { content: 'Hello' } }],
    ['/api/generate', { prompt: 'a', stream: false }, { response: 'Hello', done: true }],
  ])('%s answers', async (path, body, expected) => {
    const response = await openDoor().post(path, body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject(expected);
  });

  it.each([
    ['/v1/completions', { prompt: 'a', stream: true }, /^data: \{"id":"cmpl-.*data: \[DONE\]\n\n$/s],
    ['/infill', { stream: true }, /^data: \{"index":0,"content":"Hel".*"stop":true.*\n\n$/s],
    ['/generate_stream', { inputs: 'a' }, /^data: \{"index":1,.*"generated_text":"Hello".*\n\n$/s],
    ['/generate/stream', { messages: [{ role: 'user', content: 'a' }] }, /^data: \{"text":"Hel"\}\n\n.*\[DONE\]\n\n$/s],
  ])('%s streams events', async (path, body, expected) => {
    const response = await openDoor().post(path, body);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(await response.text()).toMatch(expected);
  });

  it('/api/chat streams lines of JSON', async () => {
    const response = await openDoor().post('/api/chat', { messages: [{ role: 'user', content: 'a' }] });
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    expect(await lines(response)).toMatchObject([
      { message: { content: 'Hel' }, done: false },
      { message: { content: 'lo' }, done: false },
      { message: { content: '' }, done: true, done_reason: 'stop' },
    ]);
  });

  it('/api/chat without messages says that the model is loaded as soon as it is, streamed or not', async () => {
    const door = openDoor();
    const loaded = { done: true, done_reason: 'load', message: { content: '' } };
    expect(await lines(await door.post('/api/chat', { messages: [], model: 'demo' }))).toMatchObject([loaded]);
    expect(await (await door.post('/api/generate', { stream: false })).json()).toMatchObject({
      response: '',
      done_reason: 'load',
    });
    expect(door.generation.awaited).toEqual(['demo', undefined]);
  });

  it('/api/generate does not unload a model that others use', async () => {
    const response = await openDoor().post('/api/generate', { model: 'demo', keep_alive: 0, stream: false });
    expect([response.status, await response.json()]).toEqual([
      501,
      { error: expect.stringContaining('/api/inference/unload') },
    ]);
  });

  it('tells errors in the words of each', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(new ServeError('overloaded', 'Full.'));
    const tgi = await door.post('/generate', { inputs: 'a' });
    expect([tgi.status, await tgi.json()]).toEqual([429, { error: 'Full.', error_type: 'overloaded' }]);
    const ollama = await door.post('/api/generate', { prompt: 'a' });
    expect([ollama.status, await ollama.json()]).toEqual([429, { error: 'Full.' }]);
  });

  it('runs the choices of many prompts a few at a time, and answers them all in order', async () => {
    const door = openDoor();
    let running = 0;
    let most = 0;
    door.generation.script = (run, index) => {
      const generate = run.run.bind(run);
      run.say(...answer([`answer ${index}`]));
      run.run = async function* () {
        most = Math.max(most, ++running);
        yield* generate();
        running -= 1;
      };
    };
    const prompt = Array.from({ length: 30 }, (_, index) => `prompt ${index}`);
    const response = await door.post('/v1/completions', { prompt });
    const { choices } = (await response.json()) as { choices: { text: string; index: number }[] };
    expect(choices.map(({ text, index }) => [text, index])).toEqual(prompt.map((_, at) => [`answer ${at}`, at]));
    expect(most).toBe(8);
  });
});

describe('the endpoints that do not generate', () => {
  it('/v1/embeddings answers with unit vectors and notes its tokens', async () => {
    const door = openDoor();
    const response = await door.post('/v1/embeddings', { input: ['abc', 'de'] });
    expect(await response.json()).toMatchObject({
      model: 'vectors',
      data: [
        { index: 0, embedding: [1, 0] },
        { index: 1, embedding: [1, 0] },
      ],
      usage: { prompt_tokens: 5, total_tokens: 5 },
    });
    expect(door.records).toMatchObject([{ dialect: 'openai-embeddings', model: 'vectors', inputTokens: 5 }]);
  });

  it('/v1/embeddings names the input that is too long', async () => {
    const response = await openDoor().post('/v1/embeddings', { input: ['a', 'longer than eight'] });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'input[1]' } }]);
  });

  it('/api/embed cuts long inputs and says so', async () => {
    const response = await openDoor().post('/api/embed', { input: ['a', 'longer than eight'] });
    expect(await response.json()).toMatchObject({
      embeddings: [
        [1, 0],
        [1, 0],
      ],
      prompt_eval_count: 9,
    });
    expect(response.headers.get('x-serve-model-warning')).toBe('input[1] was cut from 17 to 8 tokens');
    const refused = await openDoor().post('/api/embed', { input: 'longer than eight', truncate: false });
    expect([refused.status, await refused.json()]).toEqual([400, { error: 'too long' }]);
    expect(await (await openDoor().post('/api/embeddings', { prompt: 'a' })).json()).toEqual({ embedding: [1, 0] });
  });

  it.each(['/v1/rerank', '/rerank'])('%s sorts documents', async (path) => {
    const response = await openDoor().post(path, { query: 'cat', documents: ['dog', { text: 'a cat' }], top_n: 1 });
    expect(await response.json()).toMatchObject({ model: 'ranker', results: [{ index: 1, relevance_score: 0.75 }] });
  });

  it('/v1/rerank says what it needs where there is no ranking model', async () => {
    const response = await openDoor().post('/v1/rerank', { model: 'chat', query: 'cat', documents: ['dog'] });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { message: 'no ranking model' } }]);
  });

  it.each([
    ['/tokenize', { content: 'Hi' }, { tokens: [72, 105] }],
    ['/tokenize', { content: 'H', add_special: true }, { tokens: [1, 72] }],
    ['/tokenize', { content: 'H', with_pieces: true }, { tokens: [{ id: 72, piece: 'H' }] }],
    ['/tokenize', { messages: [{ role: 'user', content: 'x' }] }, { tokens: [72, 105] }],
    ['/detokenize', { tokens: [72, 105] }, { content: 'Hi' }],
    ['/apply-template', { messages: [{ role: 'user', content: 'x' }] }, { prompt: 'prompt' }],
    [
      '/v1/chat/completions/input_tokens',
      { messages: [{ role: 'user', content: 'x' }] },
      { object: 'response.input_tokens', input_tokens: 7, cached_tokens: 3, first_token_ms: 12 },
    ],
  ])('%s answers %j', async (path, body, expected) => {
    const response = await openDoor().post(path, body);
    expect([response.status, await response.json()]).toEqual([200, expected]);
  });
});

describe("Ollama's models", () => {
  const details = {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '0.5K',
    quantization_level: 'Q8_0',
  };

  it('lists, shows and says what runs', async () => {
    const listed = {
      name: 'demo:latest',
      model: 'demo:latest',
      size: 1000,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      details,
    };
    expect(await (await get('/api/tags')).json()).toEqual({
      models: [{ ...listed, modified_at: '2023-11-14T22:13:20.000Z' }],
    });
    expect(await (await get('/api/ps')).json()).toEqual({
      models: [{ ...listed, expires_at: '9999-12-31T23:59:59Z', size_vram: 0, context_length: 2048 }],
    });
    expect(await (await openDoor().post('/api/show', { model: 'demo:latest' })).json()).toMatchObject({
      details,
      capabilities: ['completion'],
      parameters: `${'num_ctx'.padEnd(30)} 2048`,
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 2048, 'llama.embedding_length': 64 },
    });
  });

  it('tells a version that today’s clients talk to', async () => {
    const { version } = z.object({ version: z.string() }).parse(await (await get('/api/version')).json());
    for (const asked of ['0.6.5', '0.13.4', '0.14.2'])
      expect([asked, version.localeCompare(asked, 'en', { numeric: true }) >= 0]).toEqual([asked, true]);
  });

  it('says 501 to what only a model store can do', async () => {
    for (const path of ['/api/pull', '/api/push', '/api/create', '/api/copy', '/api/blobs/sha256:1']) {
      const response = await openDoor().post(path, { model: 'x' });
      expect([response.status, await response.json()]).toEqual([501, { error: expect.stringContaining(path) }]);
    }
    expect((await openDoor().post('/api/delete', {}, { method: 'DELETE' })).status).toBe(501);
  });
});

describe('GET /', () => {
  it('is one line for programs', async () => {
    const response = await get('/');
    expect([response.status, await response.text()]).toEqual([200, 'serve-model is running\n']);
  });

  it('is a page without scripts for browsers', async () => {
    const response = await get('/', { accept: 'text/html,application/xhtml+xml' });
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).toContain('<b>demo</b>, 2048 tokens of context');
  });
});
