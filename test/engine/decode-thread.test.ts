import { execFileSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Timers } from '../../src/contract/services.ts';
import { DecodeThread } from '../../src/engine/llama/decode-thread.ts';
import { FakeTime } from '../http/support.ts';
import { withDeadline } from '../support/serve-process.ts';

/** Threads of libuv's pool, as they are unless UV_THREADPOOL_SIZE says otherwise. */
const poolThreads = 4;

describe.runIf(process.platform === 'linux')('DecodeThread', () => {
  let pipe: number;
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'decode-thread-'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    pipe = openSync(join(folder, 'pipe'), constants.O_RDWR);
    rmSync(folder, { recursive: true });
  });
  afterAll(() => closeSync(pipe));

  const create = (timers: Timers = new FakeTime()) => new DecodeThread({ pipe, others: poolThreads - 1, timers });

  test('lets pool work run one after the other while it is held', async () => {
    const free = create().hold();
    try {
      expect(await finishingOrder()).toEqual(['long', 'short']);
    } finally {
      free();
    }
    expect(await finishingOrder()).toEqual(['short', 'long']);
  });

  test('holds until the last holder lets go, however often each says so', async () => {
    const thread = create();
    const [first, second] = [thread.hold(), thread.hold()];
    first();
    first();
    expect(await finishingOrder()).toEqual(['long', 'short']);
    second();
    expect(await finishingOrder()).toEqual(['short', 'long']);
  });

  test('gives the whole pool away and takes it back', async () => {
    const thread = create();
    const free = thread.hold();
    try {
      expect(await thread.lend(finishingOrder)).toEqual(['short', 'long']);
      await expect(thread.lend(() => Promise.reject(new Error('cannot be loaded')))).rejects.toThrow(
        'cannot be loaded',
      );
      expect(await finishingOrder()).toEqual(['long', 'short']);
    } finally {
      free();
    }
  });

  test('lets go when an operation keeps the last thread, and tries again later', async () => {
    const time = new FakeTime();
    const hanging = hangingOperation();
    const free = create(time).hold();
    try {
      const work = fileWork();
      time.pass(10_000);
      await withDeadline('the pool beside an operation that hangs', work);
      time.pass(9999);
      await withDeadline('the pool in the pause', fileWork());
      hanging.end();
      await hanging.ended;
      time.pass(1);
      expect(await finishingOrder()).toEqual(['long', 'short']);
      time.pass(10_000);
      expect(await finishingOrder()).toEqual(['long', 'short']);
    } finally {
      hanging.end();
      free();
    }
    expect(time.waiting).toBe(0);
  });

  test('waits longer each time that the thread is still gone', async () => {
    const time = new FakeTime();
    const hanging = hangingOperation();
    const free = create(time).hold();
    try {
      for (const pause of [10_000, 20_000, 40_000]) {
        const work = fileWork();
        time.pass(10_000);
        await withDeadline(`the pool before a pause of ${pause} ms`, work);
        time.pass(pause - 1);
        await withDeadline(`the pool in the pause of ${pause} ms`, fileWork());
        time.pass(1);
      }
    } finally {
      free();
      hanging.end();
      await hanging.ended;
    }
  });

  test('tells when work ends in its order', async () => {
    const time = new FakeTime();
    const thread = create(time);
    expect(thread.inOrder).toBe(false);
    const free = thread.hold();
    expect(thread.inOrder).toBe(true);
    await thread.lend(async () => expect(thread.inOrder).toBe(false));
    expect(thread.inOrder).toBe(true);
    free();
    expect(thread.inOrder).toBe(false);
    expect(new DecodeThread({ pipe: -1, others: 0, timers: time }).inOrder).toBe(false);
  });

  test('gives the pool away only when the work that trusts in the order has ended', async () => {
    const thread = create();
    const free = thread.hold();
    try {
      const work = finishingOrder();
      thread.keepOrder(work);
      const lent = thread.lend(async () => {
        expect(await work).toEqual(['long', 'short']);
        return finishingOrder();
      });
      expect(await lent).toEqual(['short', 'long']);
    } finally {
      free();
    }
  });

  test('keeps the order of work that waits behind an operation that hangs', async () => {
    const time = new FakeTime();
    const thread = create(time);
    const hanging = hangingOperation();
    const free = thread.hold();
    try {
      const work = finishingOrder();
      thread.keepOrder(work);
      time.pass(10_000);
      expect(thread.inOrder).toBe(false);
      expect(await withDeadline('work behind an operation that hangs', work)).toEqual(['long', 'short']);
      expect(await withDeadline('the pool in the pause', finishingOrder())).toEqual(['short', 'long']);
      hanging.end();
      await hanging.ended;
      time.pass(10_000);
      expect(thread.inOrder).toBe(true);
      expect(await finishingOrder()).toEqual(['long', 'short']);
    } finally {
      hanging.end();
      free();
    }
    expect(time.waiting).toBe(0);
  });

  test('does nothing where no thread may wait', async () => {
    const free = new DecodeThread({ pipe: -1, others: 0, timers: new FakeTime() }).hold();
    expect(await finishingOrder()).toEqual(['short', 'long']);
    free();
  });
});

function fileWork(): Promise<unknown> {
  return stat('.');
}

/** Takes a thread of the pool, as a disk that hangs does: opens a pipe whose other end nobody opens. */
function hangingOperation() {
  const folder = mkdtempSync(join(tmpdir(), 'decode-thread-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const ended = open(path, 'r').then((file) => file.close());
  let over = false;
  const end = () => {
    if (!over) closeSync(openSync(path, constants.O_RDWR));
    over = true;
  };
  return { ended: ended.finally(() => rmSync(folder, { recursive: true })), end };
}

/** Which of two pool jobs ends first, when the long one was asked for first. */
async function finishingOrder(): Promise<string[]> {
  const order: string[] = [];
  const work = (name: string, iterations: number) =>
    new Promise<void>((resolve, reject) => {
      pbkdf2('text', 'salt', iterations, 32, 'sha256', (error) => {
        order.push(name);
        if (error) reject(error);
        else resolve();
      });
    });
  await Promise.all([work('long', 100_000), work('short', 1)]);
  return order;
}
