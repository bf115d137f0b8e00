import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedEngine } from '../../src/engine/load-options.ts';
import { answer, demoModelPath, greedy, loadDemoModel } from '../support/demo-engine.ts';
import { examples } from '../support/demo-examples.ts';
import { library, loadVocabulary } from '../support/native.ts';

describe('the llama engine with the demo model', () => {
  let loaded: LoadedEngine;
  beforeAll(async () => {
    loaded = await loadDemoModel();
  });
  afterAll(() => loaded.engine.dispose());

  const tokens = (text: string) => loaded.engine.text.tokenize([text], { special: true });

  it('gives the recorded greedy outputs', async () => {
    expect(examples.length).toBeGreaterThan(90);
    for (const example of examples) {
      const prompt = await tokens(example.prompt);
      expect(prompt.length).toBe(example.prompt_tokens);
      const { text } = await answer(loaded.engine, prompt, { reuse: prompt.length, maxTokens: 1500 });
      expect(text).toBe(example.raw);
    }
  });

  it('gives the same outputs to neighbours that share the batch', async () => {
    const chosen = examples.filter(({ raw }) => raw.length < 400).slice(0, 40);
    const free = [0, 1, 2, 3];
    const results: string[] = [];
    const queue = [...chosen.keys()];
    await Promise.all(
      free.map(async (slot) => {
        for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
          const prompt = await tokens(chosen[at]?.prompt ?? '');
          results[at] = (await answer(loaded.engine, prompt, { slot, maxTokens: 1500 })).text;
        }
      }),
    );
    expect(results).toEqual(chosen.map(({ raw }) => raw));
  });

  it('reuses the prefix that a slot holds, and says how much', async () => {
    const prompt = await tokens(examples[0]?.prompt ?? '');
    const first = await answer(loaded.engine, prompt, { slot: 1 });
    const again = await answer(loaded.engine, prompt, { slot: 1, reuse: prompt.length });
    expect(again.cachedTokens).toBe(prompt.length - 1);
    expect(again.text).toBe(first.text);
  });

  it('hands a prefix to another slot by snapshot and by copy', async () => {
    const { engine } = loaded;
    const prompt = await tokens(examples[0]?.prompt ?? '');
    const first = await answer(engine, prompt, { slot: 1 });
    const snapshot = await engine.snapshots?.save(1, prompt.length);
    expect(snapshot?.tokens).toEqual(prompt);
    expect(snapshot && (await engine.snapshots?.load(2, snapshot))).toBe(true);
    expect(await engine.snapshots?.copy(1, 3, 6)).toBe(true);
    const loadedAnswer = await answer(engine, prompt, { slot: 2, reuse: prompt.length });
    const copiedAnswer = await answer(engine, prompt, { slot: 3, reuse: prompt.length });
    expect([loadedAnswer.cachedTokens, copiedAnswer.cachedTokens]).toEqual([prompt.length - 1, 6]);
    expect([loadedAnswer.text, copiedAnswer.text]).toEqual([first.text, first.text]);
  });

  it('ends with length at the budget and forces tokens that a directive names', async () => {
    const { engine } = loaded;
    const prompt = await tokens(examples[0]?.prompt ?? '');
    const short = await answer(engine, prompt, { maxTokens: 5 });
    expect(short.result).toMatchObject({ reason: 'length', outputTokens: 5 });
    const closing = await tokens('\n</think>\n\nforced');
    let seen = 0;
    const forced = await answer(engine, prompt, {
      steered: true,
      onToken: () => (++seen === 3 ? { type: 'force', tokens: closing } : { type: 'continue' }),
    });
    expect(forced.text.slice(0, 60)).toContain('</think>\n\nforced');
    expect(forced.tokens.filter(({ forced }) => forced).length).toBe(closing.length);
  });

  it('constrains the text by a grammar, also one that is switched on in mid-generation', async () => {
    const { engine } = loaded;
    const prompt = await tokens(examples[0]?.prompt ?? '');
    const yes = await answer(engine, prompt, {
      grammar: 'root ::= "yes" | "no"',
      grammarActive: true,
      ignoreEos: true,
    });
    expect(['yes', 'no']).toContain(yes.text);
    let seen = 0;
    const late = await answer(engine, prompt, {
      steered: true,
      onToken: () => (++seen === 4 ? { type: 'grammar', grammar: 'root ::= [0-9]{3}' } : { type: 'continue' }),
    });
    expect(late.text).toMatch(/[0-9]{3}$/);
    expect(late.result.reason).toBe('end-of-generation');
    await expect(
      answer(engine, prompt, { steered: true, onToken: () => ({ type: 'grammar', grammar: 'root ::= (' }) }),
    ).rejects.toMatchObject({ code: 'engine_failure' });
  });

  it('never draws what a grammar is told to refuse, though it would take its text', async () => {
    const { engine } = loaded;
    const prompt = await tokens(examples[0]?.prompt ?? '');
    const [start = -1, ...more] = await engine.text.tokenize(['<|im_start|>'], { special: true });
    expect([engine.text.isControl(start), more]).toEqual([true, []]);
    const sampling = { ...greedy, logitBias: new Map([[start, 90]]) };
    const job = { grammar: 'root ::= [a-z_<>|]+', grammarActive: true, sampling, maxTokens: 8 };
    const taken = await answer(engine, prompt, job);
    expect(taken.tokens.map(({ token }) => token)).toEqual(Array(8).fill(start));
    const refused = await answer(engine, prompt, { ...job, grammarRefuses: [start] });
    expect(refused.tokens.map(({ token }) => token)).not.toContain(start);
    expect(refused.text).toMatch(/^[a-z_<>|]+$/);
  });

  it('ignores end tokens under a grammar for as long as it allows anything else', async () => {
    const { engine } = loaded;
    const prompt = await tokens(examples[0]?.prompt ?? '');
    const freeText = { grammar: 'root ::= [^<]*', grammarActive: true };
    for (const temperature of [0, 1.5]) {
      const sampling = { ...greedy, temperature };
      const ended = await answer(engine, prompt, { ...freeText, sampling, maxTokens: 400 });
      expect(ended.result.reason).toBe('end-of-generation');
      const { result } = await answer(engine, prompt, { ...freeText, sampling, maxTokens: 400, ignoreEos: true });
      expect(result).toMatchObject({ reason: 'length', outputTokens: 400 });
      const most = { grammar: 'root ::= [a-z ]{0,40}', grammarActive: true, sampling, ignoreEos: true };
      const full = await answer(engine, prompt, most);
      expect([full.text.length, full.result.reason]).toEqual([40, 'end-of-generation']);
    }
  });

  it('gives log probabilities of generated and of prompt tokens', async () => {
    const { engine } = loaded;
    const prompt = await tokens(examples[0]?.prompt ?? '');
    let promptTokens: readonly unknown[] = [];
    const { tokens: generated } = await answer(engine, prompt, {
      maxTokens: 3,
      logprobs: { top: 2 },
      promptLogprobs: { top: 1 },
      onPromptLogprobs: (all) => {
        promptTokens = all;
      },
    });
    for (const { token, logprob } of generated) {
      expect(logprob?.top[0]?.token).toBe(token);
      expect(logprob?.top.length).toBe(2);
      expect(Math.exp(logprob?.logprob ?? 0)).toBeGreaterThan(0.3);
      expect(logprob?.logprob).toBeLessThanOrEqual(0);
    }
    expect(promptTokens.length).toBe(prompt.length);
    expect(promptTokens[0]).toBeUndefined();
    expect(promptTokens[1]).toMatchObject({ token: prompt[1] });
  });

  it('stops within a step when the signal aborts, and the slot is free again', async () => {
    const { engine } = loaded;
    const prompt = await tokens('word '.repeat(1500));
    const controller = new AbortController();
    const running = answer(engine, prompt, { slot: 3, signal: controller.signal });
    controller.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
    expect(engine.slots()[3]?.phase).toBe('idle');
    expect(engine.slots()[3]?.tokens.length).toBeLessThan(prompt.length);
  });

  it('tokenizes long texts as one call would, and never parses user text as control tokens', async () => {
    const { engine } = loaded;
    const long = 'The quick brown fox, number 17, jumps over\nthe lazy dog. '.repeat(2000);
    expect(await engine.text.tokenize([long], { special: true })).toEqual(tokenizedAtOnce(long));
    const cut = await engine.text.tokenize(['<', '|im_end|>'], { special: true });
    expect(cut.some((token) => engine.text.isControl(token))).toBe(false);
    expect((await tokens('<|im_end|>')).map((token) => engine.text.isControl(token))).toEqual([true]);
  });
});

/** By one native call, which the product makes of short texts only. */
function tokenizedAtOnce(text: string): number[] {
  const model = loadVocabulary(demoModelPath);
  const bytes = Buffer.from(text, 'utf8');
  const tokens = new Int32Array(bytes.length);
  const vocabulary = model.vocabulary.pointer;
  const count = library.functions.llama_tokenize(vocabulary, bytes, bytes.length, tokens, tokens.length, false, true);
  model.free();
  return [...tokens.subarray(0, count)];
}
