import { beforeEach, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { mediaIds } from '../../src/engine/media-ids.ts';
import { noNumber, ScriptedLoop } from './scripted-loop.ts';

const long = Int32Array.from({ length: 20 }, (_, index) => index + 1);

describe('the step loop', () => {
  let loop: ScriptedLoop;
  beforeEach(() => {
    loop = new ScriptedLoop();
  });

  it('reads a prompt, then evaluates each token that it drew, but not the last of the budget', () => {
    loop.run(7);
    loop.finish();
    expect(loop.machine.decoded).toEqual(['0: 1 2 3', '0: 4', '0: 5', '0: 6']);
    expect([loop.numbersOf(7), loop.reasonOf(7)]).toEqual([[4, 5, 6, 7], 'length']);
    expect(loop.slots[0]?.tokens).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('ends with the model, whose end is no token of the answer', () => {
    loop.run(7, { prompt: Int32Array.of(88), maxTokens: 20 });
    loop.finish();
    expect([loop.numbersOf(7), loop.reasonOf(7)]).toEqual([[89, 90], 'end-of-generation']);
  });

  it('leaves what was read of a prompt that is given up, and the next one goes on behind it', () => {
    loop.run(7, { prompt: long });
    loop.step();
    loop.loop.abort(7);
    expect(loop.step()).toBe(false);
    expect(loop.endOf(7)).toMatchObject({ error: { code: 'cancelled' } });
    expect(loop.slots[0]).toMatchObject({ run: undefined, tokens: [...long.slice(0, 8)] });
    loop.run(8, { prompt: long, reuse: 8 });
    loop.finish();
    expect(loop.machine.decoded.slice(1, 3)).toEqual(['0: 9 10 11 12 13 14 15 16', '0: 17 18 19 20']);
    expect(loop.numbersOf(8)).toEqual([21, 22, 23, 24]);
  });

  it('throws away what it drew before it heard of a stop, and frees the slot', () => {
    loop.run(7, { maxTokens: 50 });
    for (const _ of [1, 2, 3]) loop.step();
    const [first] = loop.news().filter(({ delivered }) => delivered);
    loop.loop.answered(first?.step ?? 0, [{ run: 7, directives: [{ type: 'stop' }] }]);
    expect(loop.step()).toBe(false);
    expect(loop.reasonOf(7)).toBe('stopped');
    expect(loop.slots[0]?.run).toBeUndefined();
    expect(loop.machine.decoded).toHaveLength(3);
  });

  it('says what is forced next, counts it, and goes on from there', () => {
    loop.run(7, { maxTokens: 6, steered: true });
    let told = 0;
    const answer = () =>
      loop.answer(() => (++told === 2 ? [{ type: 'force', tokens: [40, 41] }] : [{ type: 'continue' }]));
    loop.onWait = answer;
    for (let steps = 0; loop.reasonOf(7) === undefined && steps < 20; steps++) loop.step();
    expect(loop.tokensOf(7)).toEqual(
      [4, 5, 40, 41, 42, 43].map((token) => ({ token, forced: token === 40 || token === 41 })),
    );
    expect(loop.machine.decoded).toEqual(['0: 1 2 3', '0: 4', '0: 5', '0: 40 41', '0: 42']);
  });

  it('keeps the logits of a steered run that has not heard its answer, while others go on', () => {
    loop.run(7, { maxTokens: 3, steered: true });
    loop.run(8, { slot: 1, prompt: Int32Array.of(50), maxTokens: 4 });
    for (const _ of [1, 2, 3]) loop.step();
    expect([loop.numbersOf(7), loop.numbersOf(8)]).toEqual([[4], [51, 52, 53]]);
    expect(loop.slots[0]?.run).toMatchObject({ state: { kind: 'held-back' }, awaits: 'answer' });
    loop.finish();
    expect([loop.numbersOf(7), loop.numbersOf(8)]).toEqual([
      [4, 5, 6],
      [51, 52, 53, 54],
    ]);
    expect(loop.machine.decoded.filter((step) => step.includes('0: 4'))).toHaveLength(1);
  });

  it('leaves a run that pauses where it is', () => {
    loop.run(7);
    loop.run(8, { slot: 1, prompt: Int32Array.of(50) });
    loop.step();
    loop.loop.pause(7);
    loop.finish();
    expect([loop.numbersOf(7), loop.reasonOf(7)]).toEqual([[4], undefined]);
    expect(loop.slots[0]?.run).toMatchObject({ state: { kind: 'decoding' }, awaits: 'resume' });
    expect(loop.reasonOf(8)).toBe('length');
    loop.loop.resume(7);
    loop.finish();
    expect(loop.numbersOf(7)).toEqual([4, 5, 6, 7]);
  });

  it('evaluates again what was broken off, and tells nothing twice', () => {
    loop.run(7);
    loop.run(8, { slot: 1, prompt: Int32Array.of(50) });
    loop.machine.outcomes.push('done', 'interrupted');
    loop.finish();
    expect(loop.machine.decoded).toEqual(['0: 1 2 3, 1: 50', '0: 4, 1: 51', '0: 5, 1: 52', '0: 6, 1: 53']);
    expect([loop.numbersOf(7), loop.numbersOf(8)]).toEqual([
      [4, 5, 6, 7],
      [51, 52, 53, 54],
    ]);
  });

  it('lets nobody decode who was given up in a decode that was broken off', () => {
    loop.run(7);
    loop.step();
    loop.machine.outcomes.push('interrupted');
    loop.machine.during = () => loop.loop.abort(7);
    loop.step();
    expect(loop.step()).toBe(false);
    expect(loop.endOf(7)).toMatchObject({ error: { code: 'cancelled' } });
  });

  it('ends every run with what made a decode fail', () => {
    loop.run(7);
    loop.run(8, { slot: 1 });
    loop.machine.outcomes.push(new Error('llama_decode gave -3'));
    expect(() => loop.step()).toThrow('llama_decode gave -3');
    loop.loop.failAll(new ServeError('engine_failure', 'The model failed while generating.'));
    for (const run of [7, 8]) expect(loop.endOf(run)).toMatchObject({ error: { code: 'engine_failure' } });
    expect(loop.loop.idle).toBe(true);
    expect(() => {
      loop.machine.outcomes.push('full');
      loop.run(9);
      loop.step();
    }).toThrow('no room');
  });
});

describe('values that are no numbers', () => {
  let loop: ScriptedLoop;
  beforeEach(() => {
    loop = new ScriptedLoop();
  });

  it('end the run that makes them, after one more try, and nothing of them is left for the next in its slot', () => {
    loop.run(7, { prompt: Int32Array.of(1, noNumber) });
    loop.finish();
    expect(loop.endOf(7)).toMatchObject({ error: { code: 'engine_failure' } });
    expect(loop.machine.decoded).toEqual([`0: 1 ${noNumber}`, `0: 1 ${noNumber}`]);
    loop.run(8, { prompt: Int32Array.of(1) });
    loop.finish();
    expect(loop.numbersOf(8)).toEqual([2, 3, 4, 5]);
    expect(loop.machine.decoded.slice(2)).toEqual(['0: 1', '0: 2', '0: 3', '0: 4']);
  });

  it('that a request left which was given up cost the next one a second reading, not its answer', () => {
    loop.run(7, { prompt: Int32Array.of(noNumber, ...long) });
    loop.step();
    loop.loop.abort(7);
    loop.run(8, { prompt: Int32Array.of(1, 2) });
    loop.finish();
    expect(loop.numbersOf(8)).toEqual([3, 4, 5, 6]);
    expect(loop.machine.decoded.slice(1, 3)).toEqual(['0: 1 2', '0: 1 2']);
  });

  it('cost the other slots nothing, running or not', () => {
    loop.run(6, { slot: 1, prompt: Int32Array.of(50), maxTokens: 8 });
    loop.step();
    loop.run(7, { prompt: Int32Array.of(noNumber) });
    loop.finish();
    expect([loop.numbersOf(6), loop.reasonOf(6)]).toEqual([[51, 52, 53, 54, 55, 56, 57, 58], 'length']);
    expect(loop.machine.decoded.filter((step) => step.includes('1: 50'))).toHaveLength(1);
    expect(loop.slots[1]?.tokens).toEqual([50, 51, 52, 53, 54, 55, 56, 57]);
  });

  it('have another run read anew what its slot does not take back', () => {
    loop.run(6, { slot: 1, prompt: Int32Array.of(50), maxTokens: 3 });
    loop.step();
    loop.memory.refuses.add('restoreState');
    loop.run(7, { prompt: Int32Array.of(noNumber) });
    loop.finish();
    expect([loop.numbersOf(6), loop.reasonOf(6)]).toEqual([[51, 52, 53], 'length']);
    expect(loop.machine.decoded.filter((step) => step.includes('1: 50'))).toEqual([
      '1: 50',
      `0: ${noNumber}, 1: 50 51`,
      '1: 50 51',
    ]);
  });

  it('have one read anew too whose request has not answered yet', () => {
    loop.run(6, { slot: 1, prompt: Int32Array.of(50), maxTokens: 3, steered: true });
    loop.step();
    loop.memory.refuses.add('restoreState');
    loop.run(7, { prompt: Int32Array.of(noNumber) });
    loop.step();
    loop.finish();
    expect([loop.numbersOf(6), loop.reasonOf(6)]).toEqual([[51, 52, 53], 'length']);
    expect(loop.slots[1]?.tokens).toEqual([50, 51, 52]);
  });
});

describe('an image beside a running stream', () => {
  it('has one turn between two steps of the others, until its rows are there', () => {
    const turns: string[] = [];
    const seeing = new ScriptedLoop((slots) => ({
      get due() {
        return slots.flatMap((slot) => {
          const medium = slot.run?.mediumDue;
          return slot.run && medium ? [{ slot, run: slot.run, medium }] : [];
        })[0];
      },
      advance({ slot, run, medium: { rows } }, othersWait) {
        turns.push(othersWait ? 'piece' : 'whole');
        if (turns.filter((turn) => turn !== 'step').length < 5) return undefined;
        slot.addRows(run.input.slice(run.position, run.position + rows));
        run.position += rows;
        return { slot, run, rows, place: undefined };
      },
      free: () => undefined,
    }));
    seeing.machine.during = () => void turns.push('step');
    seeing.run(1, { slot: 1, maxTokens: 12 });
    const ids = mediaIds(3, new Uint8Array(32));
    const tile = { width: 1, height: 1, bytes: new Uint8Array(3) };
    const image = { start: 2, rows: 3, columns: 3, key: 'cat', owner: 'ann', tile };
    seeing.run(7, { prompt: Int32Array.of(1, 2, ...ids, 50), media: [image] });
    seeing.finish();
    const pairs = Array.from({ length: 5 }, () => ['step', 'piece']).flat();
    expect(turns.slice(0, 10)).toEqual(pairs);
    expect(turns.slice(10)).not.toContain('piece');
    expect(seeing.numbersOf(1)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(seeing.numbersOf(7)).toEqual([51, 52, 53, 54]);
  });
});
