import { describe, expect, it } from 'vitest';
import { FrameBuffer } from '../../../src/http/runs/frame-buffer.ts';

const data = (value: number) => ({ type: 'data', data: { value } }) as const;
const valuesFrom = (buffer: FrameBuffer, number: number) =>
  buffer.from(number).map(({ text }) => (JSON.parse(text) as { value: number }).value);

describe('the frames of a run', () => {
  it('are numbered from 0 and can be had from any number on', () => {
    const buffer = new FrameBuffer(10_000);
    for (let value = 0; value < 5; value++) buffer.add(data(value));
    expect([buffer.first, buffer.next]).toEqual([0, 5]);
    expect([0, 3, 4, 5, 9].map((number) => valuesFrom(buffer, number))).toEqual([[0, 1, 2, 3, 4], [3, 4], [4], [], []]);
  });

  it('keep their event and are no JSON where they were none; heartbeats are not kept', () => {
    const buffer = new FrameBuffer(10_000);
    buffer.add({ type: 'data', data: { a: 1 }, event: 'message_start' });
    buffer.add({ type: 'comment', text: 'still working' });
    buffer.add({ type: 'raw', text: '[DONE]' });
    expect(buffer.from(0)).toEqual([
      { type: 'written', text: '{"a":1}', event: 'message_start' },
      { type: 'written', text: '[DONE]' },
    ]);
  });

  it('go from the oldest on where they are too many, whatever each one is long, and keep their numbers', () => {
    for (const limit of [0, 1, 500, 1000, 5000]) {
      const buffer = new FrameBuffer(limit);
      for (let value = 0; value < 100; value++) {
        buffer.add(data(value));
        expect(buffer.next).toBe(value + 1);
        expect(buffer.characters <= limit || buffer.next - buffer.first === 1).toBe(true);
        expect(valuesFrom(buffer, 0)).toEqual(
          Array.from({ length: buffer.next - buffer.first }, (_, index) => buffer.first + index),
        );
      }
      expect(buffer.first).toBeGreaterThan(0);
    }
  });
});
