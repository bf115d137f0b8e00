import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openStore, said } from '../chats/support.ts';
import { type DoorOptions, openDoor, reading, within } from './support.ts';

const local = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
const remote = { incoming: { socket: { remoteAddress: '192.168.0.9' } } };
const hashOf = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

interface Ask {
  readonly body?: unknown;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly from?: typeof local;
}

/** A door with a real store behind it. */
async function openChats(settings: DoorOptions['settings'] = {}, limits = {}) {
  const { store, folder, failures } = await openStore(undefined, limits);
  const door = openDoor({ settings, more: { chatStore: store } });
  const ask = (path: string, { body, method, headers = {}, from = local }: Ask = {}) => {
    const isBytes = typeof body === 'string' || body instanceof Uint8Array;
    const init = {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { host: 'localhost', ...headers },
      ...(body !== undefined && { body: isBytes ? body : JSON.stringify(body) }),
    };
    return within(
      `an answer of ${path}`,
      Promise.resolve(door.app.request(`/api/chats${path}`, init as RequestInit, from)),
    );
  };
  const json = async (path: string, init?: Ask) => {
    const response = await ask(path, init);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { ...door, store, folder, failures, ask, json };
}

const message = { entry_id: 'm1', type: 'message', parent: null, message: { role: 'user', content: 'Hello' } };

describe('/api/chats', () => {
  it('keeps, lists, finds, reads, deletes and restores', async () => {
    const { json } = await openChats();
    const made = await json('', { body: { entries: [{ ...message, time: 1_700_000_000_000 }] } });
    expect(made).toEqual({ status: 200, body: { chat_id: 'chat-00000001', accepted: ['m1'], known: [] } });
    const chat = {
      chat_id: 'chat-00000001',
      title: null,
      preview: 'Hello',
      pinned: false,
      head: null,
      created: expect.any(Number),
      updated: 1_700_000_000_000,
      messages: 1,
      bytes: expect.any(Number),
      revision: expect.stringMatching(/^0-\d+$/),
      damaged_lines: 0,
    };
    expect((await json('')).body).toEqual({ chats: [chat], next_cursor: null });
    expect((await json('?q=hello&limit=1')).body).toEqual({
      chats: [{ ...chat, snippet: 'Hello' }],
      next_cursor: null,
    });
    expect((await json('?q=nothing')).body).toEqual({ chats: [], next_cursor: null });
    const { body } = await json('/chat-00000001');
    expect(body).toEqual({
      chat,
      entries: [{ ...message, time: 1_700_000_000_000 }],
      revision: chat.revision,
      continued: false,
      more: false,
    });
    const entries = [{ entry_id: 't1', type: 'title', title: 'Hello' }];
    expect((await json('/chat-00000001/entries', { body: { entries } })).body).toMatchObject({ accepted: ['t1'] });
    expect((await json(`/chat-00000001?after=${body.revision}`)).body).toMatchObject({
      entries: [{ entry_id: 't1', time: 1_750_000_000_000 }],
      continued: true,
    });
    expect((await json('/chat-00000001', { method: 'DELETE' })).body).toMatchObject({ deleted: true, forever: false });
    expect((await json('/chat-00000001')).status).toBe(404);
    expect((await json('?bin=true')).body).toMatchObject({ chats: [{ deleted: expect.any(Number) }] });
    expect((await json('/chat-00000001/restore', { body: {} })).body).toMatchObject({ restored: true });
    expect((await json('/chat-00000001')).status).toBe(200);
    expect((await json('/chat-00000001?forever=true', { method: 'DELETE' })).status).toBe(200);
    expect((await json('/chat-00000001/restore', { body: {} })).status).toBe(404);
  });

  it('gives a message back as it came, whatever stands in it', async () => {
    const { json, ask } = await openChats();
    const text =
      '{"entries":[{"entry_id":"m","time":1,"type":"message","parent":null,"message":{"role":"user","seed":9007199254740993,"__proto__":{"x":1},"content":[{"type":"text","text":"\\u2028\\u0000 <script>"}],"a":null,"nested":{"deep":[[[]]]}}}]}';
    const { body } = await json('', { body: text });
    const answer = await (await ask(`/${body.chat_id}`)).text();
    const whole = JSON.stringify(JSON.parse(text).entries[0].message);
    expect(answer).toContain(whole);
    expect(whole).toContain('__proto__');
  });

  it.each([
    ['no entries', {}, 'entries'],
    ['an unknown member', { entries: [{ ...message, text: 'x' }] }, 'entries[0]'],
    ['an unknown type', { entries: [{ ...message, type: 'note' }] }, 'entries[0].type'],
    ['a message without a role', { entries: [{ ...message, message: {} }] }, 'entries[0].message'],
    ['a message that is a text', { entries: [{ ...message, message: 'Hello' }] }, 'entries[0].message'],
    ['no parent', { entries: [{ ...message, parent: undefined }] }, 'entries[0].parent'],
    ['an id with a slash', { entries: [{ ...message, entry_id: 'a/b' }] }, 'entries[0].entry_id'],
    ['a time before all times', { entries: [{ ...message, time: -1 }] }, 'entries[0].time'],
    ['a file that is no hash', { entries: [{ ...message, files: ['../x'] }] }, 'entries[0].files[0]'],
    ['a long title', { entries: [{ entry_id: 't', type: 'title', title: 'x'.repeat(1001) }] }, 'entries[0].title'],
    [
      'settings that are a list',
      { entries: [{ entry_id: 's', type: 'settings', settings: [] }] },
      'entries[0].settings',
    ],
    ['many entries', { entries: Array.from({ length: 1001 }, () => message) }, 'entries'],
  ])('refuses %s', async (_, body, param) => {
    const { json } = await openChats();
    const { chat_id } = (await json('', { body: { entries: [] } })).body;
    const answer = await json(`/${chat_id}/entries`, { body });
    expect(answer).toMatchObject({ status: 400, body: { error: { param, code: 'invalid_value' } } });
  });

  it.each([
    ['?limit=0', 'limit'],
    ['?limit=201', 'limit'],
    ['?cursor=x', 'cursor'],
    ['?bin=yes', 'bin'],
    [`?q=${'x'.repeat(201)}`, 'q'],
  ])('refuses the query %s', async (query, param) => {
    expect(await (await openChats()).json(query)).toMatchObject({ status: 400, body: { error: { param } } });
  });

  it('takes a time that lies ahead for now', async () => {
    const { json } = await openChats();
    const { chat_id } = (await json('', { body: { entries: [{ ...message, time: 9_000_000_000_000 }] } })).body;
    expect((await json(`/${chat_id}`)).body).toMatchObject({ entries: [{ time: 1_750_000_000_000 }] });
  });

  it('says with 507 that there is no more room', async () => {
    const { json } = await openChats({}, { chats: 1 });
    await json('', { body: { entries: [message] } });
    expect(await json('', { body: { entries: [message] } })).toMatchObject({
      status: 507,
      body: { error: { code: 'storage_full', type: 'server_error' } },
    });
  });

  it('keeps what was said while the server drains', async () => {
    const { json, models } = await openChats();
    models.current = 'draining';
    expect((await json('', { body: { entries: [message] } })).status).toBe(200);
  });
});

describe('files', () => {
  const bytes = new Uint8Array([0, 255, 13, 10, 60, 104]);
  const path = `/files/${hashOf(bytes)}`;

  it('are kept by their hash, once', async () => {
    const { ask, json } = await openChats();
    for (let time = 0; time < 2; time++)
      expect((await json(path, { body: bytes })).body).toEqual({ sha256: hashOf(bytes), bytes: bytes.length });
    const response = await ask(path);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'content-disposition': 'attachment',
      'content-security-policy': "sandbox; default-src 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
    });
    const etag = response.headers.get('etag') ?? '';
    expect((await ask(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const entries = [{ ...message, files: [hashOf(bytes)] }];
    expect((await json('', { body: { entries } })).status).toBe(200);
  });

  it('are not kept under another hash', async () => {
    const { json } = await openChats();
    const other = `/files/${'0'.repeat(64)}`;
    expect(await json(other, { body: bytes })).toMatchObject({ status: 400, body: { error: { param: 'sha256' } } });
    expect((await json(other)).status).toBe(404);
  });

  it.each(['x', '..%2f..%2fetc%2fpasswd', hashOf('x').toUpperCase()])('have no name %s', async (name) => {
    const { json } = await openChats();
    expect((await json(`/files/${name}`)).status).toBe(404);
    expect((await json(`/files/${name}`, { body: bytes })).status).toBe(404);
  });

  it('are refused when they are too large, announced or not', async () => {
    const { ask, json } = await openChats({}, { fileBytes: 4 });
    expect((await json(path, { body: bytes, headers: { 'content-length': '6' } })).status).toBe(413);
    expect((await json(path, { body: bytes })).status).toBe(413);
    expect((await ask(path)).status).toBe(404);
  });

  it('are refused in a coding, and where there is no room', async () => {
    const { json } = await openChats({}, { ownerBytes: 4000 });
    expect((await json(path, { body: bytes, headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
    expect((await json(path, { body: bytes })).status).toBe(507);
  });
});

describe('who has chats on the server', () => {
  const keys = [
    { key: 'a', name: 'ann' },
    { key: 'b', name: 'bob' },
    { key: 'c', name: 'chief', admin: true },
  ];
  const by = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

  it('is this machine without keys, and nobody elsewhere', async () => {
    const { json } = await openChats();
    expect((await json('')).status).toBe(200);
    expect(await json('', { from: remote })).toMatchObject({
      status: 403,
      body: { error: { message: expect.stringContaining('own machine') } },
    });
    expect((await json('', { headers: { 'x-forwarded-for': '10.0.0.1' } })).status).toBe(403);
  });

  it('is whoever has a key, from anywhere, each by itself', async () => {
    const { json } = await openChats({ apiKeys: keys });
    expect((await json('')).status).toBe(401);
    const { body } = await json('', { ...by('a'), from: remote, body: { entries: [message] } });
    expect((await json(`/${body.chat_id}`, by('a'))).status).toBe(200);
    expect((await json(`/${body.chat_id}`, by('b'))).status).toBe(404);
    expect((await json(`/${body.chat_id}`, by('c'))).status).toBe(200);
    expect((await json('', by('b'))).body).toMatchObject({ chats: [] });
  });

  it('is nobody where chats are not kept, which is said', async () => {
    const { app } = openDoor({ more: { noChatStore: 'It is off.' } });
    const response = await app.request('/api/chats', { headers: { host: 'localhost' } }, local);
    expect([response.status, await response.json()]).toMatchObject([403, { error: { message: 'It is off.' } }]);
  });

  it('is no other page of this machine', async () => {
    const { json } = await openChats();
    expect((await json('', { headers: { origin: 'http://localhost:3000' } })).status).toBe(403);
    expect((await json('', { headers: { origin: 'http://localhost' } })).status).toBe(200);
  });
});

describe('/api/chats/events', () => {
  it('tells of every change until its reader leaves', async () => {
    const { ask, store, failures } = await openChats();
    const response = await ask('/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const read = reading(response);
    const { chatId } = await store.create({ owner: '', sees: () => true }, { entries: [said('m1', null)] });
    expect(await read('\n\n')).toBe(
      `event: chat\ndata: ${JSON.stringify({ chat_id: chatId, change: 'changed', revision: (await store.read({ owner: '', sees: () => true }, chatId)).revision })}\n\n`,
    );
    expect(failures).toEqual([]);
  });

  it('ends when the server stops', async () => {
    const { ask, store } = await openChats();
    const text = (await ask('/events')).text();
    store.endChanges();
    expect(await within('the end', text)).toBe('');
  });
});

describe('an export of chats', () => {
  const title = { entry_id: 't', type: 'title', title: 'Über <b>' };

  it('holds all chats but those in the bin, and comes back as it was', async () => {
    const { ask, json } = await openChats();
    for (const id of ['chat-one', 'chat-two', 'chat-old'])
      await json('', {
        body: {
          chat_id: id,
          entries: [
            { ...message, time: 5 },
            { ...title, time: 6 },
          ],
        },
      });
    await ask('/chat-old', { method: 'DELETE' });
    const response = await ask('/export');
    expect(response.headers.get('content-disposition')).toContain('attachment');
    const text = await response.text();
    const entries = [
      { ...message, time: 5 },
      { ...title, time: 6 },
    ];
    const whole = {
      format: 'serve-model.chats',
      version: 1,
      chats: expect.arrayContaining(['chat-one', 'chat-two'].map((chat_id) => ({ chat_id, entries }))),
    };
    expect(JSON.parse(text)).toEqual(whole);
    for (const id of ['chat-one', 'chat-two']) await ask(`/${id}?forever=true`, { method: 'DELETE' });
    expect(JSON.parse(await (await ask('/export')).text()).chats).toEqual([]);
    const answer = await json('/import', { body: text });
    expect(answer).toEqual({ status: 200, body: { chats: 2, accepted: 4, known: 0, failed: [] } });
    expect((await json('/import', { body: text })).body).toMatchObject({ accepted: 0, known: 4 });
    expect(JSON.parse(await (await ask('/export')).text())).toEqual(whole);
  });

  it('comes in whole where one chat of it does not suit', async () => {
    const { json } = await openChats();
    const chats = [
      { chat_id: 'chat-bad', entries: [{ ...message, parent: 'nobody' }] },
      { chat_id: 'chat-good', entries: [message] },
    ];
    const { status, body } = await json('/import', { body: { format: 'serve-model.chats', version: 1, chats } });
    expect([status, body]).toMatchObject([200, { chats: 1, failed: [{ chat_id: 'chat-bad' }] }]);
    expect((await json('/chat-good')).status).toBe(200);
  });

  it.each([
    ['another format', { format: 'other', version: 1, chats: [] }],
    ['a later version', { format: 'serve-model.chats', version: 2, chats: [] }],
    ['no chats', { format: 'serve-model.chats', version: 1 }],
  ])('is refused as a whole: %s', async (_, body) => {
    const { json } = await openChats();
    expect((await json('/import', { body })).status).toBe(400);
  });
});
