import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { reading, within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { everythingServer } from '../support/everything-server.ts';
import { type CallerName, callers, everyRoute, filled, nameOf, refusalOf } from '../support/route-rows.ts';

/**
 * The table of every route x caller, and of everything that ann owns x bob, on the whole server and a real model. The
 * rows are those of the route table itself: one that owns something of its caller and has no scenario here fails.
 */
let server: RunningServer;
let folder = '';
const keys = { 'no key': undefined, 'a wrong key': 'sk-x', ann: 'sk-ann', bob: 'sk-bob', admin: 'sk-chief' } as const;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-owners-'));
  const file = join(folder, 'keys');
  await writeFile(file, 'ann: sk-ann\nbob: sk-bob\nchief: sk-chief admin\n');
  const tools = join(folder, 'mcp.json');
  const everything = { command: process.execPath, args: [everythingServer, 'stdio'] };
  await writeFile(tools, JSON.stringify({ mcpServers: { everything } }));
  const flags = [
    '--mcp-config',
    tools,
    '--tools-for',
    'keys',
    '--ctx-size',
    '32768',
    '--parallel',
    '2',
    '--response-store',
    'memory',
    '--api-key-file',
    file,
  ];
  flags.push('--chat-store', join(folder, 'chats'));
  server = await startDemoServer(flags);
});

afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

