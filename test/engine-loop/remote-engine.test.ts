import { describe, expect, it } from 'vitest';
import type { Directive, EngineRun, GeneratedToken } from '../../src/engine/engine.ts';
import type { StepMessage, ToLoop } from '../../src/engine/remote/protocol.ts';
import { RemoteEngine } from '../../src/engine/remote/remote-engine.ts';
import { recordedJob } from '../engine-contract/subject.ts';

/** The server's side alone: the test says what the loop would say. */
function createRemote() {
  const sent: ToLoop[] = [];
  const remote = new RemoteEngine({
    info: {
      ...{ slots: 2, contextSize: 16, batchSize: 8, vocabularySize: 100, device: 'none' },
      isEndOfGeneration: () => false,
    },
    text: { tokenize: async () => [], bytes: () => new Uint8Array(0), isControl: () => false },
    stats: {
      ...{ steps: 0, prefillTokens: 0, decodeTokens: 0, prefillRate: undefined, decodeRate: undefined },
      ...{ threads: { single: 1, batched: 1, prefill: 1 }, flashAttention: false },
    },
    moves: undefined,
    send: (message) => sent.push(message),
    interrupt: () => undefined,
    end: async () => undefined,
    onStep: undefined,
  });
  const step = (number: number, delivered: StepMessage['delivered'], more: Partial<StepMessage> = {}) => {
    sent.length = 0;
    remote.take({ type: 'step', step: number, ...(delivered && { delivered }), ...more });
    return [...sent];
  };
  return { remote, engine: remote.engine, sent, step };
}

const sampled = (...tokens: number[]): GeneratedToken[] => tokens.map((token) => ({ token, forced: false }));

/** A steered run that says these things, one to each token; `pause` pauses it besides. */
function steered(subject: ReturnType<typeof createRemote>, says: readonly (Directive | 'pause')[]): EngineRun {
  const run: EngineRun = subject.engine.run(
    recordedJob({
      slot: 0,
      prompt: [1, 2],
      steered: true,
      onToken: (_, count) => {
        const said = says[count - 1];
        if (said !== 'pause') return said;
        run.pause();
        return { type: 'grammar', grammar: 'off' };
      },
    }).job,
  );
  return run;
}

const off: Directive = { type: 'grammar', grammar: 'off' };

describe('the server side of an engine', () => {
  it.each<[string, readonly number[], string]>([
    ['nothing', [], 'A prompt has one token at least.'],
    ['more than the context takes', Array<number>(17).fill(1), 'A prompt of 17 tokens does not fit the context (16).'],
    ['a number beyond the vocabulary', [1, 100], '100 is no token of this model (0 to 99).'],
    ['a negative number', [-1], '-1 is no token'],
    ['half a token', [0.5], '0.5 is no token'],
    ['no number', [Number.NaN], 'NaN is no token'],
  ])('refuses a prompt of %s, and keeps its slot', (_, prompt, sentence) => {
    const { engine, sent } = createRemote();
    expect(() => engine.run(recordedJob({ slot: 0, prompt }).job)).toThrow(sentence);
    expect([sent, engine.slots()[0]?.phase]).toEqual([[], 'idle']);
    engine.run(recordedJob({ slot: 0, prompt: [99] }).job);
    expect(sent).toMatchObject([{ type: 'run' }]);
  });

  it('ends a run that forces what is no token', async () => {
    const subject = createRemote();
    const { done } = steered(subject, [{ type: 'force', tokens: [100] }]);
    expect(subject.step(1, [{ run: 1, tokens: sampled(5) }])).toEqual([
      { type: 'directives', step: 1, runs: [{ run: 1, directives: [{ type: 'stop' }] }] },
    ]);
    subject.step(2, undefined, {
      ended: [{ run: 1, result: { reason: 'stopped', outputTokens: 1, promptMs: 0, predictedMs: 0 } }],
    });
    await expect(done).rejects.toThrow('100 is no token of this model');
  });

  it('says all that was said to a step in which it was paused at once, later', () => {
    const subject = createRemote();
    const run = steered(subject, ['pause', { type: 'stop' }]);
    const tokens = [sampled(5), sampled(6)].map((each) => ({ run: 1, tokens: each }));
    expect(subject.step(1, tokens)).toEqual([
      { type: 'pause', run: 1 },
      { type: 'directives', step: 1, runs: [], held: [1] },
    ]);
    subject.sent.length = 0;
    run.resume();
    expect(subject.sent).toEqual([
      { type: 'resume', run: 1 },
      { type: 'late-directives', step: 1, said: { run: 1, directives: [off, { type: 'stop' }] } },
    ]);
  });

  it('says a stop at once, though it was paused before', () => {
    const subject = createRemote();
    const run: EngineRun = subject.engine.run(
      recordedJob({
        slot: 0,
        prompt: [1],
        onToken: () => {
          run.pause();
          return { type: 'stop' };
        },
      }).job,
    );
    const twice = [sampled(5), sampled(6)].map((tokens) => ({ run: 1, tokens }));
    expect(subject.step(1, twice)).toEqual([
      { type: 'pause', run: 1 },
      { type: 'directives', step: 1, runs: [{ run: 1, directives: [{ type: 'stop' }] }] },
    ]);
  });
});
