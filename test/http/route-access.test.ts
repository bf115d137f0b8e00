import { describe, expect, it } from 'vitest';
import type { UsageAccount } from '../../src/contract/services.ts';
import { callers, everyPart, everyRoute, filled, nameOf, refusalOf } from '../support/route-rows.ts';
import { fakeServices } from './fake-services.ts';
import { openDoor, until } from './support.ts';

const keys = { 'no key': undefined, 'a wrong key': 'x', ann: 'a', bob: 'b', admin: 't' } as const;

describe('every route', () => {
  const rows = everyRoute();

  it.each(rows.map((row) => [nameOf(row), row] as const))('%s lets in whom it should', async (_, row) => {
    const apiKeys = [
      { key: 'a', name: 'ann' },
      { key: 'b', name: 'bob' },
    ];
    const { app } = openDoor({ settings: { apiKeys, adminToken: 't' }, more: everyPart });
    for (const path of row.paths)
      for (const caller of callers) {
        const headers: Record<string, string> = keys[caller] ? { authorization: `Bearer ${keys[caller]}` } : {};
        const body = row.method === 'POST' ? { body: '{}' } : {};
        const { status } = await app.request(filled(path), { method: row.method, headers, ...body });
        const refused = status === 401 || status === 403 ? status : undefined;
        expect([path, caller, refused]).toEqual([path, caller, refusalOf(row, caller)]);
      }
  });

  it('that holds what is the server’s is for whoever changes the server', () => {
    expect(rows.filter(({ owns, access }) => owns === 'admin' && access !== 'admin').map(nameOf)).toEqual([]);
  });

  it('that holds what is somebody’s asks for a key', () => {
    expect(rows.filter(({ owns, access }) => owns === 'caller' && access === 'open').map(nameOf)).toEqual([]);
  });
});

describe('/internal/usage', () => {
  const account = (owner: string): UsageAccount => ({
    owner,
    since: 0,
    lastUsed: 1000,
    requests: 1,
    inputTokens: 10,
    cachedTokens: 4,
    outputTokens: 2,
    day: 0,
    todayTokens: 12,
  });

  it.each([
    ['a', { apiKeys: [{ key: 'a', name: 'ann' }, 'b'] }, ['ann']],
    ['t', { apiKeys: [{ key: 'a', name: 'ann' }, 'b'], adminToken: 't' }, [null, 'ann', 'bob']],
    ['', {}, [null, 'ann', 'bob']],
  ])('shows %j what its keys may see', async (key, settings, shown) => {
    const usage = { ...fakeServices.usage, list: async () => ['', 'ann', 'bob'].map(account) };
    const { app } = openDoor({ settings, more: { usage } });
    const headers = { host: 'localhost', authorization: `Bearer ${key}` };
    const local = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
    // The adapter's bindings, as far as the door looks at them.
    const response = await app.request('/internal/usage', { headers }, local as never);
    const { keys } = (await response.json()) as { keys: { key: string | null }[] };
    expect(keys.map((each) => each.key)).toEqual(shown);
    expect(keys[0]).toEqual({
      key: shown[0],
      requests: 1,
      prompt_tokens: 10,
      cached_tokens: 4,
      completion_tokens: 2,
      tokens_today: 12,
      since: '1970-01-01T00:00:00.000Z',
      last_used: '1970-01-01T00:00:01.000Z',
    });
  });
});

describe('/internal/requests', () => {
  const local = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };

  it('shows key holders who manage the server their own requests only, and ends no others', async () => {
    const door = openDoor({ settings: { apiKeys: ['a', 'b'] } });
    door.generation.script = () => undefined;
    const headers = (key: string) => ({ authorization: `Bearer ${key}`, 'x-request-id': 'same' });
    const hello = { messages: [{ role: 'user', content: 'hi' }] };
    const pending = ['a', 'b'].map((key) => door.post('/v1/chat/completions', hello, { headers: headers(key) }));
    await until('both runs', () => door.generation.runs.length === 2);
    // The adapter's bindings, as far as the door looks at them.
    const ask = async (key: string, path: string, method = 'GET') =>
      (await door.app.request(path, { method, headers: headers(key) }, local as never)).json();
    const shown = async (key: string) =>
      ((await ask(key, '/internal/requests')) as { requests: { key: string }[] }).requests.map((live) => live.key);
    expect([await shown('a'), await shown('b')]).toEqual([['ca978112'], ['3e23e816']]);
    expect(await ask('b', '/internal/requests/same', 'DELETE')).toEqual({ cancelled: 'same' });
    expect(await ask('b', '/internal/requests/same', 'DELETE')).toMatchObject({ error: { code: 'not_found' } });
    expect([await shown('a'), await shown('b')]).toEqual([['ca978112'], []]);
    await ask('a', '/internal/requests/same', 'DELETE');
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([409, 409]);
  });
});
