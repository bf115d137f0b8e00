import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GeneratedToken } from '../../src/engine/engine.ts';
import { greedy } from '../engine-contract/subject.ts';
import { DrivenLoop } from '../support/driven-loop.ts';
import { Random } from '../support/random.ts';

const numbers = (tokens: readonly GeneratedToken[]) => tokens.map(({ token }) => token);

describe('the step loop on the demo model', () => {
  let loop: DrivenLoop;
  let prompt: Int32Array;
  let expected: readonly number[];
  let next = 1;
  beforeAll(() => {
    loop = new DrivenLoop();
    prompt = Int32Array.from(loop.tokens('The quick brown fox jumps over the lazy dog and '.repeat(12)));
    loop.run(0, { prompt });
    loop.finish();
    expected = numbers(loop.tokensOf(0));
  });
  afterAll(() => loop.free());

  it('reads a prompt in pieces and gives one token a step', () => {
    const run = next++;
    loop.news();
    loop.run(run, { prompt });
    const pieces: number[] = [];
    while (loop.tokensOf(run).length === 0) {
      loop.step();
      pieces.push(...loop.news().flatMap(({ slots = [] }) => slots.map(({ held }) => held)));
    }
    expect(pieces).toEqual([0, 64, 128, 192, 256, prompt.length]);
    loop.step();
    expect(loop.news()).toMatchObject([{ delivered: [{ run, tokens: [{ token: expected[1] }] }] }]);
    loop.finish();
    expect([numbers(loop.tokensOf(run)), loop.reasonOf(run)]).toEqual([expected, 'length']);
  });

  it('is not ahead of a silent request by more than four deliveries', () => {
    const run = next++;
    loop.run(run, { prompt, maxTokens: 50 });
    while (loop.step());
    expect(loop.tokensOf(run)).toHaveLength(4);
    loop.finish();
    expect(loop.tokensOf(run)).toHaveLength(50);
  });

  it('ends a run at the answer that says so, and hears no more of it', () => {
    const run = next++;
    loop.run(run, { prompt, maxTokens: 50 });
    while (loop.step());
    const [first, second] = loop.news().filter(({ delivered }) => delivered);
    loop.answer(first?.step ?? 0, run, [{ type: 'stop' }]);
    loop.answer(second?.step ?? 0, run, [{ type: 'stop' }]);
    loop.answer(9999, run, [{ type: 'stop' }]);
    expect(loop.step()).toBe(false);
    expect(loop.reasonOf(run)).toBe('stopped');
  });

  it('draws a token of a steered run once, whenever the answer to its last one comes', () => {
    const random = new Random(20_261_130);
    for (let round = 0; round < 40; round++) {
      const run = next++;
      loop.run(run, { prompt, reuse: prompt.length, maxTokens: 12, steered: true });
      const open: number[] = [];
      const hear = () => {
        for (const { step, delivered } of loop.news()) if (delivered) open.push(step);
      };
      const answerSome = () => {
        hear();
        if (random.between(0, 2) === 0) for (const step of open.splice(0)) loop.answer(step, run);
      };
      loop.onWait = answerSome;
      for (let steps = 0; loop.reasonOf(run) === undefined && steps < 500; steps++) {
        answerSome();
        loop.step();
        hear();
      }
      expect(numbers(loop.tokensOf(run)).slice(0, expected.length)).toEqual(expected);
      expect(loop.tokensOf(run)).toHaveLength(12);
    }
  });

  it('obeys at exactly the token that an answer is to, however late it comes', () => {
    for (const late of [false, true]) {
      const run = next++;
      loop.news();
      const forced = loop.tokens(' one two three');
      let delivered = 0;
      const answerAll = () => {
        for (const message of loop.news()) {
          if (!message.delivered) continue;
          delivered++;
          loop.answer(message.step, run, delivered === 3 ? [{ type: 'force', tokens: forced }] : []);
        }
      };
      loop.onWait = late ? () => undefined : answerAll;
      loop.run(run, { prompt, maxTokens: 12, steered: true });
      while (loop.reasonOf(run) === undefined) {
        loop.step();
        if (late) answerAll();
      }
      const tokens = loop.tokensOf(run);
      expect(numbers(tokens).slice(0, 3)).toEqual(expected.slice(0, 3));
      expect(tokens.slice(3, 3 + forced.length)).toEqual(forced.map((token) => ({ token, forced: true })));
      expect(tokens).toHaveLength(12);
    }
  });

  it('gives neighbours what they get alone, whatever they want to know', () => {
    const jobs = [
      { logprobs: { top: 3 } },
      { promptLogprobs: { top: 2 }, logprobs: { top: 0 } },
      { promptLogprobs: { top: 0 } },
    ];
    const prompts = jobs.map((_, slot) => prompt.slice(slot * 3));
    const told = (run: number) => ({
      tokens: numbers(loop.tokensOf(run)),
      prompt: loop.said.flatMap((message) =>
        message.type === 'step'
          ? (message.promptLogprobs ?? []).flatMap((each) =>
              each.run === run ? each.tokens.map((one) => one?.token) : [],
            )
          : [],
      ),
    });
    const start = (slot: number) => {
      const run = next++;
      loop.run(run, { slot, prompt: prompts[slot] ?? prompt, ...jobs[slot] });
      return run;
    };
    const alone = jobs.map((_, slot) => {
      const run = start(slot);
      loop.finish();
      return told(run);
    });
    const runs = jobs.map((_, slot) => start(slot));
    loop.finish();
    expect(runs.map(told)).toEqual(alone);
    expect(alone[1]?.prompt).toEqual([undefined, ...(prompts[1]?.slice(1) ?? [])]);
  });

  it('evaluates again what was broken off', () => {
    for (const breaks of [1, 3, 6]) {
      const run = next++;
      loop.run(run, { prompt });
      for (let step = 1; step < breaks; step++) loop.step();
      loop.news();
      loop.interrupt.raise();
      expect(loop.step()).toBe(true);
      const told = loop.news();
      expect(told.flatMap(({ delivered = [], reports = [] }) => [...delivered, ...reports])).toEqual([]);
      loop.interrupt.clear();
      loop.finish();
      expect([breaks, numbers(loop.tokensOf(run)), loop.reasonOf(run)]).toEqual([breaks, expected, 'length']);
    }
  });

  it('keeps a failing run to itself', () => {
    const [healthy, broken, crowded, lost, after] = [next++, next++, next++, next++, next++];
    loop.run(healthy, { prompt });
    loop.run(broken, { slot: 1, prompt, grammar: 'root ::= (', grammarActive: true });
    loop.run(crowded, { slot: 0, prompt });
    loop.run(lost, { slot: 9, prompt });
    loop.run(after, { slot: 1, prompt });
    loop.finish();
    expect([broken, crowded, lost].map((run) => loop.endOf(run))).toMatchObject([
      { error: { code: 'engine_failure', message: 'The grammar could not be read.' } },
      { error: { code: 'internal', message: 'Slot 0 is in use.' } },
      { error: { code: 'internal', message: 'There is no slot 9.' } },
    ]);
    for (const run of [healthy, after]) expect(numbers(loop.tokensOf(run))).toEqual(expected);
  });

  it('ends a run whose grammar leaves nothing but the end', () => {
    const job = { prompt, grammar: 'root ::= "abc"', grammarActive: true, ignoreEos: false, maxTokens: 20 };
    const [run, barred] = [next++, next++];
    loop.run(run, job);
    // After its text only the end is left: it comes, though it was not to come yet.
    loop.run(barred, { ...job, slot: 1, sampling: { ...greedy, minTokens: 15 } });
    loop.finish();
    expect([loop.reasonOf(run), text(run)]).toEqual(['end-of-generation', 'abc']);
    expect([loop.reasonOf(barred), text(barred)]).toEqual(['end-of-generation', 'abc']);
  });

  it('lets no answer end before its least tokens', () => {
    const run = next++;
    const sampling = { ...greedy, minTokens: 5 };
    const grammar = 'root ::= "a"*';
    loop.run(run, { prompt, sampling, grammar, grammarActive: true, ignoreEos: false, maxTokens: 50 });
    loop.finish();
    expect(loop.tokensOf(run).length).toBeGreaterThanOrEqual(5);
    expect(text(run)).toMatch(/^a{5,}$/);
  });

  it('frees the slot of a run that is given up, and knows nothing of others', () => {
    const run = next++;
    loop.run(run, { prompt, maxTokens: 100 });
    loop.step();
    loop.abort(run);
    loop.abort(run);
    loop.abort(12345);
    expect(loop.step()).toBe(false);
    expect(loop.endOf(run)).toMatchObject({ error: { code: 'cancelled' } });
    const again = next++;
    loop.run(again, { prompt, reuse: prompt.length });
    loop.finish();
    expect(numbers(loop.tokensOf(again))).toEqual(expected);
  });

  function text(run: number): string {
    return Buffer.concat(numbers(loop.tokensOf(run)).map((token) => loop.model.vocabulary.bytes(token))).toString();
  }
});

