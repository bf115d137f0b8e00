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

describe('POST /lora-adapters', () => {
  it('takes the scales that requests may have, and no others', async () => {
    const taken: unknown[] = [];
    const adapters = { list: () => [], set: (_: string | undefined, scales: unknown) => void taken.push(scales) };
    const { app } = openDoor({ settings: { apiKeys: ['a'], adminToken: 't' }, more: { adapters } });
    const set = (scale: number) =>
      app.request('/lora-adapters', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer t' },
        body: JSON.stringify([{ id: 0, scale }]),
      });
    expect([(await set(0.5)).status, (await set(1e6)).status]).toEqual([200, 400]);
    expect(taken).toEqual([[{ id: 0, scale: 0.5 }]]);
  });
});
