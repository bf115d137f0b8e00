import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/dialects/dialect.ts';
import { type FrameSource, streamResponse } from '../../src/http/streams/sse.ts';
import { withDeadline } from '../support/serve-process.ts';
import { FakeTime } from './support.ts';

const gatherMs = 15;

/** Frames that come when told, over a stream whose writes are recorded. */
function gatheringStream(format: 'sse' | 'ndjson' = 'sse') {
  const time = new FakeTime();
  const waiting: Frame[] = [];
  let wake: () => void = () => undefined;
  let over = false;
  let atOnce = 1;
  const source: FrameSource = {
    async next() {
      while (waiting.length === 0 && !over) await new Promise<void>((resolve) => (wake = resolve));
      return waiting.splice(0, atOnce);
    },
    get done() {
      return over && waiting.length === 0;
    },
    heartbeat: () => ({ type: 'comment', text: '' }),
    closed: () => undefined,
  };
  const options = { format, headers: {}, heartbeatMs: 1e6, stallTimeoutMs: 1e6, gatherMs } as const;
  const response = streamResponse(source, { ...options, clock: time.clock, timers: time });
  const writes: string[] = [];
  const finished = (async () => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) writes.push(decoder.decode(bytes).replace(/data: |\n/g, ''));
  })();
  return {
    time,
    finished: () => withDeadline('the end of the stream', finished),
    /** What was written since the last call. */
    async written() {
      await new Promise(setImmediate);
      return writes.splice(0);
    },
    give(text: string) {
      waiting.push({ type: 'raw', text });
      wake();
    },
    /** Several frames that the source has at the same time. */
    giveLines(...values: string[]) {
      atOnce = values.length;
      waiting.push(...values.map((data): Frame => ({ type: 'data', data })));
      wake();
    },
    end() {
      over = true;
      wake();
    },
  };
}

describe('frames that come close together', () => {
  /** The opening frame and the first tokens go out at once, the last of them at time 0. */
  async function opened() {
    const stream = gatheringStream();
    for (const text of ['a', 'b', 'c']) {
      stream.give(text);
      expect(await stream.written()).toEqual([text]);
    }
    return stream;
  }

  it('go out with the first one that comes late enough', async () => {
    const { time, give, written } = await opened();
    time.pass(7);
    give('d');
    expect(await written()).toEqual([]);
    time.pass(7);
    give('e');
    expect(await written()).toEqual([]);
    time.pass(7);
    give('f');
    expect(await written()).toEqual(['def']);
  });

  it('wait no longer than twice the time for another one', async () => {
    const { time, give, written } = await opened();
    time.pass(1);
    give('d');
    expect(await written()).toEqual([]);
    time.pass(28);
    expect(await written()).toEqual([]);
    time.pass(1);
    expect(await written()).toEqual(['d']);
    time.pass(14);
    give('e');
    expect(await written()).toEqual([]);
  });

  it('never hold up one that comes late', async () => {
    const { time, give, written } = await opened();
    for (const text of ['d', 'e']) {
      time.pass(gatherMs);
      give(text);
      expect(await written()).toEqual([text]);
    }
  });

  it('go out when the stream ends', async () => {
    const { give, end, written, finished, time } = await opened();
    give('d');
    expect(await written()).toEqual([]);
    end();
    await finished();
    expect(await written()).toEqual(['d']);
    expect(time.waiting).toBe(0);
  });
});

it('lines of NDJSON are a write each, however close together they come', async () => {
  const { giveLines, written } = gatheringStream('ndjson');
  giveLines('a', 'b', 'c', 'd');
  expect(await written()).toEqual(['"a"', '"b"', '"c"', '"d"']);
  giveLines('e');
  expect(await written()).toEqual(['"e"']);
});
