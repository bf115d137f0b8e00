import { describe, expect, it } from 'vitest';
import { answer, hello, openDoor, until } from '../support.ts';
import { beginning, newStore } from './support.ts';

const chat = '/v1/chat/completions';
const background = { model: 'demo', input: 'hi', background: true } as const;
const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

async function open(settings: NonNullable<Parameters<typeof openDoor>[0]>['settings'] = {}) {
  const cancelled: unknown[] = [];
  const door = openDoor({
    settings: { apiKeys: ['a', 'b'], adminToken: 't', ...settings },
    more: {
      responseStore: await newStore(),
      cancel: (keys, { owner }) => {
        cancelled.push({ ...keys, owner });
        return 0;
      },
    },
  });
  door.generation.script = () => undefined;
  const start = (key: string, more: object = {}) => door.post('/v1/responses', { ...background, ...more }, as(key));
  const end = () => door.generation.runs[0]?.say(...answer());
  return { door, cancelled, start, end };
}

describe('a response in the background', () => {
  it.each([
    ['--max-streams-per-key', { maxStreamsPerKey: 1 }],
    ['--max-in-flight', { maxInFlight: 1 }],
  ])('counts for %s until it is over', async (_, settings) => {
    const { door, start, end } = await open(settings);
    expect((await start('a')).status).toBe(200);
    expect((await door.post(chat, hello, as('a'))).status).toBe(429);
    end();
    await until('its line in the log', () => door.records.some(({ outcome }) => outcome === 'stop'));
    door.generation.script = (run) => run.say(...answer());
    expect((await door.post(chat, hello, as('a'))).status).toBe(200);
  });

  it('has its line in the log when it is over, with its tokens', async () => {
    const { door, start, end } = await open();
    await start('a');
    expect(door.records).toEqual([]);
    end();
    await until('the line', () => door.records.length > 0);
    expect(door.records).toMatchObject([
      { path: '/v1/responses', status: 200, outcome: 'stop', inputTokens: 10, cachedTokens: 4, outputTokens: 2 },
    ]);
  });

  it('pays for its tokens', async () => {
    const { door, start, end } = await open({ rateLimitTpm: 12 });
    await start('a');
    end();
    await until('its line in the log', () => door.records.length > 0);
    expect((await door.post(chat, hello, as('a'))).status).toBe(429);
  });

  it('may offer only the tools of --tool-allow', async () => {
    const { door, start } = await open({ toolAllow: ['weather'] });
    const tools = [{ type: 'function', name: 'shell', parameters: {}, strict: false }];
    const [front, back] = await Promise.all([
      door.post('/v1/responses', { model: 'demo', input: 'hi', tools }, as('a')),
      start('a', { tools }),
    ]);
    expect([front.status, back.status]).toEqual([403, 403]);
    expect(await back.json()).toEqual(await front.json());
    expect(door.generation.runs).toEqual([]);
  });

  it('is in the list of live requests, and can be ended there', async () => {
    const { door, cancelled, start } = await open();
    await start('a');
    const list = async () => (await door.app.request('/internal/requests', as('t'))).json();
    const { requests } = (await list()) as { requests: { id: string; answer_id: string }[] };
    expect(requests).toMatchObject([{ key: expect.any(String), background: true, phase: 'queued', streaming: false }]);
    const [live] = requests;
    await door.app.request(`/internal/requests/${live?.id}`, { method: 'DELETE', ...as('t') });
    await until('its end', () => door.generation.runs[0]?.stoppedBy !== undefined);
    expect(cancelled).toMatchObject([{ answerId: live?.answer_id, owner: 'ca978112' }]);
    await until('an empty list', () => door.records.length > 1);
    expect(await list()).toEqual({ requests: [] });
  });

  it('goes on when its client leaves', async () => {
    const { door, start } = await open();
    const response = await start('a', { stream: true });
    door.generation.runs[0]?.say(...beginning('a'));
    await response.body?.cancel();
    door.generation.runs[0]?.say({ type: 'block-delta', index: 0, delta: 'b' });
    await until('work after it', () => door.generation.runs[0]?.taken === 4);
    expect(door.generation.runs[0]?.stoppedBy).toBeUndefined();
  });
});
