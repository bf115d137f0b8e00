import { describe, expect, it } from 'vitest';
import type { GenerationEvent } from '../../src/contract/events.ts';
import { requestDefaults } from '../../src/contract/request.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { until } from '../http/support.ts';
import { person } from '../support/callers.ts';
import { conductorOver } from './conductor.ts';

/** One slot, eight tokens a step, steps by hand. */
function house() {
  const engine = createFakeEngine({ slots: 1, answer: 'yes', stepping: 'manual', stepTokens: 8 });
  const { cancels, service } = conductorOver(engine);
  const unread = (text: string, progress = true, signal = new AbortController().signal) => {
    const request = { ...requestDefaults, prompt: { type: 'text' as const, text }, keys: { cancelId: text }, progress };
    return service.generate(request, signal)[Symbol.asyncIterator]();
  };
  const ask = (...request: Parameters<typeof unread>) => {
    const events: GenerationEvent[] = [];
    const iterator = unread(...request);
    const read = async () => {
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) events.push(next.value);
    };
    const done = read();
    done.catch(() => undefined);
    return { events, done };
  };
  const finish = async (done: Promise<void>) => {
    let over = false;
    void done.finally(() => {
      over = true;
    });
    while (!over) {
      await engine.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { engine, cancels, ask, unread, finish };
}

const types = (events: readonly GenerationEvent[]) => events.map(({ type }) => type);

describe('the progress of a request', () => {
  it('tells how far the prompt is read, step by step, from the start to all of it', async () => {
    const { ask, finish } = house();
    const text = 'a prompt of twenty-nine letters';
    const { events, done } = ask(text);
    await finish(done);
    const progress = events.filter((event) => event.type === 'prompt-progress');
    expect(progress.map(({ processedTokens }) => processedTokens)).toEqual([0, 8, 16, 24, text.length]);
    expect(progress.every((event) => event.totalTokens === text.length && event.cachedTokens === 0)).toBe(true);
    expect(types(events)).toEqual([
      'start',
      ...Array(5).fill('prompt-progress'),
      'block-start',
      'block-delta',
      'block-delta',
      'block-delta',
      'block-end',
      'finish',
    ]);
  });

  it('counts what was in the cache from the beginning', async () => {
    const { ask, finish } = house();
    await finish(ask('the same beginning', false).done);
    const { events, done } = ask('the same beginning and more');
    await finish(done);
    const progress = events.filter((event) => event.type === 'prompt-progress');
    expect(progress[0]).toMatchObject({ cachedTokens: 18, processedTokens: 18, totalTokens: 27 });
    expect(progress.at(-1)).toMatchObject({ cachedTokens: 18, processedTokens: 27, totalTokens: 27 });
  });

  it('is not told unless it was asked for', async () => {
    const { ask, finish } = house();
    const { events, done } = ask('a prompt of twenty-nine letters', false);
    await finish(done);
    expect(types(events)).not.toContain('prompt-progress');
  });

  it('tells the places in the queue before the start', async () => {
    const { ask, finish, engine } = house();
    const first = ask('first');
    await until('the slot', () => first.events.length > 0);
    const second = ask('second one');
    await until('a place', () => second.events.length === 1);
    const third = ask('the third of them');
    await until('a place', () => third.events.length === 1);
    expect(third.events).toMatchObject([{ type: 'queued', position: 2 }]);
    await finish(first.done);
    await finish(third.done);
    expect(types(second.events).slice(0, 2)).toEqual(['queued', 'start']);
    expect(third.events.slice(0, 3)).toMatchObject([
      { type: 'queued', position: 2 },
      { type: 'queued', position: 1 },
      { type: 'start' },
    ]);
    expect(engine.slots()[0]?.phase).toBe('idle');
  });

  it.each(['leaves', 'is cancelled'])('ends when its request %s while it waits', async (how) => {
    const { ask, finish, cancels, engine } = house();
    const first = ask('first');
    await until('the slot', () => first.events.length > 0);
    const gone = new AbortController();
    const waiting = ask('second', true, gone.signal);
    await until('a place', () => waiting.events.length === 1);
    if (how === 'leaves') {
      gone.abort(new Error('left'));
      await expect(waiting.done).rejects.toThrow('left');
    } else {
      cancels.cancel({ cancelId: 'second' }, person());
      await waiting.done;
      expect(types(waiting.events)).toEqual(['queued', 'start', 'finish']);
    }
    await finish(first.done);
    expect([cancels.size, engine.slots()[0]?.phase]).toEqual([0, 'idle']);
  });

  it('gives its place up when its reader goes away after hearing of it', async () => {
    const { ask, unread, finish, cancels, engine } = house();
    const first = ask('first');
    await until('the slot', () => first.events.length > 0);
    const iterator = unread('second');
    expect((await iterator.next()).value).toMatchObject({ type: 'queued', position: 1 });
    await iterator.return?.(undefined);
    expect(cancels.size).toBe(1);
    await finish(first.done);
    expect([cancels.size, engine.slots()[0]?.phase]).toEqual([0, 'idle']);
  });
});
