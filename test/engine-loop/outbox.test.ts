import { beforeEach, describe, expect, it } from 'vitest';
import { Outbox } from '../../src/engine/loop/outbox.ts';
import type { StepMessage, StepReport } from '../../src/engine/remote/protocol.ts';

const stats = { steps: 1, prefillTokens: 2, decodeTokens: 3, prefillRate: undefined, decodeRate: 4 };
const decodeStep: StepReport = { prefillTokens: 0, decodeTokens: 1, sequences: 1, ms: 1 };
const token = (number: number) => ({ token: number, forced: false });

describe('the outbox of a loop', () => {
  let sent: StepMessage[];
  let slots: { readonly id: number; tokens: number[]; cutPoints: readonly number[] | undefined }[];
  let outbox: Outbox;
  beforeEach(() => {
    sent = [];
    slots = [0, 1].map((id) => ({ id, tokens: [], cutPoints: undefined }));
    outbox = new Outbox(
      slots,
      () => stats,
      (message) => sent.push(message),
    );
  });
  const hold = (slot: number, ...tokens: number[]) =>
    slots[slot]?.tokens.splice(0, Number.POSITIVE_INFINITY, ...tokens);

  it('sends nothing where nothing happened', () => {
    expect(outbox.flush({ resting: true })).toBeUndefined();
    expect(sent).toEqual([]);
  });

  it('sends what happened in one message, and gives the number of one that is to be answered', () => {
    outbox.admitted(5, 1, 3);
    outbox.deliver(5, [token(9)]);
    outbox.ended({ run: 4, error: { code: undefined, message: 'no', details: {}, cause: undefined } });
    expect(outbox.flush()).toBe(1);
    outbox.admitted(6, 0, 0);
    expect(outbox.flush()).toBeUndefined();
    outbox.deliver(5, [token(9)]);
    outbox.deliver(6, [token(8)]);
    outbox.deliver(5, [token(7), token(6)]);
    expect(outbox.flush()).toBe(3);
    expect(sent.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(sent[0]).toMatchObject({
      admitted: [{ run: 5, cachedTokens: 3 }],
      delivered: [{ run: 5, tokens: [token(9)] }],
      ended: [{ run: 4 }],
    });
    expect(sent[2]?.delivered).toEqual([
      { run: 5, tokens: [token(9)] },
      { run: 6, tokens: [token(8)] },
      { run: 5, tokens: [token(7), token(6)] },
    ]);
    expect(sent[2]).not.toHaveProperty('admitted');
  });

  it('is urgent where somebody waits for more than tokens', () => {
    outbox.deliver(5, [token(9)]);
    outbox.report(decodeStep);
    expect(outbox.isUrgent).toBe(false);
    outbox.admitted(6, 0, 0);
    expect(outbox.isUrgent).toBe(true);
    outbox.flush();
    expect(outbox.isUrgent).toBe(false);
    outbox.report({ ...decodeStep, prefillTokens: 1 });
    expect(outbox.isUrgent).toBe(true);
    outbox.flush();
    expect(outbox.isUrgent).toBe(false);
  });

  it('tells what a slot holds of its run, when that changes', () => {
    outbox.admitted(5, 1, 2);
    hold(1, 7, 8);
    outbox.flush();
    outbox.flush();
    hold(1, 7, 8, 9);
    outbox.flush();
    expect(sent.map((message) => message.slots)).toEqual([
      [{ slot: 1, run: 5, held: 2, cutPoints: undefined }],
      [{ slot: 1, run: 5, held: 3, cutPoints: undefined }],
    ]);
  });

  it('tells the same length again for another run, with its places of checkpoints', () => {
    outbox.admitted(5, 1, 0);
    hold(1, 7);
    outbox.flush();
    outbox.admitted(6, 1, 1);
    Object.assign(slots[1] ?? {}, { cutPoints: [1] });
    outbox.flush();
    expect(sent[1]?.slots).toEqual([{ slot: 1, run: 6, held: 1, cutPoints: [1] }]);
  });

  it('tells nothing of a slot whose state no run made', () => {
    outbox.admitted(5, 1, 0);
    outbox.flush();
    outbox.disown(1);
    hold(1, 1, 2, 3);
    expect(outbox.flush()).toBeUndefined();
    expect(sent).toHaveLength(1);
  });

  describe('and the reports of steps', () => {
    const reported = () => sent.flatMap(({ reports = [] }) => [reports.length]);

    it('go with so many decode steps at a time', () => {
      for (let step = 0; step < 40; step++) {
        outbox.report(decodeStep);
        outbox.flush();
      }
      expect(reported()).toEqual([16, 16]);
      outbox.flush({ resting: true });
      expect(reported()).toEqual([16, 16, 8]);
      expect(sent.at(-1)?.stats).toEqual(stats);
    });

    it.each([
      ['a prompt was read', { ...decodeStep, prefillTokens: 8 }, () => undefined],
      ['the step was slow', { ...decodeStep, ms: 26 }, () => undefined],
      ['a run began', decodeStep, () => outbox.admitted(5, 0, 0)],
      ['a run ended', decodeStep, () => outbox.ended({ run: 5, result: undefined as never })],
    ])('go at once where %s', (_, report, happen) => {
      outbox.report(decodeStep);
      outbox.report(report);
      happen();
      outbox.flush();
      expect(reported()).toEqual([2]);
    });

    it('wait while only tokens come', () => {
      outbox.report(decodeStep);
      outbox.deliver(5, [token(9)]);
      outbox.flush();
      expect(sent[0]).not.toHaveProperty('reports');
      expect(sent[0]).not.toHaveProperty('stats');
    });
  });
});