interface Ask {
  readonly method?: string;
  readonly body?: object | undefined;
  /** Instead of a body in JSON. */
  readonly text?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

function ask(
  caller: CallerName,
  path: string,
  { method, body, text, headers = {}, signal }: Ask = {},
): Promise<Response> {
  const key = keys[caller];
  return within(
    `an answer of ${path}`,
    fetch(server.url + path, {
      method: method ?? (body || text ? 'POST' : 'GET'),
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(text && { body: text }),
      ...(signal && { signal }),
    }),
    20_000,
  );
}

async function json(caller: CallerName, path: string, init?: Ask): Promise<Record<string, unknown>> {
  return (await (await ask(caller, path, init)).json()) as Record<string, unknown>;
}

/** What no other caller may get to see: it stands in everything that ann names or writes. */
const mark = 'zq7x';
let count = 0;
const fresh = (what: string) => `${mark}-${what}-${++count}`;

/** A run of ann's that goes on until it is stopped, and all the names that it has. */
interface Run {
  readonly cancelId: string;
  readonly sessionId: string;
  readonly requestId: string;
  readonly answerId: string;
  readonly response: Response;
}

const prompt = `Tell me about ${mark}.`;
const messages = [{ role: 'user', content: prompt }];
/** What makes each generating route begin a stream that does not end. */
const endless: Readonly<Record<string, object>> = {
  'POST /v1/chat/completions': { messages },
  'POST /v1/messages': { messages, max_tokens: 32_000 },
  'POST /v1/completions': { prompt, max_tokens: 32_000 },
  'POST /v1/responses': { input: prompt },
  'POST /completion': { prompt },
  'POST /infill': { input_prefix: prompt, input_suffix: 'b' },
  'POST /generate': { inputs: prompt },
  'POST /generate_stream': { inputs: prompt },
  'POST /generate/stream': { messages },
  'POST /api/chat': { messages, options: { ignore_eos: true } },
  'POST /api/generate': { prompt, options: { ignore_eos: true } },
};

async function begin(row: string, cancelId = fresh('cancel'), more: object = {}): Promise<Run> {
  const [sessionId, requestId] = [fresh('session'), fresh('request')];
  const options = { cancel_id: cancelId, session_id: sessionId, ignore_eos: true, temperature: 0, ...more };
  const nested = row.startsWith('POST /generate') && !row.endsWith('/stream');
  const parameters = { cancel_id: cancelId, session_id: sessionId, ignore_eos: true, max_new_tokens: 32_000 };
  const body = { ...endless[row], ...(nested ? { parameters } : { ...options, stream: true }) };
  const path = row.replace('POST ', '');
  const pending = ask('ann', path, { body, headers: { 'x-request-id': requestId } });
  // Whole answers come at their end only.
  const response = path === '/generate' ? new Response() : await pending;
  if (path === '/generate') void pending.catch(() => undefined);
  expect(response.status).toBe(200);
  const live = async () => {
    for (;;) {
      const { requests } = (await json('admin', '/internal/requests')) as {
        requests: { id: string; answer_id?: string; phase: string }[];
      };
      const found = requests.find(({ id, answer_id, phase }) => id === requestId && answer_id && phase !== 'queued');
      if (found) return found.answer_id ?? '';
    }
  };
  return { cancelId, sessionId, requestId, answerId: await within('the run', live()), response };
}

/** Ann herself stops it, which works only if nobody else has. */
async function stop({ sessionId, response }: Run): Promise<void> {
  expect(await json('ann', '/api/inference/cancel', { body: { session_id: sessionId } })).toEqual({ cancelled: 1 });
  await within('the end of the stream', response.text());
}

/** Bob gets word for word what he gets for a name that nobody has; the answer. */
async function sameAsMissing(name: string, request: (name: string) => Promise<Response>): Promise<Response> {
  const missing = name.replace(mark, 'qqqq').replace(/[0-9a-f]{32}/, '0'.repeat(32));
  expect(missing).not.toBe(name);
  const [of, ofMissing] = [await request(name), await request(missing)];
  const text = await of.clone().text();
  expect([of.status, text]).toEqual([ofMissing.status, (await ofMissing.text()).replaceAll(missing, name)]);
  return of;
}

/** Every call that names a run, by every name that it has, does nothing for bob. */
async function cannotBeNamed(run: Run): Promise<void> {
  const cancel = '/api/inference/cancel';
  const named: readonly (readonly [string, string])[] = [
    ['cancel_id', run.cancelId],
    ['session_id', run.sessionId],
    ...['completion_id', 'response_id', 'message_id'].map((key) => [key, run.answerId] as const),
  ];
  for (const [key, name] of named) {
    const answer = await sameAsMissing(name, (id) => ask('bob', cancel, { body: { [key]: id } }));
    expect(await answer.json()).toEqual({ cancelled: 0 });
  }
  const answer = await sameAsMissing(run.answerId, (id) =>
    ask('bob', `/v1/chat/completions/${id}/cancel`, { body: {} }),
  );
  expect(answer.status).toBe(404);
  expect((await ask('bob', `/internal/requests/${run.requestId}`, { method: 'DELETE' })).status).toBe(403);
}

/** A response of ann's that is kept, or in the background and not over. */
async function keptResponse(more: object = {}): Promise<{ readonly id: string; readonly item: string }> {
  const body = { input: prompt, max_output_tokens: 8, ...more };
  const { id } = (await json('ann', '/v1/responses', { body })) as { id: string };
  const { data } = (await json('ann', `/v1/responses/${id}/input_items`)) as { data: { id: string }[] };
  return { id, item: data[0]?.id ?? '' };
}

const endlessBackground = { background: true, ignore_eos: true, max_output_tokens: 32_000 };

/** A call that names a kept response: nothing is there for bob, then it is there for ann and for an admin. */
async function isKeptFor(owner: { readonly path: (id: string) => string; readonly init?: Ask }): Promise<void> {
  const { id } = await keptResponse();
  const request = (caller: CallerName, name: string) => ask(caller, owner.path(name), owner.init);
  expect((await sameAsMissing(id, (name) => request('bob', name))).status).toBe(404);
  expect((await request('ann', id)).status).not.toBe(404);
  const other = await keptResponse();
  expect((await request('admin', other.id)).status).not.toBe(404);
}

/** Route -> what shows that its things are there for their owner, and for nobody else but an admin. */
const scenarios: Readonly<Record<string, () => Promise<void>>> = {
  ...Object.fromEntries(
    Object.keys(endless).map((row) => [
      row,
      async () => {
        const run = await begin(row);
        await cannotBeNamed(run);
        await stop(run);
      },
    ]),
  ),
  'POST /v1/responses': async () => {
    const run = await begin('POST /v1/responses');
    await cannotBeNamed(run);
    await stop(run);
    const { id, item } = await keptResponse();
    for (const [name, body] of [
      [id, (value: string) => ({ previous_response_id: value, input: 'go on' })],
      [item, (value: string) => ({ input: [{ type: 'item_reference', id: value }] })],
    ] as const) {
      const answer = await sameAsMissing(name, (value) => ask('bob', '/v1/responses', { body: body(value) }));
      expect(answer.status).toBe(400);
      expect((await ask('ann', '/v1/responses', { body: { ...body(name), max_output_tokens: 1 } })).status).toBe(200);
    }
  },
  'POST /v1/responses/input_tokens': async () => {
    const { id } = await keptResponse();
    const body = (value: string) => ({ previous_response_id: value, input: 'go on' });
    const path = '/v1/responses/input_tokens';
    expect((await sameAsMissing(id, (value) => ask('bob', path, { body: body(value) }))).status).toBe(400);
    expect((await ask('ann', path, { body: body(id) })).status).toBe(200);
  },
  'GET /v1/responses/:id': async () => {
    await isKeptFor({ path: (id) => `/v1/responses/${id}` });
    const { id } = await keptResponse(endlessBackground);
    for (const query of ['', '?stream=true', '?stream=true&starting_after=0'])
      expect((await sameAsMissing(id, (name) => ask('bob', `/v1/responses/${name}${query}`))).status).toBe(404);
    expect(await json('ann', `/v1/responses/${id}`)).toMatchObject({
      status: expect.stringMatching(/queued|progress/),
    });
    expect(await json('ann', `/v1/responses/${id}/cancel`, { body: {} })).toMatchObject({ status: 'cancelled' });
  },
  'GET /v1/responses/:id/input_items': () => isKeptFor({ path: (id) => `/v1/responses/${id}/input_items` }),
  'DELETE /v1/responses/:id': async () => {
    await isKeptFor({ path: (id) => `/v1/responses/${id}`, init: { method: 'DELETE' } });
    const { id } = await keptResponse(endlessBackground);
    const remove = (caller: CallerName, name: string) => ask(caller, `/v1/responses/${name}`, { method: 'DELETE' });
    expect((await sameAsMissing(id, (name) => remove('bob', name))).status).toBe(404);
    expect(await json('ann', `/v1/responses/${id}`)).toMatchObject({
      status: expect.stringMatching(/queued|progress/),
    });
    expect((await remove('admin', id)).status).toBe(200);
  },
  'POST /v1/responses/:id/cancel': async () => {
    await isKeptFor({ path: (id) => `/v1/responses/${id}/cancel`, init: { body: {} } });
    const { id } = await keptResponse(endlessBackground);
    const cancel = (caller: CallerName, name: string) => ask(caller, `/v1/responses/${name}/cancel`, { body: {} });
    expect((await sameAsMissing(id, (name) => cancel('bob', name))).status).toBe(404);
    for (const key of ['response_id', 'completion_id'])
      expect(await json('bob', '/api/inference/cancel', { body: { [key]: id } })).toEqual({ cancelled: 0 });
    expect(await (await cancel('ann', id)).json()).toMatchObject({ status: 'cancelled' });
  },
  'POST /api/inference/cancel': async () => {
    const early = fresh('early');
    expect(await json('bob', '/api/inference/cancel', { body: { cancel_id: early } })).toEqual({ cancelled: 0 });
    const run = await begin('POST /v1/chat/completions', early);
    const seen = await reading(run.response.clone())('"content"');
    expect(seen).not.toContain('"cancelled"');
    await stop(run);
    const other = await begin('POST /v1/chat/completions');
    expect(await json('admin', '/api/inference/cancel', { body: { cancel_id: other.cancelId } })).toEqual({
      cancelled: 1,
    });
    await other.response.text();
  },
  'POST /v1/chat/completions/:id/cancel': async () => {
    const run = await begin('POST /v1/chat/completions');
    await cannotBeNamed(run);
    const answer = await ask('ann', `/v1/chat/completions/${run.answerId}/cancel`, { body: {} });
    expect(answer.status).toBe(200);
    await run.response.text();
  },
  'POST /v1/chat/completions/control': async () => {
    const thinking = { enable_thinking: true, reasoning_control: true };
    const run = await begin('POST /v1/chat/completions', fresh('cancel'), thinking);
    const control = (caller: CallerName, which: object) =>
      ask(caller, '/v1/chat/completions/control', { body: { ...which, action: 'reasoning_end' } });
    expect((await sameAsMissing(run.answerId, (id) => control('bob', { id }))).status).toBe(404);
    for (const id_slot of [0, 1]) expect((await control('bob', { id_slot })).status).toBe(404);
    // It may have stopped thinking by then.
    for (const caller of ['ann', 'admin'] as const)
      expect([200, 400]).toContain((await control(caller, { id: run.answerId })).status);
    await stop(run);
  },
  'GET /api/runs': async () => {
    const run = await begin('POST /v1/chat/completions', fresh('cancel'), { resumable: true });
    const path = `/api/runs?session_id=${run.sessionId}`;
    for (const caller of ['ann', 'admin'] as const)
      expect(await json(caller, path)).toMatchObject({ runs: [{ id: run.answerId, status: 'in_progress' }] });
    expect(await json('bob', path)).toEqual({ runs: [] });
    expect(await (await ask('bob', '/api/runs')).text()).not.toContain(mark);
    await stop(run);
  },
  'GET /api/runs/:id': async () => {
    const run = await begin('POST /v1/chat/completions', fresh('cancel'), { resumable: true });
    const missing = await sameAsMissing(run.answerId, (id) => ask('bob', `/api/runs/${id}`));
    expect(missing.status).toBe(404);
    await stop(run);
    for (const caller of ['ann', 'admin'] as const)
      expect(await (await ask(caller, `/api/runs/${run.answerId}?starting_after=0`)).text()).toContain('[DONE]');
  },
  'POST /api/mcp/calls/:id': async () => {
    const wish = { enable_tools: true, enabled_tools: ['get-sum'], confirm_tools: 'always', tool_choice: 'required' };
    const body = { messages, ...wish, stream: true, temperature: 0, max_tokens: 200 };
    const response = await ask('ann', '/v1/chat/completions', { body });
    const rest = reading(response);
    const [, id = ''] = /"server_tool":\{"id":"([^"]+)"[^}]*"state":"asks"/.exec(await rest('"state":"asks"')) ?? [];
    const decide = (caller: CallerName, name: string) =>
      ask(caller, `/api/mcp/calls/${name}`, { body: { approve: true } });
    expect((await decide('bob', id)).status).toBe(404);
    expect((await decide('ann', id)).status).toBe(200);
    expect(await rest('[DONE]')).toContain('"state":"done"');
  },
  'GET /internal/usage': async () => {
    await keptResponse();
    expect((await ask('bob', '/internal/usage')).status).toBe(403);
    expect(await json('admin', '/internal/usage')).toMatchObject({
      keys: expect.arrayContaining([expect.objectContaining({ key: 'ann', completion_tokens: expect.any(Number) })]),
    });
  },
  'GET /internal/requests': async () => {
    const run = await begin('POST /v1/chat/completions');
    expect(await (await ask('bob', '/internal/requests')).text()).not.toContain(mark);
    expect(await (await ask('admin', '/internal/requests')).text()).toContain(run.requestId);
    await stop(run);
  },
  'DELETE /internal/requests/:id': async () => {
    const run = await begin('POST /v1/chat/completions');
    await cannotBeNamed(run);
    const path = `/internal/requests/${run.requestId}`;
    expect((await ask('admin', path, { method: 'DELETE' })).status).toBe(200);
    await run.response.text();
  },
  'GET /api/chats': async () => {
    const { id } = await keptChat();
    expect(await (await ask('ann', '/api/chats')).text()).toContain(id);
    for (const caller of ['bob', 'admin'] as const)
      for (const query of ['', `?q=${mark}`, '?bin=true'])
        expect(await (await ask(caller, `/api/chats${query}`)).text()).not.toContain(id);
  },
  'POST /api/chats': async () => {
    const { id } = await keptChat();
    expect(await json('bob', '/api/chats', { body: { chat_id: id, entries: [] } })).toMatchObject({ chat_id: id });
    expect(await json('bob', `/api/chats/${id}`)).toMatchObject({ entries: [] });
    expect((await json('ann', `/api/chats/${id}`)).entries).toHaveLength(1);
    expect((await ask('bob', `/api/chats/${id}?forever=true`, { method: 'DELETE' })).status).toBe(200);
  },
  'GET /api/chats/:id': () => isChatOf({ path: (id) => `/api/chats/${id}` }),
  'DELETE /api/chats/:id': async () => {
    await isChatOf({ path: (id) => `/api/chats/${id}`, init: { method: 'DELETE' } });
    await isChatOf({ path: (id) => `/api/chats/${id}?forever=true`, init: { method: 'DELETE' } });
  },
  'POST /api/chats/:id/entries': () =>
    isChatOf({
      path: (id) => `/api/chats/${id}/entries`,
      init: { body: { entries: [{ entry_id: 't1', type: 'title', title: 'x' }] } },
    }),
  'POST /api/chats/:id/restore': async () => {
    const { id } = await keptChat();
    await ask('ann', `/api/chats/${id}`, { method: 'DELETE' });
    const restore = (caller: CallerName, name: string) => ask(caller, `/api/chats/${name}/restore`, { body: {} });
    expect((await sameAsMissing(id, (name) => restore('bob', name))).status).toBe(404);
    expect((await restore('ann', id)).status).toBe(200);
  },
  'DELETE /api/chats/bin': async () => {
    const { id } = await keptChat();
    await ask('ann', `/api/chats/${id}`, { method: 'DELETE' });
    for (const caller of ['bob', 'admin'] as const)
      expect((await ask(caller, '/api/chats/bin', { method: 'DELETE' })).status).toBe(200);
    expect((await ask('ann', `/api/chats/${id}/restore`, { body: {} })).status).toBe(200);
    await ask('ann', `/api/chats/${id}`, { method: 'DELETE' });
    expect((await ask('ann', '/api/chats/bin', { method: 'DELETE' })).status).toBe(200);
    expect((await ask('ann', `/api/chats/${id}/restore`, { body: {} })).status).toBe(404);
  },
  'GET /api/chats/export': async () => {
    const { id } = await keptChat();
    expect(await (await ask('ann', '/api/chats/export')).text()).toContain(id);
    for (const caller of ['bob', 'admin'] as const)
      expect(await (await ask(caller, '/api/chats/export')).text()).not.toContain(mark);
  },
  'POST /api/chats/import': async () => {
    const { id } = await keptChat();
    const entries = [{ entry_id: 't1', type: 'title', title: 'x' }];
    const body = { format: 'serve-model.chats', version: 1, chats: [{ chat_id: id, entries }] };
    expect(await json('bob', '/api/chats/import', { body })).toMatchObject({ chats: 1, accepted: 1 });
    expect((await json('ann', `/api/chats/${id}`)).entries).toHaveLength(1);
    expect((await ask('bob', `/api/chats/${id}?forever=true`, { method: 'DELETE' })).status).toBe(200);
  },
  'POST /api/chats/files/:sha256': async () => {
    const { hash } = await keptChat();
    const message = { role: 'user', content: 'x' };
    const entries = [{ entry_id: 'm1', type: 'message', parent: null, message, files: [hash] }];
    expect((await ask('bob', '/api/chats', { body: { entries } })).status).toBe(400);
  },
  'GET /api/chats/files/:sha256': async () => {
    const { hash } = await keptChat();
    expect((await ask('bob', `/api/chats/files/${hash}`)).status).toBe(404);
    for (const caller of ['ann', 'admin'] as const)
      expect(await (await ask(caller, `/api/chats/files/${hash}`)).text()).toContain(mark);
  },
  'GET /api/chats/events': async () => {
    const leave = new AbortController();
    const events = await Promise.all(
      (['ann', 'bob'] as const).map((caller) => ask(caller, '/api/chats/events', { signal: leave.signal })),
    );
    const [ann, bob] = events.map(reading);
    const { id } = await keptChat();
    expect(await ann?.('\n\n')).toContain(id);
    await ask('bob', '/api/chats', { body: { chat_id: 'a-chat-of-bob', entries: [] } });
    expect(await bob?.('a-chat-of-bob')).not.toContain(mark);
    await ask('bob', '/api/chats/a-chat-of-bob?forever=true', { method: 'DELETE' });
    leave.abort();
  },
  'GET /slots': async () => {
    const run = await begin('POST /v1/chat/completions');
    const busy = async (caller: CallerName) => {
      const slots = (await (await ask(caller, '/slots')).json()) as { is_processing: boolean }[];
      return slots.find(({ is_processing }) => is_processing);
    };
    for (const caller of ['ann', 'admin'] as const)
      expect(await busy(caller)).toMatchObject({ n_prompt_tokens: expect.any(Number) });
    expect(await busy('bob')).not.toHaveProperty('n_prompt_tokens');
    await stop(run);
  },
  'GET /api/inference/events': async () => {
    const run = await begin('POST /v1/chat/completions');
    const slotsOf = async (caller: CallerName) => {
      const leave = new AbortController();
      const events = await ask(caller, '/api/inference/events', { signal: leave.signal });
      const seen = await reading(events)('"slots":[');
      leave.abort();
      return seen;
    };
    expect(await slotsOf('ann')).toContain(`"session_id":"${run.sessionId}"`);
    const seen = await slotsOf('bob');
    expect(seen).toContain('"tokens":null,"session_id":null');
    expect(seen).not.toContain(mark);
    await stop(run);
  },
};

