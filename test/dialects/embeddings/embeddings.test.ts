import { describe, expect, it } from 'vitest';
import {
  parseEmbed,
  parseOldEmbeddings,
  writeEmbed,
  writeOldEmbeddings,
} from '../../../src/dialects/embeddings/ollama.ts';
import { parseEmbeddings, writeEmbeddings } from '../../../src/dialects/embeddings/openai.ts';
import { toBase64, toUnit } from '../../../src/dialects/embeddings/vector-forms.ts';

describe('vectors', () => {
  it.each([
    [[3, 4], undefined, [0.6, 0.8]],
    [[3, 4, 12], 2, [0.6, 0.8]],
    [[-2, 0], 1, [-1]],
    [[0, 0], undefined, [0, 0]],
    [[], undefined, []],
  ])('brings %j cut to %s to length 1', (vector, dimensions, expected) => {
    expect(toUnit(vector, dimensions)).toEqual(expected);
  });

  it('writes base64 that reads back as 32-bit floats', () => {
    const encoded = toBase64([1, -0.5, 0.1]);
    const read = new Float32Array(Uint8Array.from(Buffer.from(encoded, 'base64')).buffer);
    expect([...read]).toEqual([1, -0.5, Math.fround(0.1)]);
    expect(toBase64([1])).toBe('AACAPw==');
  });
});

describe('/v1/embeddings', () => {
  it.each([
    ['a text', 'a', ['a']],
    ['texts', ['a', 'b'], ['a', 'b']],
    ['tokens', [1, 2], [[1, 2]]],
    ['lists of tokens', [[1], [2, 3]], [[1], [2, 3]]],
  ])('takes %s', (_, input, inputs) => {
    expect(parseEmbeddings({ input, model: 'm' })).toEqual({
      model: 'm',
      inputs,
      dimensions: undefined,
      truncate: false,
      format: 'float',
    });
  });

  it.each([
    [{}, 'input', /missing/],
    [{ input: '' }, 'input', /"", but must be a text that is not empty/],
    [{ input: [] }, 'input', /entr(y|ies)/],
    [{ input: ['a', ''] }, 'input[1]', /"", but must be a text that is not empty/],
    [{ input: [[1], []] }, 'input[1]', /entr(y|ies)/],
    [{ input: [1, -1] }, 'input[1]', /-1, but must be at least 0/],
    [{ input: 'a', dimensions: 0 }, 'dimensions', /0, but must be at least 1/],
    [{ input: 'a', encoding_format: 'hex' }, 'encoding_format', /"float", "base64"/],
  ])('refuses %j', (body, param, message) => {
    expect(() => parseEmbeddings(body)).toThrow(
      expect.objectContaining({ details: { param }, message: expect.stringMatching(message) }),
    );
  });

  it('answers with unit vectors in the order of the inputs, and with usage', () => {
    const call = parseEmbeddings({ input: ['a', 'b'] });
    const list = [
      { vector: [0, 2], tokens: 3 },
      { vector: [5, 0], tokens: 4 },
    ];
    expect(writeEmbeddings(call, { model: 'demo', embeddings: list })).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [0, 1] },
        { object: 'embedding', index: 1, embedding: [1, 0] },
      ],
      model: 'demo',
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
  });

  it('answers in base64, cut to the dimensions, when asked', () => {
    const call = parseEmbeddings({ input: 'a', encoding_format: 'base64', dimensions: 1 });
    expect(writeEmbeddings(call, { model: 'demo', embeddings: [{ vector: [3, 4], tokens: 1 }] })).toMatchObject({
      data: [{ embedding: toBase64([1]) }],
    });
  });
});

describe("Ollama's embeddings", () => {
  it('cuts long inputs unless told otherwise', () => {
    expect(parseEmbed({ model: 'm', input: ['a', ''] })).toEqual({
      model: 'm',
      inputs: ['a', ''],
      dimensions: undefined,
      truncate: true,
    });
    expect(parseEmbed({ input: 'a', truncate: false, dimensions: 2 })).toEqual({
      model: undefined,
      inputs: ['a'],
      dimensions: 2,
      truncate: false,
    });
  });

  it('answers in both of its forms', () => {
    const answer = { model: 'demo', embeddings: [{ vector: [0, 2], tokens: 3 }] };
    expect(writeEmbed(parseEmbed({ input: 'a' }), answer, 1.5)).toEqual({
      model: 'demo',
      embeddings: [[0, 1]],
      total_duration: 1_500_000,
      load_duration: 0,
      prompt_eval_count: 3,
    });
    expect(parseOldEmbeddings({ prompt: 'a' }).inputs).toEqual(['a']);
    expect(writeOldEmbeddings(answer)).toEqual({ embedding: [0, 1] });
  });

  it('refuses inputs that are no text', () => {
    expect(() => parseEmbed({ input: [1] })).toThrow('`input[0]` is 1, but must be a string.');
    expect(() => parseOldEmbeddings({})).toThrow('`prompt` is missing: it must be a string.');
  });
});
