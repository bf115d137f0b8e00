import { expect, it } from 'vitest';
import { Turns } from '../../src/ui/state/turns.ts';

it('lets so many go at once, then the others in their order, and passes over who left', async () => {
  const turns = new Turns(2);
  const stays = new AbortController().signal;
  const leaver = new AbortController();
  const order: string[] = [];
  const ask = (name: string, signal = stays) =>
    turns.take(signal).then((handOn) => {
      order.push(handOn ? name : `${name} left`);
      return handOn;
    });
  const [first, second] = await Promise.all([ask('first'), ask('second')]);
  expect(turns.isFull).toBe(true);
  const third = ask('third', leaver.signal);
  const fourth = ask('fourth');
  leaver.abort();
  expect(await third).toBeUndefined();
  first?.();
  (await fourth)?.();
  second?.();
  expect(turns.isFull).toBe(false);
  expect(await ask('fifth', leaver.signal)).toBeUndefined();
  expect(order).toEqual(['first', 'second', 'third left', 'fourth', 'fifth left']);
});
