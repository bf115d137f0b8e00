import { describe, expect, it } from 'vitest';
import type { ApiClient } from '../../src/ui/api/client.ts';
import { ApiFailure } from '../../src/ui/api/failure.ts';
import type { AnswerFigures } from '../../src/ui/chats/message.ts';
import { adviceFor, timeSpent } from '../../src/ui/chats/slowness.ts';
import { ReadAhead } from '../../src/ui/state/read-ahead.ts';

function setUp({ mayRead = true } = {}) {
  const asked: unknown[] = [];
  const ends: { resolve: () => void; reject: (failure: unknown) => void; signal: AbortSignal | undefined }[] = [];
  const call: ApiClient['call'] = (_, options = {}) => {
    asked.push(options.body);
    return new Promise((resolve, reject) => {
      ends.push({ resolve: () => resolve({} as never), reject, signal: options.signal });
    });
  };
  let done = 0;
  const ahead = new ReadAhead({ api: { call }, mayRead: () => mayRead, done: () => (done += 1) });
  return { asked, ends, ahead, done: () => done };
}

describe('reading ahead', () => {
  it('reads and writes nothing, after everybody else', () => {
    const { ahead, asked } = setUp();
    ahead.consider({ model: 'demo', messages: [], max_tokens: 50 }, 500);
    expect(asked).toEqual([{ model: 'demo', messages: [], max_tokens: 0, priority: 1, stream: false }]);
  });

  it('is left out where it would gain nothing, where nobody knows, and beside an answer', () => {
    const { ahead, asked } = setUp();
    ahead.consider({}, 20);
    ahead.consider({}, undefined);
    expect(asked).toEqual([]);
    const busy = setUp({ mayRead: false });
    busy.ahead.consider({}, 500);
    expect(busy.asked).toEqual([]);
  });

  it('goes on with a draft that grew when the part before is read, not beside it', async () => {
    const { ahead, asked, ends, done } = setUp();
    ahead.consider({ a: 1 }, 500);
    ahead.consider({ a: 2 }, 900);
    expect(asked).toHaveLength(1);
    ends[0]?.resolve();
    await expect.poll(done).toBe(1);
    ahead.consider({ a: 3 }, 400);
    expect(asked).toHaveLength(2);
  });

  it('is given up when the message is sent, and a server that refuses is asked again with the next draft', async () => {
    const { ahead, asked, ends, done } = setUp();
    ahead.consider({}, 500);
    ahead.stop();
    expect(ends[0]?.signal?.aborted).toBe(true);
    ahead.consider({}, 500);
    ends[1]?.reject(new ApiFailure('refused', 'full', { status: 429 }));
    await expect
      .poll(() => {
        ahead.consider({}, 500);
        return asked.length;
      })
      .toBe(3);
    expect(done()).toBe(0);
  });
});

describe('why an answer was slow', () => {
  const figures = (more: Partial<AnswerFigures>): AnswerFigures => ({
    queueMs: 0,
    promptMs: 100,
    promptPerSecond: 1,
    predictedMs: 1000,
    predictedPerSecond: 1,
    promptTokens: 1000,
    cachedTokens: 900,
    answerTokens: 100,
    thoughtTokens: 0,
    ...more,
  });

  it.each<[string, Partial<AnswerFigures>, string | undefined]>([
    ['was not slow', {}, undefined],
    ['waited', { queueMs: 9000 }, 'queue'],
    ['read anew what was read before', { promptMs: 9000, cachedTokens: 10 }, 'reread'],
    ['read much that is new', { promptMs: 9000, cachedTokens: 600 }, 'long-prompt'],
    ['thought', { predictedMs: 9000, thoughtTokens: 80 }, 'thinking'],
    ['wrote', { predictedMs: 9000, thoughtTokens: 20 }, 'writing'],
    ['wrote nothing', { predictedMs: 9000, answerTokens: 0 }, 'writing'],
  ])('is told by where its time went: it %s', (_, more, advice) => {
    expect(adviceFor(figures(more))).toBe(advice);
  });

  it('shares the time of writing out by tokens', () => {
    expect(timeSpent(figures({ queueMs: 5, thoughtTokens: 25 }))).toEqual({
      queue: 5,
      reading: 100,
      thinking: 250,
      writing: 750,
    });
  });
});
