import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

const tokens = z.array(z.object({ token: z.string() }));
const chat = z.object({
  choices: z.tuple([
    z.object({
      message: z.object({ content: z.string().nullable(), reasoning_content: z.string().optional() }),
      logprobs: z.object({ content: tokens }),
    }),
  ]),
});
const chunk = z.object({
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().optional() }),
      logprobs: z.object({ content: tokens }).nullable(),
    }),
  ),
});
const responses = z.object({
  output: z.array(
    z.object({
      type: z.string(),
      content: z.array(z.object({ text: z.string(), logprobs: tokens.optional() })).optional(),
    }),
  ),
});
const ollama = z.object({ message: z.object({ content: z.string(), thinking: z.string() }), logprobs: tokens });

/** Whoever classifies reads the first of them. */
describe('log probabilities of answers that think', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startDemoServer(['--ctx-size', '1024', '--parallel', '1']);
  });
  afterAll(() => server.close());

  const question = { messages: [{ role: 'user', content: 'What is the capital of France?' }], temperature: 0 };
  const answer = 'The capital of France is Paris.';
  const ask = async (path: string, body: object): Promise<string> => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.text();
  };
  const spelled = (list: z.output<typeof tokens>) => list.map(({ token }) => token).join('');

  it('are those of the content in chat completions', async () => {
    const { choices } = chat.parse(JSON.parse(await ask('/v1/chat/completions', { ...question, logprobs: true })));
    expect(choices[0].message.reasoning_content).toMatch(/user asks/);
    expect([choices[0].message.content, spelled(choices[0].logprobs.content)]).toEqual([answer, answer]);
  });

  it('come with the content in a stream', async () => {
    const text = await ask('/v1/chat/completions', { ...question, logprobs: true, stream: true });
    const frames = text.split('\n\n').filter((frame) => frame.startsWith('data: {'));
    const deltas = frames.flatMap((frame) => chunk.parse(JSON.parse(frame.slice('data: '.length))).choices);
    const shown = deltas.filter(({ delta }) => delta.content);
    expect(shown.map(({ logprobs }) => spelled(logprobs?.content ?? []))).toEqual(
      shown.map(({ delta }) => delta.content),
    );
    expect(shown.length).toBeGreaterThan(3);
  });

  it('are those of the content in responses', async () => {
    const body = { input: 'What is the capital of France?', temperature: 0, top_logprobs: 1 };
    const { output } = responses.parse(JSON.parse(await ask('/v1/responses', body)));
    expect(output.map(({ type }) => type)).toEqual(['reasoning', 'message']);
    const [part] = output[1]?.content ?? [];
    expect([part?.text, spelled(part?.logprobs ?? [])]).toEqual([answer, answer]);
  });

  it("are those of the content in Ollama's chat", async () => {
    const body = { messages: question.messages, options: { temperature: 0 }, logprobs: true, stream: false };
    const { message, logprobs } = ollama.parse(JSON.parse(await ask('/api/chat', body)));
    expect(message.thinking).not.toBe('');
    expect([message.content, spelled(logprobs)]).toEqual([answer, answer]);
  });

  it('end where a stop string begins', async () => {
    const stop = ['France'];
    const body = { ...question, logprobs: true, stop };
    const { choices } = chat.parse(JSON.parse(await ask('/v1/chat/completions', body)));
    expect([choices[0].message.content, spelled(choices[0].logprobs.content)]).toEqual([
      'The capital of ',
      expect.stringMatching(/^The capital of ?$/),
    ]);
  });
});
