import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { ask, house, never, serve, stepUntil, tokens, useLease } from './support.ts';

const system = tokens(1, 700);
const user = (seed: number, more = 20) => [...system, 251, ...tokens(seed, more)];
const clientLeft = new ServeError('client_closed', 'The client left.');

/** What the model says to a prompt that nobody else touches. */
async function alone(prompt: readonly number[]): Promise<number[]> {
  const place = house();
  return (await stepUntil(place.engine, serve(place, ask(prompt)), 'alone')).output;
}

describe('prefix sharing', () => {
  it.each([4, 8])('evaluates a system prompt that 8 users share once, on %i slots', async (slots) => {
    const place = house({ slots, stepTokens: 64 });
    const prompts = Array.from({ length: 8 }, (_, index) => user(10 + index));
    const served = prompts.map((prompt) => serve(place, ask(prompt)));
    const results = await stepUntil(place.engine, Promise.all(served), 'eight users');
    // The shared 701 tokens once, and 20 of each user.
    expect(place.engine.stats().prefillTokens).toBe(701 + 8 * 20);
    for (const [index, prompt] of prompts.entries()) expect(results[index]?.output).toEqual(await alone(prompt));
    expect(place.scheduler.stats()).toMatchObject({ running: 0, preparing: 0, queued: 0, admitted: 8 });
  });

  it('evaluates the prompt of several choices once', async () => {
    const place = house({ stepTokens: 64 });
    const prompt = user(10);
    const results = await stepUntil(
      place.engine,
      Promise.all([1, 2, 3].map(() => serve(place, ask(prompt)))),
      'three choices',
    );
    expect(place.engine.stats().prefillTokens).toBe(721 + 1 + 1);
    expect(results.map(({ cachedTokens }) => cachedTokens)).toEqual([0, 720, 720]);
    expect(new Set(results.map(({ output }) => output.join())).size).toBe(1);
  });

  it('copies from a neighbour that has moved on to decoding', async () => {
    const place = house();
    const first = serve(place, ask(user(10), { maxTokens: 100 }));
    for (let step = 0; step < 4; step++) await place.engine.step();
    expect(place.engine.slots()[0]?.phase).toBe('decode');
    const lease = await place.scheduler.admit(ask(user(11)), never);
    expect(lease).toMatchObject({ slot: 1, reuse: 701 });
    lease.release();
    await stepUntil(place.engine, first, 'first');
  });

  it('takes what a neighbour had got to when that one is cancelled, and evaluates the rest', async () => {
    const place = house({ stepTokens: 64 });
    const controller = new AbortController();
    const first = serve(place, ask(user(10)), controller.signal);
    const second = serve(place, ask(user(11)));
    for (let step = 0; step < 4; step++) await place.engine.step();
    controller.abort(clientLeft);
    await expect(stepUntil(place.engine, first, 'cancelled')).rejects.toBe(clientLeft);
    const result = await stepUntil(place.engine, second, 'second');
    expect(result).toMatchObject({ cachedTokens: 192, output: await alone(user(11)) });
  });

  it('does not wait for a neighbour that is given back without a run', async () => {
    const place = house();
    const first = await place.scheduler.admit(ask(user(10)), never);
    const second = place.scheduler.admit(ask(user(11)), never);
    await place.engine.step();
    expect(place.scheduler.stats()).toMatchObject({ running: 1, preparing: 1 });
    first.release();
    const lease = await stepUntil(place.engine, second, 'second');
    expect(lease.reuse).toBe(0);
    lease.release();
  });

  it('gives the slot back when the client leaves while waiting for a neighbour', async () => {
    const place = house({ stepTokens: 64 });
    const controller = new AbortController();
    const first = serve(place, ask(user(10)));
    const second = place.scheduler.admit(ask(user(11)), controller.signal);
    await place.engine.step();
    expect(place.scheduler.stats().preparing).toBe(1);
    controller.abort(clientLeft);
    await expect(second).rejects.toBe(clientLeft);
    expect(place.scheduler.stats()).toMatchObject({ running: 1, preparing: 0 });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await stepUntil(place.engine, first, 'first');
  });

  it('does not wait for a long detour: its own prefix is nearly as long', async () => {
    const place = house({ slots: 2, stepTokens: 64 });
    // Slot 0 holds 600 of the shared tokens and is free; slot 1 starts to evaluate all 701 from the beginning.
    await stepUntil(place.engine, serve(place, ask(system.slice(0, 600))), 'first');
    const other = await place.scheduler.admit(ask(user(10), { cachePrompt: false }), never);
    expect(other.slot).toBe(1);
    const lease = await place.scheduler.admit(ask(user(11)), never);
    expect(lease).toMatchObject({ slot: 0, reuse: 600 });
    lease.release();
    other.release();
  });

  it('evaluates for itself on an engine that cannot move state', async () => {
    const place = house({ snapshots: false });
    const results = await stepUntil(
      place.engine,
      Promise.all([user(10), user(11)].map((prompt) => serve(place, ask(prompt)))),
      'two users',
    );
    expect(results.map(({ cachedTokens }) => cachedTokens)).toEqual([0, 0]);
    expect(place.engine.stats().prefillTokens).toBe(2 * 721);
  });

  it('goes on without the prefix when moving it fails', async () => {
    const failures: string[] = [];
    const place = house({ observer: { transferFailed: (operation) => failures.push(operation) } });
    if (!place.engine.snapshots) throw new Error('no snapshots');
    place.engine.snapshots.copy = () => Promise.reject(new Error('out of memory'));
    await stepUntil(place.engine, serve(place, ask(user(10))), 'first');
    const blocked = await place.scheduler.admit(ask(user(10)), never);
    const second = ask(user(11));
    const lease = await place.scheduler.admit(second, never);
    expect(lease).toMatchObject({ slot: 1, reuse: 0 });
    expect(failures).toEqual(['copy']);
    expect((await stepUntil(place.engine, useLease(place, second, lease), 'second')).output).toEqual(
      await alone(second.prompt),
    );
    blocked.release();
  });
});

