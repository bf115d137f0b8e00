import { describe, expect, it } from 'vitest';
import { createCancelRegistry } from '../../src/generation/cancellation.ts';
import { ThoughtControl } from '../../src/generation/thought-control.ts';
import { openDoor } from './support.ts';

const route = '/v1/chat/completions/control';
const end = { action: 'reasoning_end' };

function openWith(settings = {}) {
  const registry = createCancelRegistry({ clock: () => 0 });
  const run = (answerId: string, { endable = true, slot = 0, owner = '' } = {}) => {
    const thought = new ThoughtControl(endable);
    thought.slot = slot;
    registry.register({ answerId, owner }, () => undefined, thought);
    return thought;
  };
  const door = openDoor({ settings, more: { endThought: (which, caller) => registry.endThought(which, caller) } });
  return { door, run };
}

describe('POST /v1/chat/completions/control', () => {
  it.each([
    ['its id', { id: 'chatcmpl-1' }],
    ['its slot', { id_slot: 2 }],
  ])('ends the thought of the answer with %s, once, with the next token', async (_, which) => {
    const { door, run } = openWith();
    const [thought, other] = [run('chatcmpl-1', { slot: 2 }), run('chatcmpl-2')];
    for (const each of [thought, other]) expect(each.endsAt(true)).toBe(false);
    const response = await door.post(route, { ...which, ...end });
    expect([response.status, await response.json()]).toEqual([200, { success: true }]);
    expect([thought.endsAt(true), other.endsAt(true)]).toEqual([true, false]);
    expect(thought.endsAt(true)).toBe(false);
  });

  it('ends all choices of an answer that think', async () => {
    const { door, run } = openWith();
    const choices = [run('chatcmpl-1'), run('chatcmpl-1')];
    choices[1]?.endsAt(true);
    expect((await door.post(route, { id: 'chatcmpl-1', ...end })).status).toBe(200);
    expect(choices.map((each) => each.endsAt(true))).toEqual([false, true]);
  });

  it('says why it ends nothing, and then does not end a later thought', async () => {
    const { door, run } = openWith();
    const thought = run('chatcmpl-1');
    run('chatcmpl-2', { endable: false }).endsAt(true);
    const asked = async (id: string) => {
      const response = await door.post(route, { id, ...end });
      return [response.status, ((await response.json()) as { error: { message: string } }).error.message];
    };
    expect(await asked('chatcmpl-1')).toEqual([400, 'The answer is not thinking just now.']);
    expect(thought.endsAt(true)).toBe(false);
    expect(await asked('chatcmpl-2')).toEqual([400, expect.stringContaining('`reasoning_control: true`')]);
    expect(await asked('chatcmpl-3')).toEqual([404, expect.stringContaining('it has ended, or it never was')]);
  });

  it.each([
    ['neither id nor slot', end],
    ['both', { id: 'chatcmpl-1', id_slot: 0, ...end }],
    ['another action', { id: 'chatcmpl-1', action: 'reasoning_begin' }],
    ['no action', { id: 'chatcmpl-1' }],
  ])('refuses %s', async (_, body) => {
    const { door, run } = openWith();
    const thought = run('chatcmpl-1');
    thought.endsAt(true);
    expect((await door.post(route, body)).status).toBe(400);
    expect(thought.endsAt(true)).toBe(false);
  });

  it('ends nothing of another key', async () => {
    const { door, run } = openWith({
      apiKeys: [
        { key: 'a', name: 'ann' },
        { key: 'b', name: 'bob' },
      ],
    });
    const thought = run('chatcmpl-1', { owner: 'ann' });
    thought.endsAt(true);
    const as = (key: string) =>
      door.post(route, { id: 'chatcmpl-1', ...end }, { headers: { authorization: `Bearer ${key}` } });
    expect((await as('b')).status).toBe(404);
    expect((await as('a')).status).toBe(200);
  });
});
