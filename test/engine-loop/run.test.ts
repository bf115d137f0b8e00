import { describe, expect, it } from 'vitest';
import type { GeneratedToken } from '../../src/engine/engine.ts';
import { LoopRun } from '../../src/engine/loop/run.ts';
import type { WireJob } from '../../src/engine/remote/protocol.ts';
import { greedy } from '../engine-contract/subject.ts';
import { recordedSampling } from './support.ts';

const job: WireJob = {
  slot: 0,
  prompt: Int32Array.of(10, 11, 12, 13, 14, 15),
  reuse: 0,
  sampling: greedy,
  maxTokens: 5,
  ignoreEos: false,
  grammar: 'root ::= "own"',
};

interface Changes {
  readonly job?: Partial<WireJob>;
  readonly cachedTokens?: number;
  readonly stops?: readonly number[];
}

function begun({ job: changes = {}, cachedTokens = 2, stops = [] }: Changes = {}) {
  let now = 100;
  const sampling = recordedSampling();
  const run = new LoopRun(
    7,
    { ...job, ...changes },
    { cachedTokens, stops, held: () => cachedTokens + run.position },
    sampling,
    () => now,
  );
  /** As the loop does it behind a decode. */
  const evaluate = (tokens: number) => {
    run.position += tokens;
  };
  return { run, calls: sampling.calls, evaluate, at: (time: number) => (now = time) };
}

const sampled = (...tokens: number[]): GeneratedToken[] => tokens.map((token) => ({ token, forced: false }));

describe('a run that reads its prompt', () => {
  it('begins behind what the slot holds', () => {
    const { run } = begun();
    expect([run.input, run.waiting, run.nextPiece, run.prefilling]).toEqual([[12, 13, 14, 15], 4, 4, true]);
  });

  it('ends a piece at each place of a checkpoint', () => {
    const { run, evaluate } = begun({ stops: [2, 3, 5] });
    const pieces: unknown[] = [];
    while (run.waiting > 0) {
      pieces.push([run.nextPiece, run.atStop]);
      evaluate(run.nextPiece);
    }
    // What is held already is behind the first one.
    expect(pieces).toEqual([
      [1, true],
      [2, true],
      [1, true],
    ]);
    expect(run.atStop).toBe(false);
  });

  it('takes no part in steps while it is paused', () => {
    const { run } = begun();
    run.paused = true;
    expect(run.nextPiece).toBe(0);
    run.paused = false;
    expect(run.nextPiece).toBe(4);
  });

  it('keeps room for the log probability of the first token, which has none', () => {
    expect(begun().run.promptLogprobs).toBeUndefined();
    expect(begun({ job: { promptLogprobs: { top: 1 } } }).run.promptLogprobs).toEqual([undefined]);
  });
});

describe('a run that generates', () => {
  it('evaluates its last token next, with guesses behind it', () => {
    const { run, evaluate } = begun();
    evaluate(4);
    run.generated(sampled(20));
    expect([run.input, run.waiting, run.prefilling, run.outputTokens]).toEqual([[20], 1, false, 1]);
    evaluate(1);
    run.generated(sampled(21, 22), [30, 31]);
    expect([run.input, run.guessed, run.outputTokens]).toEqual([[22, 30, 31], [30, 31], 3]);
  });

  it('gives up the guesses that do not fit', () => {
    const { run } = begun();
    run.generated(sampled(20), [30, 31, 32]);
    run.dropGuessesAfter(2);
    expect([run.input, run.guessed]).toEqual([[20, 30], [30]]);
    run.dropGuessesAfter(1);
    expect([run.input, run.guessed]).toEqual([[20], []]);
    const prompt = begun().run;
    prompt.dropGuessesAfter(1);
    expect(prompt.input).toHaveLength(4);
  });

  it('is full at its budget', () => {
    const { run } = begun({ job: { maxTokens: 2 } });
    run.generated(sampled(20));
    expect(run.full).toBe(false);
    run.generated(sampled(21));
    expect(run.full).toBe(true);
  });

  it('is at most four deliveries ahead of its request', () => {
    const { run } = begun();
    for (let count = 0; count < 4; count++) {
      expect(run.nextPiece).toBeGreaterThan(0);
      run.generated(sampled(20));
      run.delivered();
      expect(run.maySample).toBe(true);
    }
    expect(run.nextPiece).toBe(0);
    expect(run.answered([])).toBe(false);
    expect(run.nextPiece).toBe(1);
  });

  it('measures to its first token and from there to its last', () => {
    const { run, at } = begun();
    at(130);
    run.generated(sampled(20));
    at(145);
    run.generated(sampled(21));
    at(200);
    expect(run.result('stopped')).toEqual({ reason: 'stopped', outputTokens: 2, promptMs: 30, predictedMs: 15 });
  });

  it('measures a run without a token to its end', () => {
    const { run, at } = begun();
    at(160);
    run.generated([]);
    expect(run.result('length')).toEqual({ reason: 'length', outputTokens: 0, promptMs: 60, predictedMs: 0 });
    expect(run.prefilling).toBe(true);
  });
});

