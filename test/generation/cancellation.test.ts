import { describe, expect, it } from 'vitest';
import type { CancelKeys } from '../../src/generation/cancellation.ts';
import { createCancelRegistry } from '../../src/generation/cancellation.ts';
import { chief, person } from '../support/callers.ts';
import { Random } from '../support/random.ts';
import { expectSame } from '../support/same.ts';

function registry(options: { maxPending?: number } = {}) {
  let now = 0;
  const cancelled: string[] = [];
  const cancels = createCancelRegistry({ clock: () => now, ...options });
  return {
    cancels,
    cancelled,
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
    start: (name: string, keys: CancelKeys & { owner?: string }) => cancels.register(keys, () => cancelled.push(name)),
  };
}

const runs: Record<string, CancelKeys> = {
  'first of thread': { cancelId: 'c1', sessionId: 's1', answerId: 'a1' },
  'second of thread': { cancelId: 'c2', sessionId: 's1', answerId: 'a2' },
  'choice 0': { cancelId: 'c3', sessionId: 's2', answerId: 'a3' },
  'choice 1': { cancelId: 'c3', sessionId: 's2', answerId: 'a3' },
  'without keys': {},
};

describe('cancel registry', () => {
  it.each<[string, CancelKeys, readonly string[]]>([
    ['its cancel id', { cancelId: 'c1' }, ['first of thread']],
    ['the session, with all its runs', { sessionId: 's1' }, ['first of thread', 'second of thread']],
    ['the answer, with all its choices', { answerId: 'a3' }, ['choice 0', 'choice 1']],
    ['a cancel id that several choices share', { cancelId: 'c3' }, ['choice 0', 'choice 1']],
    [
      'session or answer',
      { sessionId: 's1', answerId: 'a3' },
      ['first of thread', 'second of thread', 'choice 0', 'choice 1'],
    ],
    [
      'a cancel id exclusively, whatever else is given',
      { cancelId: 'c2', sessionId: 's1', answerId: 'a1' },
      ['second of thread'],
    ],
    ['a stale cancel id, which hits no later run of its thread', { cancelId: 'c0', sessionId: 's1' }, []],
    ['an unknown session', { sessionId: 's9' }, []],
    ['no key, which finds nothing', {}, []],
  ])('finds runs by %s', (_, keys, expected) => {
    const { cancels, cancelled, start } = registry();
    for (const [name, own] of Object.entries(runs)) start(name, own);
    expect(cancels.cancel(keys, person())).toBe(expected.length);
    expect(cancelled).toEqual(expected);
  });

  it('cancels a run once', () => {
    const { cancels, cancelled, start } = registry();
    start('run', { cancelId: 'c', sessionId: 's' });
    expect([
      cancels.cancel({ cancelId: 'c' }, person()),
      cancels.cancel({ cancelId: 'c' }, person()),
      cancels.cancel({ sessionId: 's' }, person()),
    ]).toEqual([1, 0, 0]);
    expect(cancelled).toEqual(['run']);
  });

  it('does not cancel a run that is over', () => {
    const { cancels, cancelled, start } = registry();
    start('run', { sessionId: 's' }).release();
    expect(cancels.cancel({ sessionId: 's' }, person())).toBe(0);
    expect(cancelled).toEqual([]);
    expect(cancels.size).toBe(0);
  });

  it('applies a cancel id that came first as soon as its run is registered', () => {
    const { cancels, cancelled, start, advance } = registry();
    expect(cancels.cancel({ cancelId: 'early' }, person())).toBe(0);
    advance(29_999);
    start('other', { cancelId: 'other' });
    start('run', { cancelId: 'early' });
    expect(cancelled).toEqual(['run']);
  });

  it('spends it on the first answer that it hits, with all its choices', () => {
    const { cancels, cancelled, start } = registry();
    cancels.cancel({ cancelId: 'early' }, person());
    start('choice 0', { cancelId: 'early', answerId: 'a1' });
    start('choice 1', { cancelId: 'early', answerId: 'a1' });
    start('next answer', { cancelId: 'early', answerId: 'a2' });
    start('choice 2', { cancelId: 'early', answerId: 'a1' });
    start('without an answer', { cancelId: 'early' });
    expect(cancelled).toEqual(['choice 0', 'choice 1', 'choice 2']);
  });

  it('does not keep one that hit an answer, however often it comes', () => {
    const { cancels, cancelled, start } = registry();
    const run = start('run', { cancelId: 'c', answerId: 'a1' });
    cancels.cancel({ cancelId: 'c' }, person());
    cancels.cancel({ cancelId: 'c' }, person());
    run.release();
    start('next answer', { cancelId: 'c', answerId: 'a2' });
    expect(cancelled).toEqual(['run']);
  });

  it('forgets it after 30 s', () => {
    const { cancels, cancelled, start, advance } = registry();
    cancels.cancel({ cancelId: 'early' }, person());
    advance(30_000);
    start('run', { cancelId: 'early' });
    expect(cancelled).toEqual([]);
  });

  it('never keeps a session, nor an answer that it does not know', () => {
    const { cancels, cancelled, start } = registry();
    cancels.cancel({ sessionId: 's', answerId: 'a' }, person());
    start('run', { sessionId: 's', answerId: 'a' });
    expect(cancelled).toEqual([]);
  });

  it.each<[string, CancelKeys]>([
    ['cancel id', { cancelId: 'c' }],
    ['session', { sessionId: 's' }],
    ['answer', { answerId: 'a' }],
  ])('stops the choices of a call that register after a cancel by its %s', (_, keys) => {
    const { cancels, cancelled, start } = registry();
    const call = { cancelId: 'c', sessionId: 's', answerId: 'a' };
    start('choice 0', call).release();
    start('choice 1', call);
    expect(cancels.cancel(keys, person())).toBe(1);
    start('choice 2', call);
    start('next call of the session', { cancelId: 'c2', sessionId: 's', answerId: 'a2' });
    expect(cancelled).toEqual(['choice 1', 'choice 2']);
  });

  it('takes a cancel id and an answer of the same name for two things', () => {
    const { cancels, cancelled, start } = registry();
    cancels.cancel({ cancelId: 'same' }, person());
    start('run', { answerId: 'same' });
    expect(cancelled).toEqual([]);
  });

  it('keeps a bounded number of them, the newest', () => {
    const { cancels, cancelled, start } = registry({ maxPending: 3 });
    for (const cancelId of ['a', 'b', 'c', 'd']) cancels.cancel({ cancelId }, person());
    for (const cancelId of ['a', 'b', 'c', 'd']) start(cancelId, { cancelId });
    expect(cancelled).toEqual(['b', 'c', 'd']);
  });

  it('finds only what its caller sees', () => {
    const { cancels, cancelled, start } = registry();
    const keys = { cancelId: 'c', sessionId: 's', answerId: 'a' };
    start('ann', { ...keys, owner: 'ann' });
    start('bob', { ...keys, owner: 'bob' });
    for (const [key, value] of Object.entries(keys)) expect(cancels.cancel({ [key]: value }, person('eve'))).toBe(0);
    expect(cancels.cancel({ sessionId: 's' }, person('ann'))).toBe(1);
    expect(cancelled).toEqual(['ann']);
    expect(cancels.cancel({ answerId: 'a' }, chief)).toBe(1);
    expect(cancelled).toEqual(['ann', 'bob']);
  });

  it('keeps a cancel id that came first for its caller’s own runs, an admin’s for all', () => {
    const { cancels, cancelled, start } = registry();
    cancels.cancel({ cancelId: 'early' }, person('eve'));
    cancels.cancel({ cancelId: 'all' }, chief);
    start('ann, early', { cancelId: 'early', owner: 'ann' });
    start('ann, all', { cancelId: 'all', owner: 'ann' });
    start('eve, early', { cancelId: 'early', owner: 'eve' });
    expect(cancelled).toEqual(['ann, all', 'eve, early']);
  });

  it('lets nobody push out the kept ones of another', () => {
    const { cancels, cancelled, start } = registry({ maxPending: 3 });
    cancels.cancel({ cancelId: 'x' }, person('ann'));
    for (const cancelId of ['a', 'b', 'c', 'd']) cancels.cancel({ cancelId }, person('eve'));
    start('ann', { cancelId: 'x', owner: 'ann' });
    expect(cancelled).toEqual(['ann']);
  });

  it('drops no cancel and hits no other run in 2,000 random interleavings', () => {
    for (let seed = 1; seed <= 2000; seed++) interleave(seed);
  });
});

