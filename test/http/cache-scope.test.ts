import { describe, expect, it } from 'vitest';
import { hello, openDoor } from './support.ts';

const ann = [
  { key: 'a', name: 'ann' },
  { key: 'a2', name: 'ann' },
] as const;

/** The scopes that requests with these keys and salts get. */
async function scopesOf(
  settings: NonNullable<Parameters<typeof openDoor>[0]>['settings'],
  requests: readonly (readonly [key: string, salt?: string])[],
) {
  const door = openDoor({ settings: { ...settings } });
  for (const [key, salt] of requests) {
    const body = { ...hello, ...(salt !== undefined && { cache_salt: salt }) };
    const response = await door.post('/v1/chat/completions', body, { headers: { authorization: `Bearer ${key}` } });
    expect(response.status).toBe(200);
  }
  return door.generation.runs.map(({ request }) => request.cacheScope);
}

describe('evaluated prompts', () => {
  it.each([
    ['without keys', {}],
    ['with one key', { apiKeys: ['a'] }],
    ['with two keys of one person', { apiKeys: ann }],
    ['with --cache-scope server', { apiKeys: ['a', 'b'], cacheScope: 'server' }],
  ] as const)('are everybody’s %s', async (_, settings) => {
    expect(await scopesOf(settings, [['a'], ['a']])).toEqual([undefined, undefined]);
  });

  it.each([
    ['two keys', { apiKeys: [...ann, 'b'] }],
    ['a key and the admin token', { apiKeys: ann, adminToken: 'b' }],
  ])('are each person’s own where there are %s', async (_, settings) => {
    const [one, two, other] = await scopesOf(settings, [['a'], ['a2'], ['b']]);
    expect([typeof one, one === two, one === other]).toEqual(['string', true, false]);
  });

  it('are a key’s own with --cache-scope key', async () => {
    expect(await scopesOf({ apiKeys: ann, cacheScope: 'key' }, [['a']])).toEqual([expect.any(String)]);
  });

  it('are shared only with the same cache_salt, inside a key too', async () => {
    const everybody = await scopesOf({}, [['', 'x'], ['', 'x'], ['', 'y'], ['']]);
    expect([everybody[0] === everybody[1], new Set(everybody).size]).toEqual([true, 3]);
    const perKey = await scopesOf({ apiKeys: ['a', 'b'] }, [['a', 'x'], ['b', 'x'], ['a'], ['a', 'x']]);
    expect([perKey[0] === perKey[3], new Set(perKey).size]).toEqual([true, 3]);
    expect(JSON.stringify([everybody, perKey])).not.toMatch(/"x|"y/);
  });

  it('refuse a salt that is none', async () => {
    for (const cache_salt of ['', 7, 'x'.repeat(513)])
      expect((await openDoor().post('/v1/chat/completions', { ...hello, cache_salt })).status).toBe(400);
  });
});