describe('what its request says', () => {
  it('ends it, or not', () => {
    const { run } = begun();
    run.delivered();
    run.delivered();
    expect(run.answered([{ type: 'continue' }])).toBe(false);
    expect(run.answered([{ type: 'stop' }, { type: 'grammar', grammar: 'own' }])).toBe(true);
  });

  it('switches grammars', () => {
    const { run, calls } = begun();
    for (const grammar of ['own', 'off', 'root ::= "other"']) run.answered([{ type: 'grammar', grammar }]);
    expect(calls).toEqual([
      ['setGrammar', 'root ::= "own"'],
      ['setGrammar', undefined],
      ['setGrammar', 'root ::= "other"'],
    ]);
  });

  it('forces tokens, once, within the budget, and the samplers know them', () => {
    const { run, calls } = begun({ job: { maxTokens: 3 } });
    run.generated(sampled(20));
    run.answered([{ type: 'force', tokens: [40, 41, 42] }]);
    const forced = run.takeForced();
    expect(forced).toEqual([
      { token: 40, forced: true },
      { token: 41, forced: true },
    ]);
    expect(calls).toEqual([
      ['accept', 40],
      ['accept', 41],
    ]);
    expect(run.takeForced()).toEqual([]);
    run.generated(forced);
    expect([run.input, run.full]).toEqual([[40, 41], true]);
  });

  it('is awaited by a steered run before it samples, with its logits kept', () => {
    const { run } = begun({ job: { steered: true } });
    expect(run.maySample).toBe(true);
    run.generated(sampled(20));
    run.delivered();
    expect(run.maySample).toBe(false);
    const logits = Float32Array.of(1, 2);
    run.holdBack(logits);
    logits.fill(0);
    expect([run.nextPiece, run.takeHeldBack()]).toEqual([0, undefined]);
    run.answered([]);
    expect(run.takeHeldBack()).toEqual(Float32Array.of(1, 2));
    expect([run.takeHeldBack(), run.nextPiece]).toEqual([undefined, 1]);
  });
});

describe('a run whose decode was broken off', () => {
  it('evaluates the same piece again where its slot is as it was', () => {
    const { run, evaluate } = begun({ stops: [4, 5] });
    evaluate(2);
    run.rewind([10, 11, 12, 13], 4);
    expect([run.input, run.waiting, run.nextPiece]).toEqual([[14, 15], 2, 1]);
    evaluate(1);
    expect([run.atStop, run.nextPiece]).toEqual([true, 1]);
  });

  it('evaluates everything again where its slot is empty', () => {
    const { run, evaluate } = begun({ stops: [4] });
    evaluate(2);
    run.rewind([10, 11, 12, 13], 0);
    expect([run.input, run.nextPiece]).toEqual([[10, 11, 12, 13, 14, 15], 4]);
  });

  it('takes no guess for a token that came', () => {
    const { run, evaluate } = begun();
    evaluate(4);
    run.generated(sampled(20), [30, 31]);
    run.rewind([10, 11, 12, 13, 14, 15], 6);
    expect([run.input, run.guessed, run.prefilling]).toEqual([[20], [], false]);
    run.generated(sampled(21), [30]);
    run.rewind([10, 11, 12, 13, 14, 15, 20], 0);
    expect(run.input).toEqual([10, 11, 12, 13, 14, 15, 20, 21]);
  });

  it('reads again all that is certain, whether its guesses were evaluated or not', () => {
    const { run, evaluate } = begun();
    evaluate(4);
    run.generated(sampled(20), [21, 22]);
    run.readAgain([10, 11, 12, 13, 14, 15]);
    expect(run.input).toEqual([10, 11, 12, 13, 14, 15, 20]);
    evaluate(7);
    run.generated(sampled(21), [22, 23]);
    evaluate(3);
    run.readAgain([10, 11, 12, 13, 14, 15, 20, 21, 22, 23]);
    expect(run.input).toEqual([10, 11, 12, 13, 14, 15, 20, 21]);
  });
});
