import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { Context } from '../../src/native/context.ts';
import { answer, loadDemoModel } from '../support/demo-engine.ts';
import { localThread } from '../support/local-thread.ts';
import { Random } from '../support/random.ts';
import { tinyArchitectures, writeTinyModel } from '../support/tiny-models.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-tiny-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(tinyArchitectures)('a model whose state cannot be cut anywhere: %s', (architecture) => {
  let engine: Engine;
  beforeAll(async () => {
    const path = join(folder, `${architecture}.gguf`);
    writeTinyModel(path, architecture);
    ({ engine } = await loadDemoModel({ path, slots: 2, contextSize: 1024, batchSize: 64, early: localThread }));
  });
  afterAll(() => engine.dispose());

  const random = new Random(7);
  const someTokens = (count: number) => Array.from({ length: count }, () => random.between(300, 1500));
  const options = { maxTokens: 16, ignoreEos: true, logprobs: { top: 0 } };

  async function run(slot: number, prompt: readonly number[], reuse: number, checkpoints?: readonly number[]) {
    const more = checkpoints ? { checkpoints } : {};
    const { tokens, cachedTokens } = await answer(engine, prompt, { ...options, slot, reuse, ...more });
    return { tokens, cachedTokens, ids: tokens.map(({ token }) => token) };
  }

  /** The same on slot 1, which starts empty: nothing is reused. */
  async function expectAsFresh(prompt: readonly number[], given: Awaited<ReturnType<typeof run>>) {
    const fresh = await run(1, prompt, 0);
    expect(fresh.cachedTokens).toBe(0);
    expect(given.ids).toEqual(fresh.ids);
    for (const [index, { logprob }] of given.tokens.entries())
      expect(logprob?.logprob).toBeCloseTo(fresh.tokens[index]?.logprob?.logprob ?? Number.NaN, 2);
  }

  it('says different things after different prompts', async () => {
    const one = await run(0, someTokens(100), 0);
    const other = await run(0, someTokens(100), 0);
    expect(one.ids).not.toEqual(other.ids);
    expect(new Set(one.ids).size).toBeGreaterThan(1);
  });

  it('goes on behind its own answer', async () => {
    const first = someTokens(150);
    const said = await run(0, first, 0);
    // The last token was given out but not evaluated.
    const second = [...first, ...said.ids, ...someTokens(30)];
    const again = await run(0, second, second.length);
    expect(again.cachedTokens).toBe(first.length + said.ids.length - 1);
    await expectAsFresh(second, again);
  });

  it('goes back to a turn border when the answer was not sent back as it was', async () => {
    const first = someTokens(200);
    await run(0, first, 0, [60, 190]);
    const second = [...first.slice(0, 195), ...someTokens(40)];
    const again = await run(0, second, second.length, [60, 190, 230]);
    expect(again.cachedTokens).toBe(190);
    await expectAsFresh(second, again);
  });

  it('goes back to the end of the system part for another conversation', async () => {
    const system = someTokens(120);
    await run(0, [...system, ...someTokens(90)], 0, [120, 200]);
    const other = [...system, ...someTokens(50)];
    const again = await run(0, other, other.length, [120, 160]);
    expect(again.cachedTokens).toBe(120);
    await expectAsFresh(other, again);
  });

  it('asks the same again without evaluating all of it', async () => {
    const prompt = someTokens(130);
    const first = await run(0, prompt, 0);
    const again = await run(0, prompt, prompt.length);
    expect(again.cachedTokens).toBe(prompt.length - 1);
    expect(again.ids).toEqual(first.ids);
    await expectAsFresh(prompt, again);
  });

  it('evaluates everything where no border is left of the change', async () => {
    const first = someTokens(150);
    await run(0, first, 0, [140]);
    const other = [...first.slice(0, 100), ...someTokens(40)];
    const again = await run(0, other, other.length, [130]);
    expect(again.cachedTokens).toBe(0);
    await expectAsFresh(other, again);
  });

  it('holds a conversation of 12 turns with edits and retries', async () => {
    const turns = new Random(3);
    let history = someTokens(40);
    const borders = [40];
    let reused = 0;
    for (let turn = 0; turn < 12; turn++) {
      const question = [...history, ...someTokens(turns.between(5, 40))];
      const answered = await run(0, question, question.length, [...borders, question.length - 2]);
      reused += answered.cachedTokens;
      await expectAsFresh(question, answered);
      borders.push(question.length - 2);
      const kept = turns.pick(['whole', 'part', 'none']);
      const said = kept === 'whole' ? answered.ids : kept === 'part' ? answered.ids.slice(0, 5) : [];
      history = [...question, ...said];
    }
    expect(reused).toBeGreaterThan(0);
    expect(engine.slots().every(({ phase }) => phase === 'idle')).toBe(true);
  });

  it('evaluates everything where the native library does not give the state back', async () => {
    const first = someTokens(150);
    await run(0, first, 0, [140]);
    const second = [...first.slice(0, 145), ...someTokens(20)];
    const before = engine.stats().prefillTokens;
    let refusals = 0;
    const restore = vi.spyOn(Context.prototype, 'restoreState').mockImplementation(() => {
      refusals++;
      return false;
    });
    const again = await run(0, second, second.length).finally(() => restore.mockRestore());
    expect(refusals).toBe(1);
    expect(engine.stats().prefillTokens - before).toBe(second.length);
    await expectAsFresh(second, again);
  });

  it('goes on after a run was aborted in its prefill', async () => {
    const prompt = someTokens(600);
    const controller = new AbortController();
    const running = answer(engine, prompt, { ...options, slot: 0, checkpoints: [500], signal: controller.signal });
    await engine.whenHeld(0, 64, new AbortController().signal);
    controller.abort(new Error('stopped'));
    await expect(running).rejects.toThrow('stopped');
    await expectAsFresh(prompt, await run(0, prompt, prompt.length, [500]));
  });
});