interface Life {
  readonly keys: CancelKeys;
  state: 'to come' | 'running' | 'over';
  cancelled: boolean;
  /** What the rules say: time of the last cancel by its id, or whether a cancel met it while it ran. */
  stoppedAt: number | undefined;
  expected: boolean;
}

/** Calls with one or two choices in three threads; starts, ends and cancels of all kinds in any order. */
function interleave(seed: number): void {
  const random = new Random(seed);
  let now = 0;
  const cancels = createCancelRegistry({ clock: () => now });
  const lives: Life[] = [];
  for (let call = 0; call < 6; call++) {
    const keys = { cancelId: `c${call}`, sessionId: `s${random.between(0, 2)}`, answerId: `a${call}` };
    for (let choice = random.between(1, 2); choice > 0; choice--)
      lives.push({ keys, state: 'to come', cancelled: false, stoppedAt: undefined, expected: false });
  }
  const handles = new Map<Life, { release(): void }>();
  for (let event = 0; event < 40; event++) {
    now += random.pick([0, 0, 0, 100, 15_000]);
    const life = random.pick(lives);
    if (random.chance(0.4)) cancelBy(random, life, lives, cancels, now);
    else if (life.state === 'to come') {
      life.state = 'running';
      life.expected = life.stoppedAt !== undefined && now < life.stoppedAt + 30_000;
      handles.set(
        life,
        cancels.register(life.keys, () => stop(life)),
      );
    } else {
      life.state = 'over';
      handles.get(life)?.release();
    }
    expectSame(
      lives.map(({ cancelled }) => cancelled),
      lives.map(({ expected }) => expected),
      `seed ${seed}, event ${event}`,
    );
  }
}

