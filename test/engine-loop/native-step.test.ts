import { describe, expect, it } from 'vitest';
import { createDeferred } from '../../src/contract/deferred.ts';
import { startStep } from '../../src/engine/llama/native-step.ts';

/** A context and a thread that note what is asked of them, and end it when told. */
function nativeSide(inOrder: boolean) {
  const asked: string[] = [];
  const decode = createDeferred<void>();
  const tokens = [createDeferred<number>(), createDeferred<number>()];
  const kept: Promise<unknown>[] = [];
  return {
    asked,
    decode,
    tokens,
    kept,
    context: {
      decodeBatch: () => {
        asked.push('decode');
        return decode.promise;
      },
    },
    thread: { inOrder, keepOrder: (work: Promise<unknown>) => void kept.push(work) },
    draws: tokens.map(({ promise }, index) => () => {
      asked.push(`draw ${index}`);
      return promise;
    }),
  };
}

/** Whether it has settled once everything that can happen now has happened. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  await new Promise(setImmediate);
  return settled;
}

describe('startStep', () => {
  it('queues the draws behind the decode, and keeps the order until all have ended', async () => {
    const { context, thread, draws, asked, decode, tokens, kept } = nativeSide(true);
    const { decoded, drawn } = startStep(context, thread, draws);
    expect(asked).toEqual(['decode', 'draw 0', 'draw 1']);
    decode.resolve();
    await decoded;
    tokens[0]?.resolve(7);
    expect(await isSettled(drawn)).toBe(false);
    tokens[1]?.resolve(8);
    expect(await drawn).toEqual([
      { status: 'fulfilled', value: 7 },
      { status: 'fulfilled', value: 8 },
    ]);
    expect(kept.length).toBe(1);
    expect(await isSettled(kept[0] ?? Promise.reject())).toBe(true);
  });

  it('draws nothing where the order is not certain', async () => {
    const { context, thread, draws, asked, decode, kept } = nativeSide(false);
    const { drawn } = startStep(context, thread, draws);
    decode.resolve();
    expect(await drawn).toEqual([]);
    expect(asked).toEqual(['decode']);
    expect(kept).toEqual([]);
  });

  it('has no order to keep where nothing is drawn', async () => {
    const { context, thread, decode, kept } = nativeSide(true);
    const { drawn } = startStep(context, thread, []);
    decode.resolve();
    expect(await drawn).toEqual([]);
    expect(kept).toEqual([]);
  });

  it('refuses a token that was drawn before its batch was decoded', async () => {
    const { context, thread, draws, decode, tokens } = nativeSide(true);
    const { decoded, drawn } = startStep(context, thread, draws);
    tokens[0]?.resolve(7);
    await new Promise(setImmediate);
    decode.resolve();
    tokens[1]?.resolve(8);
    await decoded;
    expect((await drawn).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('waits for every draw behind a decode that fails', async () => {
    const { context, thread, draws, decode, tokens } = nativeSide(true);
    const { decoded, drawn } = startStep(context, thread, draws);
    decode.reject(new Error('no memory'));
    await expect(decoded).rejects.toThrow('no memory');
    tokens[0]?.resolve(-1);
    expect(await isSettled(drawn)).toBe(false);
    tokens[1]?.reject(new Error('no logits'));
    expect((await drawn).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
