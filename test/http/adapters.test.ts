import { describe, expect, it } from 'vitest';
import { openDoor } from './support.ts';

describe('GET /lora-adapters', () => {
  const adapters = { list: () => [{ id: 0, path: '/srv/models/tone.gguf', scale: 1 }], set: () => undefined };

  it.each([
    ['a', 'tone.gguf'],
    ['t', '/srv/models/tone.gguf'],
  ])('tells the holder of %s the path %s', async (key, path) => {
    const { app } = openDoor({ settings: { apiKeys: ['a', 'b'], adminToken: 't' }, more: { adapters } });
    const response = await app.request('/lora-adapters', { headers: { authorization: `Bearer ${key}` } });
    expect(await response.json()).toEqual([{ id: 0, path, scale: 1 }]);
  });
});