function stop(life: Life): void {
  if (life.cancelled || life.state !== 'running') throw new Error('cancelled twice or when it was not running');
  life.cancelled = true;
}

function cancelBy(
  random: Random,
  target: Life,
  lives: readonly Life[],
  cancels: ReturnType<typeof createCancelRegistry>,
  now: number,
): void {
  const key = random.pick(['cancelId', 'sessionId', 'answerId'] as const);
  const met = lives.filter((life) => life.keys[key] === target.keys[key]);
  const newlyStopped = met.filter((life) => life.state === 'running' && !life.expected);
  for (const life of newlyStopped) life.expected = true;
  const stoppedCalls = new Set(newlyStopped.map((life) => life.keys));
  for (const life of lives)
    if (stoppedCalls.has(life.keys) || (key === 'cancelId' && met.includes(life))) life.stoppedAt = now;
  expectSame(cancels.cancel({ [key]: target.keys[key] }, person()), newlyStopped.length);
}

describe('a server that stops', () => {
  it('ends answers that have shown something properly, with all their choices, and refuses the others', () => {
    const { cancels } = registry();
    const ends: string[] = [];
    const start = (name: string, keys: CancelKeys) => cancels.register(keys, (why) => ends.push(`${name} ${why}`));
    const first = start('choice 0', { answerId: 'a1' });
    start('choice 1', { answerId: 'a1' });
    start('queued', { answerId: 'a2' });
    const lone = start('without an id, speaking', {});
    start('without an id', {});
    const over = start('over', {});
    const cancelled = start('cancelled', { cancelId: 'c1' });
    first.spoke();
    lone.spoke();
    cancelled.spoke();
    over.release();
    cancels.cancel({ cancelId: 'c1' }, person());
    cancels.shutDown();
    cancels.shutDown();
    start('choice 2', { answerId: 'a1' });
    start('a late one', { answerId: 'a3' });
    start('a late one without an id', {});
    expect(ends).toEqual([
      'cancelled cancelled',
      'choice 0 shutdown',
      'choice 1 shutdown',
      'queued refused',
      'without an id, speaking shutdown',
      'without an id refused',
      'choice 2 shutdown',
      'a late one refused',
      'a late one without an id refused',
    ]);
  });
});