describe('a loop of odd sizes', () => {
  it.each([
    { batchSize: 1, slots: 1 },
    { batchSize: 1, slots: 3 },
    { batchSize: 3, slots: 3 },
    { batchSize: 64, microBatchSize: 7, slots: 3 },
    { batchSize: 4, slots: 3, speculation: 'lookup' as const },
    { batchSize: 512, slots: 3, speculation: 'lookup' as const },
  ])('serves everybody whatever they want to know: %j', (sizes) => {
    const loop = new DrivenLoop(sizes);
    const prompt = Int32Array.from(loop.tokens('one two three one two three one two three one two three. '.repeat(4)));
    for (let slot = 0; slot < sizes.slots; slot++)
      loop.run(slot, { slot, prompt, promptLogprobs: { top: 1 }, logprobs: { top: 1 }, maxTokens: 20 });
    loop.finish();
    const all = Array.from({ length: sizes.slots }, (_, run) => [loop.tokensOf(run).length, loop.reasonOf(run)]);
    loop.free();
    expect(all).toEqual(Array(sizes.slots).fill([20, 'length']));
  });

  it('draws the same where guesses are broken off', () => {
    const loop = new DrivenLoop({ speculation: 'lookup' });
    const prompt = Int32Array.from(loop.tokens('one two three one two three one two three one two three. '.repeat(4)));
    loop.run(0, { prompt, maxTokens: 40 });
    loop.finish();
    loop.run(1, { slot: 1, prompt, maxTokens: 40 });
    for (let steps = 0; loop.reasonOf(1) === undefined && steps < 200; steps++) {
      if (steps % 2 === 1) loop.interrupt.raise();
      loop.step();
      loop.interrupt.clear();
      for (const { step, delivered } of loop.news()) if (delivered) loop.answer(step, 1);
    }
    const [whole, broken] = [0, 1].map((run) => numbers(loop.tokensOf(run)));
    loop.free();
    expect(broken).toEqual(whole);
  });
});
