import { describe, expect, it } from 'vitest';
import { openDoor } from '../support.ts';
import { newStore } from './support.ts';

describe('a response that was kept before there were keys', () => {
  const remote = { incoming: { socket: { remoteAddress: '10.0.0.7' } } };

  it.each([
    ['no keys', {}, undefined, 200],
    ['one key', { apiKeys: ['a'] }, 'a', 200],
    ['two keys of one person', { apiKeys: [ann('a'), ann('b')] }, 'b', 200],
    ['one of two keys', { apiKeys: ['a', 'b'] }, 'a', 404],
    ['the admin token beside two keys', { apiKeys: ['a', 'b'], adminToken: 't' }, 't', 200],
  ])('is there for %s or not', async (_, settings, key, status) => {
    const responseStore = await newStore();
    await responseStore.save({ id: 'resp_1', owner: '', response: { id: 'resp_1' }, input: [] });
    const { app } = openDoor({ settings, more: { responseStore } });
    const headers = { host: 'localhost', ...(key !== undefined && { authorization: `Bearer ${key}` }) };
    // The adapter's bindings, as far as the door looks at them.
    expect((await app.request('/v1/responses/resp_1', { headers }, remote as never)).status).toBe(status);
  });
});

function ann(key: string) {
  return { key, name: 'ann' };
}
