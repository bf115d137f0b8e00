import { getEventListeners } from 'node:events';
import { expect } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { complete, promptOf, recordedJob, within } from './subject.ts';
import type { ContractCases } from './suite.ts';

/** From `run` to `done`. */
export const runCases = {
  'gives every generated token once and ends with length at maxTokens': async ({ engine }) => {
    const result = await complete(engine, { slot: 0, prompt: await promptOf(engine, 20), maxTokens: 5 });
    expect(result).toMatchObject({ reason: 'length', outputTokens: 5, cachedTokens: 0 });
    expect(result.given.map(({ forced }) => forced)).toEqual([false, false, false, false, false]);
  },

  'shows from the start of a run on what it reuses of its slot and nothing else that was there': async ({ engine }) => {
    const prompt = await promptOf(engine, 40);
    await complete(engine, { slot: 0, prompt, maxTokens: 4 });
    for (const reuse of [10, 0]) {
      const run = engine.run(recordedJob({ slot: 0, prompt, reuse, maxTokens: 1 }).job);
      expect(run.cachedTokens).toBeLessThanOrEqual(reuse);
      expect(engine.slots()[0]?.tokens).toEqual(prompt.slice(0, run.cachedTokens));
      await within(run.done, 'the run');
    }
  },

  'evaluates the prompt alone when maxTokens is 0': async ({ engine }) => {
    const prompt = await promptOf(engine, 20);
    const result = await complete(engine, { slot: 0, prompt, maxTokens: 0 });
    expect(result).toMatchObject({ reason: 'length', outputTokens: 0, tokens: [] });
    expect(engine.slots()[0]?.tokens.slice(0, 19)).toEqual(prompt.slice(0, 19));
  },

  'ends by itself and keeps the end-of-generation token to itself': async ({ engine, endingPrompt }) => {
    const result = await complete(engine, { slot: 0, prompt: endingPrompt, maxTokens: 200, ignoreEos: false });
    expect(result.reason).toBe('end-of-generation');
    expect(result.tokens.filter((token) => engine.info.isEndOfGeneration(token))).toEqual([]);
    expect(result.outputTokens).toBe(result.tokens.length);
  },

  'ends with length before the context overflows': async ({ engine }) => {
    const { contextSize } = engine.info;
    const prompt = await promptOf(engine, contextSize - 6);
    const result = await complete(engine, { slot: 0, prompt, maxTokens: 1_000_000 });
    expect(result.reason).toBe('length');
    expect(result.tokens.length).toBe(result.outputTokens);
    expect(result.outputTokens).toBeGreaterThanOrEqual(5);
    expect(result.outputTokens).toBeLessThanOrEqual(6);
    expect(engine.slots()[0]?.tokens.slice(0, prompt.length)).toEqual(prompt);
  },

  'gives the same greedy tokens beside neighbours as alone': async ({ engine }) => {
    const prompts = await Promise.all(
      ['ape', 'bear', 'cat'].map((seed, slot) => promptOf(engine, 20 + slot * 9, seed)),
    );
    const jobs = prompts.map((prompt, slot) => ({ slot, prompt, maxTokens: 10 }));
    const alone: number[][] = [];
    for (const job of jobs) alone.push((await complete(engine, job)).tokens);
    const together = await Promise.all(jobs.map((job) => complete(engine, job)));
    expect(together.map(({ tokens }) => tokens)).toEqual(alone);
    expect(alone.map(({ length }) => length)).toEqual([10, 10, 10]);
  },

  'decodes running sequences in lockstep': async ({ engine }) => {
    const order: number[] = [];
    const prompt = await promptOf(engine, 20);
    const job = (slot: number) =>
      complete(engine, {
        slot,
        prompt,
        // Enough that those who come first are not done before the others begin.
        maxTokens: 80,
        onToken: () => {
          order.push(slot);
          return undefined;
        },
      });
    const slots = [0, 1, 2];
    await Promise.all(slots.map(job));
    // While all three are decoding, nobody gets a second token before everybody had one.
    const begun = Math.max(...slots.map((slot) => order.indexOf(slot)));
    const over = Math.min(...slots.map((slot) => order.lastIndexOf(slot)));
    const together = order.slice(begun + 1, over);
    expect(together.length).toBeGreaterThan(24);
    const counts = [0, 0, 0];
    for (const slot of together) {
      counts[slot] = (counts[slot] ?? 0) + 1;
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  },

  'refuses prompts that it cannot evaluate, and serves the next one': async ({ engine }) => {
    const prompt = await promptOf(engine, 20);
    const tooLong = Array.from({ length: engine.info.contextSize + 1 }, () => prompt[0] ?? 0);
    for (const wrong of [[], tooLong]) expect(() => engine.run(recordedJob({ slot: 0, prompt: wrong }).job)).toThrow();
    expect(await complete(engine, { slot: 0, prompt })).toMatchObject({ reason: 'length' });
  },

  'rejects with the reason of a signal that is already aborted': async ({ engine }) => {
    const reason = new ServeError('client_closed', 'The client left.');
    const { job, recording } = recordedJob({
      slot: 0,
      prompt: await promptOf(engine, 20),
      signal: AbortSignal.abort(reason),
    });
    await expect(within(engine.run(job).done, 'aborted run')).rejects.toBe(reason);
    expect(recording.tokens).toEqual([]);
    expect(engine.slots()[0]?.phase).toBe('idle');
  },

  'stops within the prompt when aborted between its pieces': async ({ engine }) => {
    const prompt = await promptOf(engine, 400, 'abort');
    const controller = new AbortController();
    const { job, recording } = recordedJob({ slot: 0, prompt, signal: controller.signal });
    const run = engine.run(job);
    await within(engine.whenHeld(0, 1, new AbortController().signal), 'first piece of the prompt');
    const reason = new ServeError('client_closed', 'The client left.');
    controller.abort(reason);
    await expect(within(run.done, 'aborted prefill')).rejects.toBe(reason);
    const slot = engine.slots()[0];
    expect(slot?.phase).toBe('idle');
    expect(slot?.tokens.length).toBeLessThan(400);
    expect(slot?.tokens).toEqual(prompt.slice(0, slot?.tokens.length));
    expect(recording.tokens).toEqual([]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  },

  'gives no token after an abort between tokens': async ({ engine }) => {
    const controller = new AbortController();
    const reason = new ServeError('client_closed', 'The client left.');
    const { job, recording } = recordedJob({
      slot: 0,
      prompt: await promptOf(engine, 20),
      maxTokens: 100,
      signal: controller.signal,
      onToken: (_, count) => {
        if (count === 3) controller.abort(reason);
        return undefined;
      },
    });
    await expect(within(engine.run(job).done, 'aborted decode')).rejects.toBe(reason);
    expect(recording.tokens.length).toBe(3);
    expect(engine.slots()[0]?.phase).toBe('idle');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  },

  'leaves no abort listener behind a run that ended': async ({ engine }) => {
    const controller = new AbortController();
    const { job } = recordedJob({ slot: 0, prompt: await promptOf(engine, 20), signal: controller.signal });
    await within(engine.run(job).done, 'the run');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  },

  'ends at a stop directive and shows nothing of what is in flight': async ({ engine }) => {
    const result = await complete(engine, {
      slot: 0,
      prompt: await promptOf(engine, 20),
      maxTokens: 100,
      onToken: (_, count) => (count === 4 ? { type: 'stop' } : undefined),
    });
    expect(result).toMatchObject({ reason: 'stopped', outputTokens: 4 });
    expect(result.tokens.length).toBe(4);
  },

  'puts forced tokens in the place of sampled ones': async ({ engine }) => {
    const tokens = (await promptOf(engine, 3, 'forced')).slice(0, 3);
    const result = await complete(engine, {
      slot: 0,
      prompt: await promptOf(engine, 20),
      maxTokens: 8,
      steered: true,
      onToken: (_, count) => (count === 2 ? { type: 'force', tokens } : undefined),
    });
    expect(result.tokens.slice(2, 5)).toEqual(tokens);
    expect(result.given.map(({ forced }) => forced)).toEqual([false, false, true, true, true, false, false, false]);
    expect(result).toMatchObject({ reason: 'length', outputTokens: 8 });
  },

  'fails a run that is steered without having said so, and no other': async ({ engine }) => {
    const prompt = await promptOf(engine, 20);
    const { job } = recordedJob({
      slot: 0,
      prompt,
      onToken: (_, count) => (count === 2 ? { type: 'force', tokens: prompt.slice(0, 1) } : undefined),
    });
    const neighbour = complete(engine, { slot: 1, prompt });
    await expect(within(engine.run(job).done, 'unsteered run')).rejects.toThrow('force');
    expect(await neighbour).toMatchObject({ reason: 'length', outputTokens: 8 });
    expect(await complete(engine, { slot: 0, prompt })).toMatchObject({ reason: 'length', outputTokens: 8 });
  },

  'lets a paused run wait while its neighbours go on, and resumes it': async ({ engine }) => {
    const prompt = await promptOf(engine, 20);
    const paused = recordedJob({
      slot: 0,
      prompt,
      maxTokens: 30,
      onToken: (_, count) => {
        if (count === 2) run.pause();
        return undefined;
      },
    });
    const run = engine.run(paused.job);
    await complete(engine, { slot: 1, prompt, maxTokens: 30 });
    // One token may have been in flight when the pause came.
    expect(paused.recording.tokens.length).toBeGreaterThanOrEqual(2);
    expect(paused.recording.tokens.length).toBeLessThanOrEqual(3);
    run.resume();
    expect(await within(run.done, 'resumed run')).toMatchObject({ reason: 'length', outputTokens: 30 });
    expect(paused.recording.tokens.length).toBe(30);
  },

  'lets a paused run be aborted': async ({ engine }) => {
    const controller = new AbortController();
    const reason = new ServeError('client_closed', 'The client left.');
    const { job } = recordedJob({
      slot: 0,
      prompt: await promptOf(engine, 20),
      maxTokens: 30,
      signal: controller.signal,
      onToken: (_, count) => {
        if (count === 2) run.pause();
        return undefined;
      },
    });
    const run = engine.run(job);
    await complete(engine, { slot: 1, prompt: await promptOf(engine, 20), maxTokens: 10 });
    controller.abort(reason);
    await expect(within(run.done, 'aborted pause')).rejects.toBe(reason);
  },

  'tells the log probability of each token when asked': async ({ engine }) => {
    const result = await complete(engine, {
      slot: 0,
      prompt: await promptOf(engine, 20),
      maxTokens: 3,
      logprobs: { top: 2 },
    });
    for (const { token, logprob } of result.given) {
      expect(logprob?.token).toBe(token);
      expect(logprob?.logprob).toBeLessThanOrEqual(0);
      expect(logprob?.top.length).toBe(2);
      expect(logprob?.bytes).toEqual([...engine.text.bytes(token)]);
    }
    expect(result.given.length).toBe(3);
  },

  'tells the log probabilities of the prompt before the first token': async ({ engine }) => {
    const prompt = await promptOf(engine, 40);
    const seen: (string | number)[] = [];
    await complete(engine, {
      slot: 0,
      prompt,
      maxTokens: 1,
      promptLogprobs: { top: 1 },
      onPromptLogprobs: (tokens) => seen.push(...tokens.map((each) => each?.token ?? 'none')),
      onToken: () => {
        seen.push('token');
        return undefined;
      },
    });
    expect(seen).toEqual(['none', ...prompt.slice(1), 'token']);
  },

  'holds a grammar inactive until a directive switches it on': async ({ engine }) => {
    const grammar = 'root ::= "abc"';
    const prompt = await promptOf(engine, 20);
    const at = async (options: { grammarActive: boolean }, count: number) =>
      complete(engine, {
        slot: 0,
        prompt,
        grammar,
        ...options,
        maxTokens: 40,
        ignoreEos: false,
        steered: true,
        onToken: (_, seen) => (seen === count ? { type: 'grammar', grammar: 'own' } : undefined),
      });
    const whole = await at({ grammarActive: true }, -1);
    expect(Buffer.concat(whole.tokens.map((token) => engine.text.bytes(token))).toString()).toBe('abc');
    const late = await at({ grammarActive: false }, 1);
    expect(Buffer.concat(late.tokens.slice(1).map((token) => engine.text.bytes(token))).toString()).toBe('abc');
  },
} satisfies ContractCases;
