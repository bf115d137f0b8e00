import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServer } from '../../src/index.ts';
import { type PackedServer, startPacked, unpackPackage } from '../support/packed-server.ts';

const messages = [{ role: 'user', content: 'Who are you?' }];
const few = { temperature: 0, max_tokens: 4 };
const options = { temperature: 0, num_predict: 4 };
const demo = 'serve-model-demo';
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** As in the route table; `asked` where a part of the path is to be filled in. */
  readonly paths: readonly string[];
  readonly asked?: (path: string) => string;
  readonly body?: unknown;
  readonly status?: number;
  /** What the answer must hold: members of its JSON, or a pattern of its text. */
  readonly answer: object | RegExp;
}

const called = (answer: object, more: object = {}) => ({ body: { messages, ...few, ...more }, answer });
const filled = (value: string) => (path: string) => path.replace(/:\w+(\{[^}]*\})?/, value);

/** Every endpoint, asked once in its simplest form. */
const calls: readonly Call[] = [
  { paths: ['/v1/chat/completions', '/chat/completions'], ...called({ object: 'chat.completion' }) },
  { paths: ['/v1/chat/completions', '/chat/completions'], ...called(/data: \[DONE\]\n\n$/, { stream: true }) },
  { paths: ['/v1/chat/completions/input_tokens', '/chat/completions/input_tokens'], ...called({ input_tokens: 12 }) },
  { paths: ['/v1/messages', '/messages'], ...called({ type: 'message', role: 'assistant' }) },
  { paths: ['/v1/messages', '/messages'], ...called(/event: message_stop\n/, { stream: true }) },
  { paths: ['/v1/messages/count_tokens', '/messages/count_tokens'], ...called({ input_tokens: 16 }) },
  {
    paths: ['/v1/responses', '/responses'],
    body: { input: 'Who are you?', temperature: 0, max_output_tokens: 16 },
    answer: { object: 'response' },
  },
  {
    paths: ['/v1/responses', '/responses'],
    body: { input: 'Who are you?', temperature: 0, max_output_tokens: 16, stream: true },
    answer: /event: response\.(completed|incomplete)\n/,
  },
  {
    paths: ['/v1/responses/input_tokens', '/responses/input_tokens'],
    body: { input: 'Who are you?' },
    answer: { input_tokens: 12 },
  },
  {
    paths: ['/v1/completions', '/completions'],
    body: { prompt: 'The capital of France is', ...few },
    answer: { object: 'text_completion', choices: [{ text: expect.stringContaining('Paris') }] },
  },
  {
    paths: ['/v1/completions', '/completions'],
    body: { prompt: 'The capital of France is', ...few, stream: true },
    answer: /Paris.*data: \[DONE\]\n\n$/s,
  },
  {
    paths: ['/completion', '/v1/completion'],
    body: { prompt: 'The capital of France is', n_predict: 4, temperature: 0 },
    answer: { content: expect.stringContaining('Paris'), stop_type: 'limit', tokens_predicted: 4 },
  },
  {
    paths: ['/completion', '/v1/completion'],
    body: { prompt: ['The capital of France is', [1117, 1643], [1117, 'Who are']], n_predict: 1, temperature: 0 },
    answer: [{ index: 0 }, { index: 1, tokens_evaluated: 2 }, { index: 2, tokens_evaluated: 3 }],
  },
  {
    paths: ['/infill', '/v1/infill'],
    body: { input_prefix: 'def add(a, b):\n    ', input_suffix: '\n', temperature: 0 },
    answer: { content: 'return a + b' },
  },
  {
    paths: ['/generate'],
    body: { inputs: 'The capital of France is', parameters: { max_new_tokens: 4, details: true } },
    answer: { generated_text: expect.stringContaining('Paris'), details: { generated_tokens: 4 } },
  },
  {
    paths: ['/generate_stream'],
    body: { inputs: 'The capital of France is', parameters: { max_new_tokens: 4 } },
    answer: /"generated_text":" Paris[^\n]*\n\n$/,
  },
  {
    paths: ['/generate/stream'],
    body: { messages, temperature: 0, max_new_tokens: 4 },
    answer: /^data: \{"text":.*data: \[DONE\]\n\n$/s,
  },
  { paths: ['/api/chat'], body: { model: demo, messages, options }, answer: /"done":true[^\n]*\n$/ },
  { paths: ['/api/chat'], body: { model: demo, messages, options, stream: false }, answer: { done: true } },
  {
    paths: ['/api/generate'],
    body: { model: demo, prompt: 'Hi', options, stream: false },
    answer: { done: true, response: expect.any(String) },
  },
  { paths: ['/v1/embeddings', '/embeddings'], body: { input: 'cat' }, answer: { object: 'list' } },
  { paths: ['/api/embed'], body: { input: 'cat' }, answer: { embeddings: [expect.any(Array)] } },
  { paths: ['/api/embeddings'], body: { prompt: 'cat' }, answer: { embedding: expect.any(Array) } },
  {
    paths: ['/v1/rerank', '/rerank', '/v1/reranking', '/reranking'],
    body: { query: 'cat', documents: ['dog'] },
    status: 400,
    answer: { error: { message: expect.stringContaining('is no ranking model') } },
  },
  { paths: ['/tokenize', '/v1/tokenize'], body: { content: 'Who are you?' }, answer: { tokens: expect.any(Array) } },
  { paths: ['/detokenize', '/v1/detokenize'], body: { tokens: [1117, 1643] }, answer: { content: 'Who are' } },
  {
    paths: ['/apply-template', '/v1/apply-template'],
    body: { messages },
    answer: { prompt: '<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n' },
  },
  { paths: ['/api/show'], body: { model: demo }, answer: { details: { format: 'gguf' } } },
  {
    paths: ['/api/pull', '/api/push', '/api/create', '/api/copy', '/api/blobs/:digest'],
    asked: filled('sha256:0'),
    body: { model: 'x' },
    status: 501,
    answer: { error: expect.stringContaining('not possible here') },
  },
  { method: 'DELETE', paths: ['/api/delete'], status: 501, answer: { error: expect.any(String) } },
  { method: 'GET', paths: ['/api/tags', '/api/ps'], answer: { models: [{ name: `${demo}:latest` }] } },
  { method: 'GET', paths: ['/api/version'], answer: { version: expect.any(String) } },
  { method: 'GET', paths: ['/v1/models', '/models'], answer: { data: [{ id: demo }] } },
  { method: 'GET', paths: ['/v1/models/:id{.+}', '/models/:id{.+}'], asked: filled(demo), answer: { id: demo } },
  {
    method: 'GET',
    paths: ['/props', '/v1/props'],
    answer: { total_slots: 4, model_path: `${demo}.gguf`, default_generation_settings: { n_ctx: 1024 } },
  },
  { method: 'GET', paths: ['/lora-adapters', '/v1/lora-adapters'], answer: [] },
  { method: 'POST', paths: ['/lora-adapters', '/v1/lora-adapters'], body: [], answer: { success: true } },
  { method: 'GET', paths: ['/slots', '/v1/slots'], answer: [{ id: 0, n_ctx: 1024, is_processing: false }, {}, {}, {}] },
  { method: 'GET', paths: ['/api/v0/models'], answer: { object: 'list', data: [{ id: demo, state: 'loaded' }] } },
  {
    method: 'GET',
    paths: ['/api/v0/models/:id{.+}'],
    asked: filled(demo),
    answer: { id: demo, type: 'vlm', loaded_context_length: 1024 },
  },
  {
    method: 'GET',
    paths: ['/api/v1/models'],
    answer: {
      models: [{ key: demo, loaded_instances: [{ id: demo, config: { context_length: 1024, parallel: 4 } }] }],
    },
  },
  {
    method: 'GET',
    paths: ['/health', '/v1/health', '/readyz', '/healthz', '/livez', '/ping'],
    answer: { status: 'ok' },
  },
  { method: 'GET', paths: ['/internal/stats'], answer: { state: 'ready', models: [{ id: demo }] } },
  { method: 'GET', paths: ['/internal/usage'], answer: { keys: expect.any(Array) } },
  { method: 'GET', paths: ['/internal/models/raw'], answer: { models: [{ id: demo, metadata: expect.any(Object) }] } },
  { method: 'GET', paths: ['/internal/requests'], answer: { requests: [] } },
  {
    method: 'DELETE',
    paths: ['/internal/requests/:id'],
    asked: filled('req_0'),
    status: 404,
    answer: { error: { code: 'not_found' } },
  },
  { method: 'GET', paths: ['/openapi.json'], answer: { openapi: '3.1.0' } },
  { method: 'GET', paths: ['/docs'], answer: /<h1 id="serve-model">serve-model<\/h1>/ },
  { method: 'GET', paths: ['/docs/routes'], answer: /<h1>serve-model API<\/h1>/ },
  {
    method: 'GET',
    paths: ['/docs/:guide{.+}'],
    asked: filled('api/openai-chat'),
    answer: /<h1 id="guide-chat-completions">chat completions<\/h1>/,
  },
  { method: 'GET', paths: ['/metrics'], answer: /^serve_model_slots\{/m },
  { paths: ['/api/inference/cancel'], body: { cancel_id: 'nobody' }, answer: { cancelled: 0 } },
  {
    paths: ['/v1/chat/completions/:id/cancel', '/v1/completions/:id/cancel'],
    asked: filled('nobody'),
    status: 404,
    answer: { error: { message: expect.stringContaining('nobody') } },
  },
  { method: 'GET', paths: ['/api/runs'], answer: { runs: [] } },
  {
    method: 'GET',
    paths: ['/api/runs/:id'],
    asked: filled('chatcmpl-0'),
    status: 404,
    answer: { error: { message: expect.stringContaining('chatcmpl-0') } },
  },
  { method: 'GET', paths: ['/api/inference/status', '/api/inference/models'], answer: {} },
  { method: 'GET', paths: ['/api/inference/load-progress'], answer: {} },
  { method: 'GET', paths: ['/api/chats'], answer: { chats: [] } },
  { paths: ['/api/chats'], body: { chat_id: 'a-first-chat' }, answer: { chat_id: 'a-first-chat' } },
  { method: 'GET', paths: ['/api/chats/:id'], asked: filled('a-first-chat'), answer: { entries: [] } },
  {
    paths: ['/api/chats/:id/entries'],
    asked: filled('a-first-chat'),
    body: { entries: [{ entry_id: 't', type: 'title', title: 'First' }] },
    answer: { accepted: ['t'] },
  },
  {
    method: 'DELETE',
    paths: ['/api/chats/:id'],
    asked: filled('a-first-chat'),
    answer: { chat_id: 'a-first-chat', deleted: true },
  },
  { paths: ['/api/chats/:id/restore'], asked: filled('a-first-chat'), answer: { restored: true } },
  { method: 'DELETE', paths: ['/api/chats/bin'], answer: { deleted: 0 } },
  { method: 'GET', paths: ['/api/chats/export'], answer: { format: 'serve-model.chats' } },
  {
    paths: ['/api/chats/import'],
    body: { format: 'serve-model.chats', version: 1, chats: [] },
    answer: { chats: 0 },
  },
  {
    paths: ['/api/chats/files/:sha256'],
    asked: filled(emptyHash),
    answer: { sha256: emptyHash, bytes: 0 },
  },
  { method: 'GET', paths: ['/api/chats/files/:sha256'], asked: filled(emptyHash), answer: /^$/ },
  {
    method: 'GET',
    paths: ['/api/ui/config'],
    answer: { key_needed: false, caller: { name: null, local: true, can: { change_models: true } } },
  },
  { method: 'GET', paths: ['/'], answer: /^serve-model is running\n$/ },
  { method: 'GET', paths: ['/ui/icon.svg', '/ui/LICENSES.txt'], answer: /svg|licen/i },
  { method: 'GET', paths: ['/ui/icon-192.png', '/ui/icon-512.png', '/ui/icon-filled-512.png'], answer: /PNG/ },
  { method: 'GET', paths: ['/ui/service-worker.js'], answer: /serve-model/ },
  { method: 'GET', paths: ['/ui/sandbox'], answer: /<script>/ },
  {
    method: 'GET',
    paths: ['/ui/assets/:file{.+}'],
    asked: filled('nothing.js'),
    status: 404,
    answer: { error: { code: 'not_found' } },
  },
];

/** Asked by tests of their own: they need what another call made before, change what is served, or never end. */
const askedElsewhere = new Set([
  ...['GET', 'DELETE', 'POST'].flatMap((method) => stored(method)),
  ...['load', 'unload', 'validate'].map((change) => `POST /api/inference/${change}`),
  'DELETE /api/inference/models/:id{.+}',
  'GET /api/inference/events',
  'GET /api/chats/events',
  'POST /v1/chat/completions/control',
  'GET /api/hub/search',
  'GET /api/hub/repos/:owner/:repo',
]);

function stored(method: string): string[] {
  return ['/v1', ''].flatMap((prefix) =>
    ['', '/cancel', '/input_items'].map((end) => `${method} ${prefix}/responses/:id${end}`),
  );
}

describe('the package, started as a user does', () => {
  const chats = mkdtempSync(join(tmpdir(), 'serve-model-smoke-'));
  let packed: ReturnType<typeof unpackPackage> | undefined;
  let server: PackedServer | undefined;
  beforeAll(async () => {
    packed = unpackPackage('smoke-package');
    server = await startPacked(packed.folder, [
      '--port',
      '0',
      '--ctx-size',
      '1024',
      '--threads',
      '1',
      '--chat-store',
      chats,
    ]);
  }, 180_000);
  // Neither is there when the start failed, and that failure is the one to be read.
  afterAll(async () => {
    expect(await server?.stop()).toBe(0);
    packed?.remove();
    rmSync(chats, { recursive: true, force: true });
  });

  it.each(
    calls.flatMap(({ paths, ...call }) => paths.map((path) => ({ ...call, path, method: call.method ?? 'POST' }))),
  )('$method $path answers', async ({ method, path, asked, body, status = 200, answer }) => {
    const response = await fetch(server?.url + (asked ? asked(path) : path), {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    expect([response.status, text]).toEqual([status, expect.any(String)]);
    if (answer instanceof RegExp) expect(text).toMatch(answer);
    else expect(JSON.parse(text)).toMatchObject(answer);
  });

  it('leaves no endpoint out: a new one gets a line in the table above', async () => {
    const asked = new Set(calls.flatMap(({ method = 'POST', paths }) => paths.map((path) => `${method} ${path}`)));
    const { app, close } = await createServer({ ctxSize: 512, parallel: 1, threads: 1, flashAttn: false });
    await close();
    const routes = app.routes.filter(({ method }) => method !== 'ALL');
    const missing = routes.map(({ method, path }) => `${method} ${path}`).filter((route) => !asked.has(route));
    expect(routes.length).toBeGreaterThan(50);
    expect(missing.filter((route) => !askedElsewhere.has(route))).toEqual([]);
  });
});
