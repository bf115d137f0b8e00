import { describe, expect, it } from 'vitest';
import type { SlotReport } from '../../src/contract/control.ts';
import { visibleTo } from '../../src/http/access/visible-events.ts';
import { chief, person } from '../support/callers.ts';

const slots = (...reports: SlotReport[]) => ({ type: 'slots', model: 'demo', slots: reports }) as const;
const idle: SlotReport = { id: 0, state: 'idle', tokens: 0 };
const ann = (tokens: number): SlotReport => ({ id: 1, state: 'decode', tokens, owner: 'ann', sessionId: 'thread' });

describe('events of slots', () => {
  it('show their owner and an admin everything', () => {
    for (const caller of [person('ann'), chief])
      expect(visibleTo(caller)(slots(idle, ann(7)))).toEqual(slots(idle, ann(7)));
  });

  it('show others that a slot is busy, once however quickly it fills', () => {
    const visible = visibleTo(person('bob'));
    expect(visible(slots(idle, ann(7)))).toEqual(slots(idle, { id: 1, state: 'decode', tokens: undefined }));
    expect(visible(slots(idle, ann(8)))).toBeUndefined();
    expect(visible(slots(idle, { ...ann(8), state: 'idle' }))).toMatchObject({ slots: [{}, { state: 'idle' }] });
  });

  it('leave all other events as they are', () => {
    const event = { type: 'model', model: 'demo', state: 'ready' } as const;
    expect([visibleTo(person('bob'))(event), visibleTo(person('bob'))(event)]).toEqual([event, event]);
  });
});
