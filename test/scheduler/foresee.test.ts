import { describe, expect, it } from 'vitest';
import { ask, house, never, serve, stepUntil, tokens } from './support.ts';

describe('what a request would find', () => {
  it('is nothing at first, then all but the token that is always evaluated, for its own scope alone', async () => {
    const place = house({ slots: 2, stepTokens: 64 });
    const prompt = tokens(1, 50);
    const request = ask(prompt, { scope: 'ann', maxTokens: 3 });
    expect(place.scheduler.foresee(request)).toEqual({ cachedTokens: 0, readMs: 50 });
    await stepUntil(place.engine, serve(place, request), 'the answer');
    expect(place.scheduler.foresee(request)).toEqual({ cachedTokens: 49, readMs: 1 });
    expect(place.scheduler.foresee(ask([...prompt, 7, 8], { scope: 'ann' })).cachedTokens).toBe(50);
    expect(place.scheduler.foresee(ask(prompt, { scope: 'bob' })).cachedTokens).toBe(0);
    expect(place.scheduler.foresee(ask(prompt, { scope: 'ann', cachePrompt: false })).cachedTokens).toBe(0);
  });

  it('takes no place and no slot', async () => {
    const place = house({ slots: 1 });
    const lease = await place.scheduler.admit(ask(tokens(1, 20)), never);
    place.scheduler.foresee(ask(tokens(2, 20)));
    expect(place.scheduler.stats()).toMatchObject({ queued: 0 });
    lease.release();
    place.scheduler.foresee(ask(tokens(2, 20)));
    expect(place.scheduler.stats()).toMatchObject({ queued: 0, running: 0 });
  });
});
