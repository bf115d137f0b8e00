import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { StartGate } from '../../src/generation/start-gate.ts';
import type { QueuePlace } from '../../src/scheduler/admission.ts';
import { FakeTime } from '../http/support.ts';

function gate(maxQueue = 3) {
  const time = new FakeTime();
  const start = new StartGate({ maxQueue, queueTimeoutMs: 60_000 }, time);
  const passed: string[] = [];
  const places: string[] = [];
  const wait = (name: string, signal = new AbortController().signal) => {
    const onPlace = ({ position, etaMs }: QueuePlace) => void places.push(`${name} ${position} ${etaMs}`);
    const passing = start.pass(signal, onPlace).then(
      () => void passed.push(name),
      (error: unknown) => void passed.push(`${name}: ${error instanceof ServeError ? error.code : error}`),
    );
    return passing;
  };
  return { start, time, passed, places, wait };
}

describe('the gate of a server that starts', () => {
  it('keeps everybody waiting until it opens, and nobody afterwards', async () => {
    const { start, passed, places, wait, time } = gate();
    const waiting = [wait('a'), wait('b')];
    await new Promise(setImmediate);
    expect(passed).toEqual([]);
    start.open();
    await Promise.all(waiting);
    await wait('c');
    expect(passed).toEqual(['a', 'b', 'c']);
    expect(places).toEqual(['a 1 undefined', 'b 2 undefined']);
    expect(time.waiting).toBe(0);
  });

  it('takes no more than it has room for', async () => {
    const { start, passed, wait } = gate(1);
    const first = wait('a');
    await wait('b');
    expect(passed).toEqual(['b: overloaded']);
    start.open();
    await first;
  });

  it('lets nobody wait longer than the queue would', async () => {
    const { passed, wait, time } = gate();
    const first = wait('a');
    time.pass(59_999);
    await new Promise(setImmediate);
    expect(passed).toEqual([]);
    time.pass(1);
    await first;
    expect(passed).toEqual(['a: model_loading']);
  });

  it('forgets who leaves, and those behind move up', async () => {
    const { start, passed, places, wait, time } = gate();
    const leaving = new AbortController();
    const waiting = [wait('a'), wait('b', leaving.signal), wait('c')];
    leaving.abort(new ServeError('client_closed', 'left'));
    await waiting[1];
    start.open();
    await Promise.all(waiting);
    expect(passed).toEqual(['b: client_closed', 'a', 'c']);
    expect(places).toEqual(['a 1 undefined', 'b 2 undefined', 'c 3 undefined', 'c 2 undefined']);
    expect([time.waiting, getEventListeners(leaving.signal, 'abort').length]).toEqual([0, 0]);
  });

  it('tells those who wait why there will be no model, and lets the later ones look for themselves', async () => {
    const { start, passed, wait } = gate();
    const first = wait('a');
    start.fail(new ServeError('insufficient_memory', 'too large'));
    await first;
    await wait('b');
    expect(passed).toEqual(['a: insufficient_memory', 'b']);
  });
});
