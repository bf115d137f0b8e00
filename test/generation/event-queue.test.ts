import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../src/generation/event-queue.ts';

function recordedQueue() {
  const calls: string[] = [];
  const queue = new EventQueue<number>(
    () => calls.push('full'),
    () => calls.push('drained'),
  );
  return { queue, calls };
}

describe('the queue between a sequence and its reader', () => {
  it('gives all events in order, whenever they come, and ends', async () => {
    const { queue } = recordedQueue();
    queue.add([1, 2]);
    expect(await queue.next()).toBe(1);
    expect(await queue.next()).toBe(2);
    const waiting = queue.next();
    queue.add([3]);
    expect(await waiting).toBe(3);
    const last = queue.next();
    queue.close();
    expect(await last).toBeUndefined();
  });

  it('throws the failure after the events that came before it', async () => {
    const { queue } = recordedQueue();
    queue.add([1]);
    queue.fail(new Error('broken'));
    queue.add([2]);
    expect(await queue.next()).toBe(1);
    await expect(queue.next()).rejects.toThrow('broken');
  });

  it('pauses its producer while the reader is behind, once, and resumes it when it has caught up', async () => {
    const { queue, calls } = recordedQueue();
    queue.add(Array.from({ length: 300 }, (_, at) => at));
    queue.add([300]);
    expect(calls).toEqual(['full']);
    for (let at = 0; at < 236; at++) await queue.next();
    expect(calls).toEqual(['full']);
    await queue.next();
    expect(calls).toEqual(['full', 'drained']);
  });
});
