import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** The official client against the demo model, greedily. */
describe('completions and embeddings through the openai client', () => {
  let server: RunningServer;
  let client: OpenAI;
  beforeAll(async () => {
    server = await startDemoServer(['--parallel', '3']);
    client = new OpenAI({ apiKey: 'none', baseURL: `${server.url}/v1`, maxRetries: 0 });
  });
  afterAll(() => server.close());

  const model = 'serve-model-demo';
  const counting = { model, prompt: '1, 2, 3, 4, 5, 6,', max_tokens: 12, temperature: 0 };

  it('continues a text', async () => {
    const { choices, usage, object } = await client.completions.create(counting);
    expect(object).toBe('text_completion');
    expect(choices).toMatchObject([{ index: 0, finish_reason: 'length' }]);
    expect(choices[0]?.text).toMatch(/^ 7, 8, 9/);
    expect(usage).toMatchObject({ completion_tokens: 12, total_tokens: (usage?.prompt_tokens ?? 0) + 12 });
  });

  it('streams the same text, with usage and a true end', async () => {
    const { choices } = await client.completions.create(counting);
    const stream = await client.completions.create({
      ...counting,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe(choices[0]?.text);
    expect(new Set(chunks.map((chunk) => chunk.object))).toEqual(new Set(['text_completion']));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 12 } });
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
  });

  it('continues several prompts at once as it does one by one', async () => {
    const prompt = ['1, 2, 3, 4, 5, 6,', 'The capital of France is', 'def add(a, b):\n', 'Once upon a time'];
    const { choices } = await client.completions.create({ ...counting, prompt });
    const alone = await Promise.all(prompt.map((one) => client.completions.create({ ...counting, prompt: one })));
    expect(choices.map(({ index, text }) => [index, text])).toEqual(
      alone.map(({ choices: [only] }, index) => [index, only?.text]),
    );
    expect(choices[1]?.text).toContain('Paris');
  });

  it('takes more prompts than the queue holds', async () => {
    const prompt = Array.from({ length: 60 }, (_, index) => `${index}, ${index + 1},`);
    const { choices } = await client.completions.create({ ...counting, prompt, max_tokens: 2 });
    expect(choices.map(({ index }) => index)).toEqual(prompt.map((_, index) => index));
  });

  it('takes a prompt as tokens', async () => {
    const response = await fetch(`${server.url}/tokenize`, {
      method: 'POST',
      body: JSON.stringify({ content: counting.prompt }),
    });
    const { tokens } = (await response.json()) as { tokens: number[] };
    const fromTokens = await client.completions.create({ ...counting, seed: 1, prompt: tokens, echo: true });
    const fromText = await client.completions.create({ ...counting, seed: 1, echo: true });
    expect(fromTokens.choices).toEqual(fromText.choices);
    expect(fromText.choices[0]?.text.startsWith(counting.prompt)).toBe(true);
  });

  it('scores a text without generating, as evaluation harnesses ask', async () => {
    const text = 'The capital of France is Paris.';
    const { choices, usage } = await client.completions.create({
      model,
      prompt: text,
      echo: true,
      logprobs: 1,
      max_tokens: 0,
    });
    const [choice] = choices;
    const { tokens = [], token_logprobs = [], top_logprobs = [], text_offset = [] } = choice?.logprobs ?? {};
    expect(choice?.text).toBe(text);
    expect(tokens.join('')).toBe(text);
    expect(usage?.completion_tokens).toBe(0);
    expect(token_logprobs[0]).toBeNull();
    expect(token_logprobs.slice(1).every((logprob) => logprob !== null && logprob <= 0)).toBe(true);
    expect(text_offset).toEqual(tokens.map((_, index) => tokens.slice(0, index).join('').length));
    const paris = tokens.indexOf('Paris');
    expect(top_logprobs[paris]).toEqual({ Paris: token_logprobs[paris] });
  });

  it('gives a generated token the log probability that scoring gives it', async () => {
    const prompt = 'The capital of France is';
    const written = await client.completions.create({ model, prompt, max_tokens: 3, temperature: 0, logprobs: 0 });
    const [choice] = written.choices;
    const scored = await client.completions.create({
      model,
      prompt: prompt + choice?.text,
      echo: true,
      logprobs: 0,
      max_tokens: 0,
    });
    const expected = scored.choices[0]?.logprobs?.token_logprobs?.slice(-3) ?? [];
    expect(choice?.logprobs?.token_logprobs).toHaveLength(3);
    for (const [index, logprob] of (choice?.logprobs?.token_logprobs ?? []).entries())
      expect(logprob).toBeCloseTo(expected[index] ?? Number.NaN, 2);
  });

  it('fills in the middle', async () => {
    const body = { model, prompt: 'def add(a, b):\n    ', suffix: '\n', max_tokens: 20, temperature: 0 };
    const { choices } = await client.completions.create(body);
    expect(choices).toMatchObject([{ text: 'return a + b', finish_reason: 'stop' }]);
    const response = await fetch(`${server.url}/infill`, {
      method: 'POST',
      body: JSON.stringify({ input_prefix: 'def add(a, b):\n', prompt: '    ', input_suffix: '\n', temperature: 0 }),
    });
    expect(await response.json()).toMatchObject({ content: 'return a + b', stop_type: 'eos' });
  });

  it.each([
    ['GBNF', { grammar: 'root ::= " yes" | " no"' }, /^ (yes|no)$/],
    [
      'a JSON schema',
      { json_schema: { type: 'array', items: { enum: [1, 2] }, minItems: 1, maxItems: 3 } },
      /^\[\s*[12]/,
    ],
    ['a response format', { response_format: { type: 'json_object' } }, /^\{.*\}$/s],
  ])('keeps to %s', async (_, constraint, pattern) => {
    const body = { model, prompt: 'A list: ', max_tokens: 100, temperature: 0, ...constraint };
    const { choices } = await client.completions.create(body);
    expect(choices).toMatchObject([{ text: expect.stringMatching(pattern), finish_reason: 'stop' }]);
  });

  it('names the prompt when it is too long', async () => {
    const failure = client.completions.create({ model, prompt: new Array(5000).fill(65), max_tokens: 5 });
    await expect(failure).rejects.toMatchObject({
      status: 400,
      param: 'prompt',
      error: { code: 'context_length_exceeded', tokens: { needed: 5000, available: 4096, asked: 5 } },
    });
  });

  it('gives n choices that differ by their seed, and the same ones again', async () => {
    const body = { model, prompt: 'Once upon a time', n: 3, max_tokens: 16, temperature: 1.5, seed: 11 };
    const first = await client.completions.create(body);
    const again = await client.completions.create(body);
    const texts = first.choices.map(({ text }) => text);
    expect(again.choices.map(({ text }) => text)).toEqual(texts);
    expect(new Set(texts).size).toBe(3);
    const best = await client.completions.create({ ...body, n: 1, best_of: 3 });
    expect(texts).toContain(best.choices[0]?.text);
    expect(best.choices[0]?.logprobs).toBeNull();
  });

  it('embeds: the same text the same, a batch as one by one, in floats as in base64', async () => {
    const input = ['The cat sat.', 'A dog ran fast.', 'The cat sat.', 'x'];
    const floats = await client.embeddings.create({ model, input, encoding_format: 'float' });
    const packed = await client.embeddings.create({ model, input });
    const vectors = floats.data.map(({ embedding }) => embedding);
    expect(vectors[2]).toEqual(vectors[0]);
    expect(vectors.map((vector) => vector.length)).toEqual([192, 192, 192, 192]);
    for (const [index, vector] of vectors.entries()) {
      expect(length(vector)).toBeCloseTo(1, 6);
      const alone = await client.embeddings.create({ model, input: input[index] ?? '', encoding_format: 'float' });
      expect(difference(vector, alone.data[0]?.embedding ?? [])).toBeLessThan(1e-4);
      expect(difference(vector, packed.data[index]?.embedding ?? [])).toBeLessThan(1e-6);
    }
    expect(floats.usage.prompt_tokens).toBeGreaterThan(10);
  });

  it('shortens vectors to fewer dimensions of length 1', async () => {
    const [whole, short] = await Promise.all(
      [192, 16].map((dimensions) =>
        client.embeddings.create({ model, input: 'cat', dimensions, encoding_format: 'float' }),
      ),
    );
    const cut = (whole?.data[0]?.embedding ?? []).slice(0, 16);
    expect(length(short?.data[0]?.embedding ?? [])).toBeCloseTo(1, 6);
    expect(
      difference(
        cut.map((value) => value / length(cut)),
        short?.data[0]?.embedding ?? [],
      ),
    ).toBeLessThan(1e-6);
  });

  it('refuses more dimensions than a vector has', async () => {
    await expect(client.embeddings.create({ model, input: 'cat', dimensions: 193 })).rejects.toMatchObject({
      status: 400,
      param: 'dimensions',
    });
  });

  it('refuses an input that is too long, by its number', async () => {
    const input = ['fine', new Array(5000).fill(65)];
    const failure = await client.embeddings
      .create({ model, input: [[1], input[1] as number[]] })
      .catch((error) => error);
    expect(failure).toMatchObject({
      status: 400,
      param: 'input[1]',
      error: { code: 'context_length_exceeded', tokens: { needed: 5000, available: 4096 } },
    });
  });
});

function length(vector: readonly number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}

function difference(left: readonly number[], right: readonly number[]): number {
  return Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.POSITIVE_INFINITY))));
}
