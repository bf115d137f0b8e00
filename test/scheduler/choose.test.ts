import { describe, expect, it } from 'vitest';
import type { Admission } from '../../src/scheduler/admission.ts';
import type { SlotView, Waiting } from '../../src/scheduler/choose.ts';
import { choose } from '../../src/scheduler/choose.ts';
import type { Scoped } from '../../src/scheduler/scope.ts';
import type { Shares } from '../../src/scheduler/turns.ts';
import { ask, tokens } from './support.ts';

const now = 1_000_000;

function slot(id: number, held: readonly number[], more: Partial<SlotView> = {}): SlotView {
  return { id, tokens: held, scope: '', free: true, usedAt: now - 1000, ...more };
}

function waiting(prompt: readonly number[], agoMs: number, more: Partial<Admission> = {}): Waiting {
  return { admission: ask(prompt, { maxTokens: 1000, ...more }), arrivedAt: now - agoMs };
}

function slotFor(
  request: Waiting,
  slots: readonly SlotView[],
  more: { canCopy?: boolean; snapshots?: Scoped[]; expectedOutput?: (maxTokens: number) => number } = {},
) {
  return choose([request], { now, slots, snapshots: [], canCopy: true, shares: none, expectedOutput, ...more })?.slot;
}

const none: Shares = { held: new Map(), served: new Map() };

/** As after answers of about a hundred tokens. */
const expectedOutput = (maxTokens: number) => Math.min(maxTokens, 100);

const system = tokens(1, 700);
const conversation = [...system, ...tokens(2, 1000)];
const otherConversation = [...system, ...tokens(3, 1000)];
const unrelated = tokens(4, 900);

describe('choose: who is next', () => {
  const empty = [slot(0, [])];
  const order = (requests: readonly Waiting[], slots = empty) => {
    const left = [...requests];
    const indices: number[] = [];
    while (left.length > 0) {
      const choice = choose(left, { now, slots, snapshots: [], canCopy: true, shares: none, expectedOutput });
      if (!choice) break;
      left.splice(left.indexOf(choice.request), 1);
      indices.push(requests.indexOf(choice.request));
    }
    return indices;
  };

  it.each<[string, readonly Waiting[], readonly number[]]>([
    ['nobody waits', [], []],
    [
      'first come, first served',
      [waiting(tokens(1, 9), 1000), waiting(tokens(2, 9), 3000), waiting(tokens(3, 9), 2000)],
      [1, 2, 0],
    ],
    [
      'arrived together: the shortest first',
      [waiting(tokens(1, 900), 0), waiting(tokens(2, 9), 0), waiting(tokens(3, 90), 0)],
      [1, 2, 0],
    ],
    ['arrived together and equal: in order', [waiting(tokens(1, 9), 0), waiting(tokens(2, 9), 0)], [0, 1]],
    [
      'a short one does not overtake one that came a second before',
      [waiting(tokens(1, 9), 0), waiting(tokens(2, 900), 1000)],
      [1, 0],
    ],
    ['high priority first', [waiting(tokens(1, 9), 5000), waiting(tokens(2, 9), 0, { priority: 5 })], [1, 0]],
    [
      'a wait of 10 s outweighs one step of priority',
      [waiting(tokens(1, 9), 10_500), waiting(tokens(2, 9), 0, { priority: 4 })],
      [0, 1],
    ],
    [
      'the lowest overtakes the highest after 40 s',
      [waiting(tokens(1, 9), 40_500, { priority: 1 }), waiting(tokens(2, 9), 0, { priority: 5 })],
      [0, 1],
    ],
    [
      'but not after 39 s',
      [waiting(tokens(1, 9), 39_000, { priority: 1 }), waiting(tokens(2, 9), 0, { priority: 5 })],
      [1, 0],
    ],
  ])('%s', (_, requests, expected) => {
    expect(order(requests)).toEqual(expected);
  });

  it('counts a prompt as short when most of it is held already', () => {
    const requests = [waiting(tokens(5, 300), 0), waiting([...conversation, ...tokens(6, 20)], 0)];
    expect(order(requests, [slot(0, conversation)])).toEqual([1, 0]);
    expect(order(requests, empty)).toEqual([0, 1]);
  });

  it('does not starve a low request behind an endless stream of important ones', () => {
    const low: Waiting = { admission: ask(tokens(1, 500), { priority: 1 }), arrivedAt: 0 };
    let time = 0;
    for (; time < 100_000; time += 500) {
      const high: Waiting = { admission: ask(tokens(2, 5), { priority: 5 }), arrivedAt: time };
      if (
        choose([low, high], { now: time, slots: empty, snapshots: [], canCopy: true, shares: none, expectedOutput })
          ?.request === low
      )
        break;
    }
    expect(time).toBeGreaterThan(39_000);
    expect(time).toBeLessThan(41_000);
  });
});

