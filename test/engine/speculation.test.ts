import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedEngine } from '../../src/engine/load-options.ts';
import { answer, demoModelPath, loadDemoModel } from '../support/demo-engine.ts';
import { examples } from '../support/demo-examples.ts';

const chosen = examples.filter(({ raw }) => raw.length < 600).filter((_, at) => at % 4 === 0);

describe.each([
  ['looking up the prompt', 'lookup' as const],
  ['a draft model', { draftModel: demoModelPath }],
])('speculative decoding by %s', (_name, speculation) => {
  let loaded: LoadedEngine;
  beforeAll(async () => {
    loaded = await loadDemoModel({ speculation });
  });
  afterAll(() => loaded.engine.dispose());

  it('gives the recorded greedy outputs, also to neighbours, in fewer steps than tokens', async () => {
    const { engine } = loaded;
    let tokens = 0;
    let at = 0;
    const texts: string[] = [];
    await Promise.all(
      [0, 1, 2].map(async (slot) => {
        for (let mine = at++; mine < chosen.length; mine = at++) {
          const prompt = await engine.text.tokenize([chosen[mine]?.prompt ?? ''], { special: true });
          const { text, result } = await answer(engine, prompt, { slot, maxTokens: 1000 });
          texts[mine] = text;
          tokens += result.outputTokens;
        }
      }),
    );
    expect(texts).toEqual(chosen.map(({ raw }) => raw));
    expect(engine.stats().steps).toBeLessThan(tokens);
  });

  it('keeps to the token budget', async () => {
    const { engine } = loaded;
    const prompt = await engine.text.tokenize([chosen[0]?.prompt ?? ''], { special: true });
    for (const maxTokens of [1, 2, 7]) {
      const { tokens, result } = await answer(engine, prompt, { maxTokens, ignoreEos: true });
      expect([tokens.length, result.outputTokens, result.reason]).toEqual([maxTokens, maxTokens, 'length']);
    }
  });
});
