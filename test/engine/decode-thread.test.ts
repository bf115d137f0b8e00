import { execFileSync } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DecodeThread } from '../../src/engine/llama/decode-thread.ts';

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

  const create = () => new DecodeThread({ pipe, others: poolThreads - 1 });

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

  test('does nothing where no thread may wait', async () => {
    const free = new DecodeThread({ pipe: -1, others: 0 }).hold();
    expect(await finishingOrder()).toEqual(['short', 'long']);
    free();
  });
});

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