/** A chat of ann's with what `mark` finds in it, and one file. */
async function keptChat(): Promise<{ readonly id: string; readonly hash: string }> {
  const text = fresh('file');
  const hash = createHash('sha256').update(text).digest('hex');
  await ask('ann', `/api/chats/files/${hash}`, { text });
  const message = { role: 'user', content: prompt };
  const entries = [{ entry_id: 'm1', type: 'message', parent: null, message, files: [hash] }];
  const { chat_id } = (await json('ann', '/api/chats', { body: { chat_id: fresh('chat'), entries } })) as {
    chat_id: string;
  };
  return { id: chat_id, hash };
}

/** A call that names a chat of ann's does nothing for bob, then something for its owner and for an admin. */
async function isChatOf({ path, init }: { readonly path: (id: string) => string; readonly init?: Ask }): Promise<void> {
  for (const caller of ['ann', 'admin'] as const) {
    const { id } = await keptChat();
    const request = (by: CallerName, name: string) => ask(by, path(name), init);
    expect((await sameAsMissing(id, (name) => request('bob', name))).status).toBe(404);
    expect((await json('ann', `/api/chats/${id}`)).entries).toHaveLength(1);
    expect((await request(caller, id)).status).toBe(200);
  }
}

const rows = everyRoute();

describe('every route', () => {
  it('is one that the server has', async () => {
    const { paths } = (await json('admin', '/openapi.json')) as { paths: Record<string, object> };
    const written = (path: string) => path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}');
    const known = rows.flatMap(({ method, paths }) => paths.map((path) => `${method} ${written(path)}`));
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    // The two that tell of all others.
    expect(served.toSorted()).toEqual(known.filter((row) => !/openapi|\/docs/.test(row)).toSorted());
  });

  it('that owns something of its caller has a scenario here', () => {
    const owning = rows.filter(({ owns }) => owns === 'caller').map(nameOf);
    expect(Object.keys(scenarios).toSorted()).toEqual(owning.toSorted());
  });

  it('lets in whom it should', async () => {
    const wrong: unknown[] = [];
    for (const row of rows)
      for (const path of row.paths)
        for (const caller of callers) {
          const init = row.method === 'POST' ? { body: {} } : { method: row.method };
          const response = await ask(caller, filled(path), init);
          await response.body?.cancel();
          const { status } = response;
          const refused = status === 401 || status === 403 ? status : undefined;
          if (refused !== refusalOf(row, caller, 'keys') || status === 500)
            wrong.push([row.method, path, caller, status]);
        }
    expect(wrong).toEqual([]);
  });
});

describe('what belongs to one caller is not there for another', () => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    await scenario();
  });

  it('and no route without a name in it shows anything of it', async () => {
    const run = await begin('POST /v1/chat/completions');
    await keptResponse();
    const open = rows.filter(({ method, access, paths }) => method === 'GET' && access !== 'admin' && paths.length > 0);
    for (const path of open.flatMap(({ paths }) => paths).filter((path) => !/:|events/.test(path)))
      expect([path, await (await ask('bob', path)).text()]).toEqual([path, expect.not.stringContaining(mark)]);
    await stop(run);
  });
});