describe('prefix store', () => {
  const conversation = (seed: number) => [...tokens(seed, 300), ...tokens(seed + 1, 200)];
  const turn = (seed: number) => ask(conversation(seed), { checkpoints: [300] });

  it('brings a conversation back whose slot was taken by another', async () => {
    const place = house({ slots: 1 });
    const first = await stepUntil(place.engine, serve(place, turn(10)), 'first');
    await stepUntil(place.engine, serve(place, turn(50)), 'other');
    const next = ask([...conversation(10), ...first.output, ...tokens(99, 10)]);
    const result = await stepUntil(place.engine, serve(place, next), 'next turn');
    expect(result.cachedTokens).toBe(503);
    expect(result.output).toEqual(await alone(next.prompt));
    expect(place.scheduler.stats().prefixTokens).toEqual({ hit: 0, copied: 0, restored: 503, missed: 1011 });
  });

  it('brings back only the part that is asked for', async () => {
    const place = house({ slots: 1 });
    await stepUntil(place.engine, serve(place, turn(10)), 'first');
    await stepUntil(place.engine, serve(place, turn(50)), 'other');
    const sibling = ask([...tokens(10, 300), ...tokens(77, 40)]);
    const result = await stepUntil(place.engine, serve(place, sibling), 'sibling');
    expect(result).toMatchObject({ cachedTokens: 300, output: await alone(sibling.prompt) });
  });

  it('replaces the state of a conversation by its later one', async () => {
    const place = house({ slots: 1 });
    const first = await stepUntil(place.engine, serve(place, turn(10)), 'first');
    await stepUntil(place.engine, serve(place, turn(50)), 'other');
    const later = ask([...conversation(10), ...first.output, ...tokens(99, 100)]);
    await stepUntil(place.engine, serve(place, later), 'later');
    await stepUntil(place.engine, serve(place, turn(50)), 'other again');
    expect([...place.engine.snapshotsKept].map((snapshot) => snapshot.tokens.length)).toEqual([503, 607]);
  });

  it('saves nothing of an answer that the next turn does not repeat', async () => {
    const place = house({ slots: 1 });
    const thinking = ask(conversation(10), { checkpoints: [300, 490], maxTokens: 400 });
    await stepUntil(place.engine, serve(place, thinking), 'first');
    await stepUntil(place.engine, serve(place, ask([...conversation(10).slice(0, 495), 7, 8])), 'next');
    expect(place.engine.snapshotsKept.size).toBe(0);
  });

  it('saves nothing when the conversation goes on in its slot', async () => {
    const place = house({ slots: 1 });
    const first = await stepUntil(place.engine, serve(place, turn(10)), 'first');
    await stepUntil(place.engine, serve(place, ask([...conversation(10), ...first.output, 7, 8])), 'next');
    expect(place.engine.snapshotsKept.size).toBe(0);
  });

  it('saves nothing that another slot holds too', async () => {
    const place = house({ slots: 2 });
    await stepUntil(place.engine, Promise.all([serve(place, turn(10)), serve(place, turn(10))]), 'twins');
    await stepUntil(place.engine, serve(place, turn(50)), 'other');
    expect(place.engine.snapshotsKept.size).toBe(0);
  });

  it('saves nothing of a request that did not want to be cached', async () => {
    const place = house({ slots: 1 });
    await stepUntil(place.engine, serve(place, { ...turn(10), cachePrompt: false }), 'first');
    await stepUntil(place.engine, serve(place, turn(50)), 'other');
    expect(place.engine.snapshotsKept.size).toBe(0);
  });

  it('saves a conversation before one that wants no cache overwrites it', async () => {
    const place = house({ slots: 1 });
    await stepUntil(place.engine, serve(place, turn(10)), 'first');
    await stepUntil(place.engine, serve(place, { ...turn(50), cachePrompt: false }), 'other');
    expect((await stepUntil(place.engine, serve(place, turn(10)), 'again')).cachedTokens).toBe(499);
  });

  it('drops the least recently used when the budget is full', async () => {
    const dropped: number[] = [];
    // 100 bytes a token: room for two conversations of 503 tokens.
    const place = house({
      slots: 1,
      settings: { prefixCacheBytes: 110_000 },
      observer: { snapshotDropped: (event) => dropped.push(event.tokens) },
    });
    const plain = (seed: number) => ask(conversation(seed));
    for (const seed of [10, 50, 90]) await stepUntil(place.engine, serve(place, plain(seed)), `fill ${seed}`);
    expect(place.scheduler.stats()).toMatchObject({ snapshots: 2, snapshotBytes: 100_600 });
    // 10 is used again, so 50 is the oldest when 90 needs room.
    expect((await stepUntil(place.engine, serve(place, plain(10)), 'again')).cachedTokens).toBe(499);
    expect(dropped).toEqual([503]);
    expect([...place.engine.snapshotsKept].map((snapshot) => snapshot.tokens[0])).toEqual([310 % 250, (90 * 31) % 250]);
  });

  it('keeps nothing without a budget', async () => {
    const place = house({ slots: 1, settings: { prefixCacheBytes: 0 } });
    await stepUntil(place.engine, serve(place, turn(10)), 'first');
    await stepUntil(place.engine, serve(place, turn(50)), 'other');
    expect(place.engine.snapshotsKept.size).toBe(0);
  });

  it('does not load what is quicker to evaluate', async () => {
    const place = house({ slots: 1, prefillRate: 10_000_000 });
    await stepUntil(place.engine, serve(place, turn(10)), 'first');
    await stepUntil(place.engine, serve(place, turn(50)), 'other');
    expect(place.engine.snapshotsKept.size).toBe(0);
  });
});