describe('choose: which slot', () => {
  it.each<[string, Waiting, readonly SlotView[], number | undefined]>([
    ['none is free', waiting(tokens(1, 9), 0), [slot(0, [], { free: false })], undefined],
    ['the only free one', waiting(tokens(1, 9), 0), [slot(0, [], { free: false }), slot(1, unrelated)], 1],
    [
      'the longest prefix',
      waiting([...conversation, 1], 0),
      [slot(0, otherConversation), slot(1, conversation), slot(2, [])],
      1,
    ],
    ['an empty one before a stranger', waiting(tokens(9, 50), 0), [slot(0, unrelated), slot(1, [])], 1],
    [
      'a short side request spares the long conversation',
      waiting(tokens(9, 50), 0),
      [slot(0, conversation), slot(1, tokens(8, 60))],
      1,
    ],
    [
      'a side request that shares the system prompt spares the conversation too',
      waiting([...system, ...tokens(9, 50)], 0),
      [slot(0, conversation), slot(1, tokens(8, 60))],
      1,
    ],
    [
      'the side request of the same session spares its conversation',
      waiting(tokens(9, 50), 0, { sessionId: 'a' }),
      [slot(0, conversation, { sessionId: 'a' }), slot(1, tokens(8, 60), { sessionId: 'b' })],
      1,
    ],
    [
      'a request whose prefix is on a busy slot takes an empty one',
      waiting([...conversation, 1], 0),
      [slot(0, conversation, { free: false }), slot(1, unrelated), slot(2, [])],
      2,
    ],
    [
      'of two strangers the one away longer',
      waiting(tokens(9, 50), 0),
      [slot(0, unrelated), slot(1, tokens(7, 900), { usedAt: now - 900_000 })],
      1,
    ],
    [
      'of two strangers the one whose tokens another slot holds too',
      waiting(tokens(9, 50), 0),
      [slot(0, unrelated), slot(1, conversation), slot(2, conversation)],
      1,
    ],
    [
      'beside those who run: they are computed together',
      waiting(tokens(9, 50), 0),
      [slot(0, []), slot(1, []), slot(2, []), slot(3, unrelated, { free: false })],
      2,
    ],
    [
      'between those who run before beside them',
      waiting(tokens(9, 50), 0),
      [slot(0, []), slot(1, tokens(5, 9), { free: false }), slot(2, []), slot(3, unrelated, { free: false })],
      2,
    ],
    [
      'not beside them at the price of a long conversation',
      waiting(tokens(9, 50), 0),
      [slot(0, []), slot(1, conversation), slot(2, unrelated, { free: false })],
      0,
    ],
    [
      'a prefix moves to where it is computed with the others',
      waiting([...conversation, 1], 0),
      [slot(0, conversation), slot(1, []), slot(2, []), slot(3, unrelated, { free: false })],
      2,
    ],
    [
      'but a session stays where it is',
      waiting([...conversation, 1], 0, { sessionId: 'a' }),
      [slot(0, conversation, { sessionId: 'a' }), slot(1, []), slot(2, unrelated, { free: false })],
      0,
    ],
    [
      'not even for a place between those who run',
      waiting([...conversation, 1], 0, { sessionId: 'a' }),
      [
        slot(0, conversation, { sessionId: 'a' }),
        slot(1, []),
        slot(2, tokens(5, 9), { free: false }),
        slot(3, []),
        slot(4, unrelated, { free: false }),
      ],
      0,
    ],
    [
      'the session of an edited conversation stays on its slot',
      waiting([...conversation.slice(0, 1200), ...tokens(9, 400)], 0, { sessionId: 'a' }),
      [slot(0, conversation, { sessionId: 'a' }), slot(1, unrelated)],
      0,
    ],
    [
      'a person is only a hint: the longest prefix wins',
      waiting([...conversation, 1], 0, { userHint: 'me' }),
      [slot(0, unrelated, { userHint: 'me' }), slot(1, conversation)],
      1,
    ],
    [
      'a person breaks a tie',
      waiting(tokens(9, 50), 0, { userHint: 'me' }),
      [slot(0, []), slot(1, [], { userHint: 'me' })],
      1,
    ],
    [
      'a session breaks a tie before a person',
      waiting(tokens(9, 50), 0, { userHint: 'me', sessionId: 'a' }),
      [slot(0, [], { userHint: 'me' }), slot(1, [], { sessionId: 'a' })],
      1,
    ],
    [
      'no reuse wanted: the slot that nobody will miss',
      waiting(conversation, 0, { cachePrompt: false }),
      [slot(0, conversation), slot(1, [])],
      1,
    ],
    [
      'a regenerated answer stays in place',
      waiting(conversation, 0),
      [slot(0, [...conversation, ...tokens(9, 5)]), slot(1, [])],
      0,
    ],
  ])('%s', (_, request, slots, expected) => {
    expect(slotFor(request, slots)).toBe(expected);
  });

  it('evicts the shorter stranger when state cannot be moved and nothing is shared', () => {
    const slots = [slot(0, conversation), slot(1, unrelated)];
    expect(slotFor(waiting(tokens(9, 50), 0), slots, { canCopy: false })).toBe(1);
  });

  it('weighs a place beside those who run by the answer that is expected', () => {
    const slots = [slot(0, []), slot(1, tokens(5, 400)), slot(2, unrelated, { free: false })];
    const long = waiting(tokens(9, 50), 0);
    expect(slotFor(long, slots)).toBe(0);
    expect(slotFor(long, slots, { expectedOutput: (maxTokens) => Math.min(maxTokens, 400) })).toBe(1);
    const short = waiting(tokens(9, 50), 0, { maxTokens: 20 });
    expect(slotFor(short, slots, { expectedOutput: (maxTokens) => Math.min(maxTokens, 400) })).toBe(0);
  });

  it('gives up a slot whose tokens are stored', () => {
    const slots = [slot(0, unrelated), slot(1, conversation)];
    expect(slotFor(waiting(tokens(9, 50), 0), slots, { snapshots: [{ tokens: conversation, scope: '' }] })).toBe(1);
  });
});
